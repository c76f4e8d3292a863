"""The arguments of a program, which every process of a machine may read: no secret belongs there."""

import shutil
from pathlib import Path


def log_arguments(program: str, folder: Path) -> Path:
    """Puts one into `folder` that writes down its arguments before it does its work; the file that has them."""
    wrapper, seen = folder / program, folder / f"{program}.arguments"
    folder.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{seen}\nexec {shutil.which(program)} "$@"\n')
    wrapper.chmod(0o755)
    return seen
