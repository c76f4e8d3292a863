# expect: FILE has no host of ours: write hosts as [("@vm/NAME", {…})]; others are left alone [ZT113]
nas = ["nas.lan"]
local = [("@local", {"some": "data"})]
