"""Two days of the fault campaign, and the proof that its ledger sees a loss.

`make -C toolkit soak` runs 200 of them: tests/soak/test_nothing_is_lost.py.
"""

from collections.abc import Iterator

import pytest

from tests.lfs.lfs_tools import needs_git_lfs
from tests.soak.campaign import commands
from tests.soak.campaign.sandbox import Sandbox, sandbox
from tests.soak.campaign.sequence import Campaign, FailedError

pytestmark = needs_git_lfs

#: With a command killed, a full disk, a dead store, and a name that programs trip over.
DAYS = (
    ("write", "add+kill", "clean", "commit", "push+store"),
    ("edit-data", "add+disk", "link", "gc"),
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("campaign")) as made:
        yield made


@pytest.mark.parametrize("number", range(len(DAYS)))
def test_no_content_that_existed_only_once_is_lost(box: Sandbox, number: int) -> None:
    if not box.disk and any("+disk" in step for step in DAYS[number]):
        pytest.skip("only root can mount a disk that is full")
    Campaign(box, "a day").run(number, DAYS[number])


def test_the_ledger_names_the_file_that_a_seeded_fault_deletes(box: Sandbox) -> None:
    campaign = Campaign(box, "a fault", commands.COMMANDS | commands.SEEDED)
    with pytest.raises(FailedError, match=r"data/raw/field-notes\.txt"):
        campaign.run(0, ["commit", "clean"])
