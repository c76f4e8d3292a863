"""The pyinfra edge: thin wiring of specs, clients and resources into pyinfra's two-phase run."""
