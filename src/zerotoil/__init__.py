"""zerotoil: one pyinfra inventory declares a homelab and keeps it so."""

__version__ = "0.1.0"
