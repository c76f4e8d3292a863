"""`python -m zerotoil.error_codes` prints docs/reference/errors.md."""

from __future__ import annotations

from zerotoil.error_codes.catalogue import page

if __name__ == "__main__":
    print(page(), end="")
