"""Spec -> text. Pure: no I/O, no clock; templates and file contents are given."""
