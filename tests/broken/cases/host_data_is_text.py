# expect: FILE:here: the data of @vm/matrix is no dict: write ("@vm/matrix", {"KEY": value}) [ZT111]
vms = [("@vm/matrix", "4 GiB")]  # <- here
