# expect: FILE:here: SystemExit: set LAB first: mend this line [ZT110]
import sys

sys.exit("set LAB first")  # <- here
