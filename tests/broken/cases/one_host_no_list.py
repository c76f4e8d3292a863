# expect: FILE:here: matrix is one host, not a list: write matrix = [("@vm/matrix", {…})] [ZT111]
from tests.broken.right import RIGHT

matrix = ("@vm/matrix", {**RIGHT})  # <- here
