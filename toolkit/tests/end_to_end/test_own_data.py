"""Data of one's own in the template: its ignore rules, its `make`, and what its page says."""

import re

import pytest

from tests.end_to_end.clones import REPOSITORY
from tests.safety.test_every_dvc_file_is_found import ADDED, added_at_any_depth
from tests.verify.published import Published

PIPELINE = """\
stages:
  count:
    cmd: wc -c <data/raw/FILE >data/interim/count.txt
    deps: [data/raw/FILE]
    outs: [data/interim/count.txt]
"""


@pytest.mark.parametrize("path", ADDED)
def test_dvc_add_works_at_any_depth_and_git_takes_its_files(template: Published, path: str) -> None:
    added_at_any_depth(template, path)


def test_the_section_on_your_own_data_holds_word_by_word(
    template: Published,
) -> None:
    page = (REPOSITORY / "toolkit" / "docs" / "own-project.md").read_text()
    section = page.partition("\n## Your own data\n")[2].partition("\n## ")[0]
    assert re.search(
        r"`dvc add data/raw/FILE`, commit the small\s+`.dvc` file, `make push`, and\s+give them as"
        r" `deps`\s+to the first stage",
        section,
    )
    for folder in ("data/raw", "data/interim"):
        (template.root / folder).mkdir(parents=True)
    (template.root / "data/raw/FILE").write_text("measured\n")
    template.dvc("add", "data/raw/FILE")
    template.git("add", "data/raw/FILE.dvc")
    template.git("commit", "-q", "-m", "My data")
    template.clone.make("push")
    (template.root / "dvc.yaml").write_text(PIPELINE)
    template.clone.run("bucket", "repro")
    assert (template.root / "data/interim/count.txt").read_text().strip() == "9"
    assert template.clone.run("git", "status", "--porcelain").stdout == "?? dvc.lock\n?? dvc.yaml\n"
    template.commit("My stage")
    template.clone.make("push")
    template.clone.make("verify")
