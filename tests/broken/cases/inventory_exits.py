# expect: FILE:here: SystemExit: set LAB first: mend this line
import sys

sys.exit("set LAB first")  # <- here
