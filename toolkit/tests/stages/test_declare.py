"""`bucket env --declare`: the text of a stage with its packages, every other byte as it was."""

import pytest

from dvc_bucket.base import packages
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.jobs.env.declare import StageEntry, with_packages

#: The params of a stage before and after `bucket env --declare`, in each way to write them.
WRITTEN = [
    ("", "    params:\n      - packages.yaml: [idna, six]\n"),
    (
        "    params:\n      - load\n",
        "    params:\n      - load\n      - packages.yaml: [idna, six]\n",
    ),
    (
        "    params:\n    - packages.yaml: [six] # by hand\n    - load\n",
        "    params:\n    - packages.yaml: [idna, six]\n    - load\n",
    ),
    ("    params: [load]\n", None),
]


@pytest.mark.parametrize(("before", "after"), WRITTEN)
@pytest.mark.parametrize("head", ["  one:\n    cmd: x\n", "  one:\n    foreach: [1]\n    do:\n"])
def test_packages_are_added_to_the_params_and_every_other_byte_stays(
    before: str, after: str | None, head: str
) -> None:
    end, rest = "    outs: [out.txt]\n", "  # the next\n  two:\n    cmd: y\n"
    if "do:" in head:
        before, end = (text.replace("    ", "      ") for text in (before, end))
        after = after and after.replace("    ", "      ")
    text, entry = (
        f"# all\nstages:\n{head}{before}{end}{rest}",
        StageEntry("dvc.yaml", "one", packages.FILE),
    )
    if after is None:
        with pytest.raises(ProjectError, match=r"Add to its params: packages.yaml: \[idna, six"):
            with_packages(text, entry, ["idna", "six"])
    else:
        expected = text.replace(f"{before}{end}", f"{after}{end}")
        assert with_packages(text, entry, ["idna", "six"]) == expected
