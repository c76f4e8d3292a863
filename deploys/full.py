"""Make the whole lab as declared: pyinfra inventory/lab.py deploys/full.py"""

from zerotoil.edge.deploy import full

full()
