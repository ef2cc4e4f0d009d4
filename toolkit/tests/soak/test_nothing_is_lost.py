"""The fault campaign: 200 random days of a user, and a seeded fault that it must find.

CAMPAIGN_SEQUENCES: how many sequences. CAMPAIGN_SEED: of all choices; a failure prints it.
CAMPAIGN_ONLY: the number of one sequence, to run it alone. CAMPAIGN_STEPS: steps instead of those
of the seed, with commas; `-` leaves one out, so that the others stay as they are.
"""

import os
import time
from collections.abc import Iterator

import pytest

from tests.lfs.lfs_tools import needs_git_lfs
from tests.soak.campaign import commands
from tests.soak.campaign.sandbox import Sandbox, sandbox
from tests.soak.campaign.sequence import Campaign, FailedError

pytestmark = needs_git_lfs

SEQUENCES = int(os.environ.get("CAMPAIGN_SEQUENCES", "200"))
SEED = os.environ.get("CAMPAIGN_SEED") or str(int(time.time()))
ONLY = os.environ.get("CAMPAIGN_ONLY")
STEPS = [step for step in os.environ.get("CAMPAIGN_STEPS", "").split(",") if step]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox(tmp_path_factory.mktemp("campaign")) as made:
        yield made


@pytest.mark.timeout(4 * 3600)
def test_no_content_that_existed_only_once_is_lost(box: Sandbox) -> None:
    campaign, failed = Campaign(box, SEED), []
    print(f"\nseed {SEED}")
    for number in [int(ONLY)] if ONLY else range(SEQUENCES):
        try:
            campaign.run(number, STEPS)
        except FailedError as error:
            failed.append(str(error))
            print(f"FAILED: {error}", flush=True)
    print(f"{campaign.figures}, {len(failed)} failed")
    assert not failed, "\n\n".join(failed)


@pytest.mark.timeout(3600)
def test_the_campaign_finds_a_seeded_fault(box: Sandbox) -> None:
    """With the rule of `clean` that removed `data/raw`, a random sequence soon fails."""
    campaign = Campaign(box, SEED, commands.COMMANDS | commands.SEEDED)
    for number in range(SEQUENCES):
        plan = campaign.plan(number)
        if "clean" in plan:
            print(f"\nsequence {number} has the seeded fault")
            with pytest.raises(FailedError, match=r"data/raw/field-notes\.txt"):
                campaign.run(number, [step if step == "clean" else "-" for step in plan])
            return
    pytest.fail("no sequence cleans")
