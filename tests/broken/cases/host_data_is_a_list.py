# expect: FILE:here: the data of @vm/matrix is no dict: write ("@vm/matrix", {"KEY": value}) [ZT111]
vms = [("@vm/matrix", ["vm_cpus", 2])]  # <- here
