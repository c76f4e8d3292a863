"""One lab (number 1, beside whatever runs) with one VM, built once: the tests run in the order of their files, by name."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.deployed import STATE, deploy, zerotoil
from tests.e2e.guide_plan_and_drift import ROOT


@pytest.fixture(scope="session")
def lab() -> Iterator[None]:
    """A fresh lab with one deployed VM; for writing tests, ZEROTOIL_E2E_KEEP=1 takes and leaves the lab of the last run."""
    if os.geteuid():
        pytest.skip("the lab needs root")
    keep = os.environ.get("ZEROTOIL_E2E_KEEP") == "1"
    if keep and (STATE / "nas").exists():
        deploy()
        yield
        return
    zerotoil("lab", "reset", "--yes")
    shutil.rmtree(ROOT / ".zerotoil", ignore_errors=True)
    zerotoil("lab", "up")
    deploy()
    yield
    if not keep:
        zerotoil("lab", "reset", "--yes")
