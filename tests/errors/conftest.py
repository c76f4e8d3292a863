"""What the failures are provoked with: the fixtures of the other tests, each under a name of its own."""

from tests.adopt.conftest import one as handmade  # noqa: F401
from tests.cli.test_plan_and_apply import project, sim  # noqa: F401
from tests.clients.truenas.test_failures import website  # noqa: F401
from tests.layers.conftest import lab as pretend_lab  # noqa: F401
from tests.resources.hypervisor.conftest import lab as of_hypervisor  # noqa: F401
