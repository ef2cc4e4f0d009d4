import os
import subprocess
import sys

import pytest

from dvc_bucket.base.kernels import AVX2, pins

PROGRAM = (
    "import numpy, os, threadpoolctl\n"
    "from dvc_bucket import pin_kernels\n"
    "pin_kernels()\n"
    "print(os.environ.get('OPENBLAS_CORETYPE'), threadpoolctl.threadpool_info()[0]['architecture'])"
)


@pytest.mark.skipif(not pins({}), reason="no kernels are pinned on this CPU")
@pytest.mark.parametrize(
    ("changes", "printed"),
    [
        ({}, "Haswell Haswell"),
        ({"OPENBLAS_CORETYPE": "Nehalem"}, "Nehalem Nehalem"),
        ({"BUCKET_KERNELS": "own"}, "None "),
    ],
)
def test_a_program_that_loaded_numpy_already_runs_with_pinned_kernels(
    changes: dict[str, str], printed: str
) -> None:
    plain = {name: text for name, text in os.environ.items() if name not in AVX2}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=plain | changes, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(printed)
    assert done.stdout.count("\n") == 1


def test_what_a_person_sets_stays() -> None:
    assert "OPENBLAS_CORETYPE" not in pins({"OPENBLAS_CORETYPE": "Zen"})
    assert pins(AVX2) == {}
