"""What a plan loads before it knows whether a host has apps or a cluster."""

import subprocess
import sys


def test_a_plan_loads_no_schema_validator_before_something_needs_it() -> None:
    """It takes longer to load than most plans to make."""
    program = (
        "import sys, zerotoil.layers, zerotoil.layers.plan, zerotoil.edge.report\n"
        "print([name for name in ('jsonschema', 'zerotoil.model.compose', 'requests', 'apprise') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"
