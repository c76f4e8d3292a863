"""Another OS under the same data: pyinfra inventory/lab.py deploys/migrate.py --limit HOST --data os_stream=testing"""

from zerotoil.edge.deploy import migrate

migrate()
