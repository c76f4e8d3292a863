"""What is kept as declared: one module per kind, each with a natural key, `observe`, a pure `diff` and `apply`."""
