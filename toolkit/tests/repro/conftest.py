"""Has pytest find the fixtures."""

from tests.cluster.fixtures import slurm  # noqa: F401
from tests.patched.small_repos import repo  # noqa: F401
from tests.repro.submitted import clone  # noqa: F401
