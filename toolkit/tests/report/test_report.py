"""`bucket report` on two commits of a real project with a real store."""

import secrets
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from dvc_bucket.base.errors import RevisionError
from dvc_bucket.base.files import write_private
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.jobs.report.commit_views import choose
from dvc_bucket.jobs.report.comparison import Changes
from dvc_bucket.jobs.report.metrics import Metric, Unread
from dvc_bucket.jobs.report.page import MARKER, MAX_PAGE_BYTES, render
from dvc_bucket.jobs.report.plots import Plot, Point
from dvc_bucket.jobs.report.stages import PackageChange, Reason, StageChange
from tests.clones import TOOLS
from tests.report import made
from tests.report.made import ODD, report
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

#: The id that git gives to the tree without a file.
TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    project = empty(tmp_path_factory.mktemp("changes") / "project", access(request, "seaweed"))
    made.publish(project)
    return project


@pytest.fixture(scope="module")
def found(project: Published) -> Changes:
    before = project.git("status", "--porcelain"), project.git("rev-parse", "HEAD")
    found = report(project, None, "change")
    assert (project.git("status", "--porcelain"), project.git("rev-parse", "HEAD")) == before
    return found


class Reader(HTMLParser):
    """What a reader sees: the text of the code, and the elements."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[str] = []
        self.elements: set[str] = set()
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.elements.add(tag)
        if tag == "code":
            self.codes.append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "code"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.codes[-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(MarkdownIt("commonmark").enable("table").render(page))
    return reader


def test_it_says_which_stages_ran_why_and_with_what_outcome(found: Changes) -> None:
    page = render(found)
    assert page.startswith(f"{MARKER}\n## 3 of 3 stages ran again, 2 with other outputs; 2 metrics")
    assert "| `make` | parameter `rows`: `10` → `15` | changed: `parts`, `table.parquet` |" in page
    assert "| `score` | data `table.parquet`, made by `make` | changed: " in page
    assert "| `same` | code `src/same.py` | the same bytes |" in page
    assert "Stale" not in page


def test_it_says_what_became_of_metrics_plots_and_data(found: Changes) -> None:
    page = render(found)
    assert "| `rows` | 10 | 15 | +5 (+50 %) |" in page
    assert "| `auc.low` | 0.1000 | 0.06667 | -0.033 (-33 %) |" in page
    assert "<summary>1 metric unchanged</summary>" in page
    assert '  x-axis "step" 0 --> 3\n' in page
    assert "  line [0, 0.1, 0.2, 0.3]\n  line [0, 0.0666667, 0.133333, 0.2]\n" in page
    assert "| `table.parquet` | changed |" in page
    assert "| 10 → 15 (+5) |" in page
    # Two files of 10 and 5 rows, then three of 15, 10 and 5.
    assert "| `parts` | 2 changed, 1 added, of 3 | 49 B → 96 B | 15 → 30 (+15) |" in page
    assert "- added: `2.csv`" in page
    assert "1 other unchanged" in page


def test_a_forgotten_push_is_named(found: Changes, project: Published) -> None:
    page = render(found)
    assert "> **Not on the remote: 6 of 7 objects** that this commit needs." in page
    assert "- missing: `curve.csv`, `parts`, `parts/0.csv`" in page
    whole = report(project, "main", "main")
    assert "All that this commit needs is there: 6 objects" in render(whole)


def test_what_the_store_did_not_give_is_told_from_what_is_missing(found: Changes) -> None:
    assert found.remote.pushed
    [finding, *_] = found.remote.pushed.findings
    unread = replace(finding, fault=ObjectFault("not checked", "the store does not return it"))
    pushed = replace(found.remote.pushed, missing=0, not_checked=1, findings=[unread])
    page = render(replace(found, remote=replace(found.remote, pushed=pushed)))
    assert "> **Not checked on the remote: 1 of 7 objects** that this commit needs." in page
    assert f"- not checked: `{finding.path}`" in page
    assert "On the remote:" not in page


def test_a_stage_that_was_not_run_again_is_named(project: Published) -> None:
    page = render(report(project, "change", "stale", use_remote=False))
    assert "## 1 of 3 stages ran again, none with other outputs; 3 metrics changed" in page
    assert (
        "> **Stale: `make`.** Not as they were when it ran: parameter `rows`: `15` → `16`.\n"
        in page
    )
    assert "> **Stale: `score`.**" in page
    said = "code `src/score.py`; data `table.parquet`, made by `make`; output `metrics.json`."
    assert said in page
    assert "Stale: `same`" not in page


def test_a_parameter_that_dvc_calls_new_makes_a_stage_stale(
    project: Published, tmp_path: Path
) -> None:
    """The lock file has `train.seed`; declaring all of `train` is another parameter for DVC."""
    root = tmp_path / "clone"
    project.git("clone", "-q", "--branch", "change", str(project.root), str(root))
    clone = Published(root, project.store, project.prefix)
    (root / "params.yaml").write_text("rows: 15\ntrain: {seed: 1}\n")
    flow, lock = root / "dvc.yaml", root / "dvc.lock"
    flow.write_text(flow.read_text().replace("    - rows\n", "    - rows\n    - train.seed\n"))
    lock.write_text(lock.read_text().replace("  rows: 15\n", "  rows: 15\n        train.seed: 1\n"))
    clone.commit("Declares the seed")
    assert "Stale" not in render(report(clone, "HEAD~1", "HEAD", use_remote=False))
    flow.write_text(flow.read_text().replace("train.seed", "train"))
    clone.commit("Declares the whole section")
    page = render(report(clone, "HEAD~1", "HEAD", use_remote=False))
    assert "**Stale: `make`.** Not as they were when it ran: parameter `train.seed`, new" in page
    assert Snapshot.at(clone.project, "HEAD").stale() == ["make"]


def test_a_package_of_another_version_is_named_with_the_stages_that_it_reran(
    project: Published, tmp_path: Path
) -> None:
    root = tmp_path / "clone"
    project.git("clone", "-q", "--branch", "change", str(project.root), str(root))
    clone = Published(root, project.store, project.prefix)
    flow, lock = root / "dvc.yaml", root / "dvc.lock"
    named = "    - rows\n    - packages.yaml: [scikit-learn]\n"
    flow.write_text(flow.read_text().replace("    - rows\n", named))
    recorded = lock.read_text()

    def locked(version: str) -> None:
        (root / "packages.yaml").write_text(f'scikit-learn: "{version}"\n')
        entry = f"  rows: 15\n      packages.yaml:\n        scikit-learn: '{version}'\n"
        lock.write_text(recorded.replace("  rows: 15\n", entry))

    locked("1.9")
    clone.commit("Names its package")
    locked("1.10")
    clone.commit("Another version")
    page = render(report(clone, "HEAD~1", "HEAD", use_remote=False))
    assert "| `make` | package `scikit-learn`: `1.9` → `1.10` | the same bytes |" in page
    assert "\n- Package `scikit-learn`, `1.9` → `1.10`: reran `make`\n\n### Metrics" in page
    assert "Stale" not in page
    (root / "packages.yaml").write_text('scikit-learn: "2.0"\n')
    clone.commit("Not run")
    page = render(report(clone, "HEAD~1", "HEAD", use_remote=False))
    assert (
        "**Stale: `make`.** Not as they were when it ran: package `scikit-learn`: `1.10` → `2.0`"
        in page
    )


def test_names_and_messages_are_never_markup(project: Published, found: Changes) -> None:
    reader = read(render(found))
    assert "Fifteen | rows, `thanks` <b>@all</b> #1" in reader.codes
    gone = render(report(project, "main", "main~0", use_remote=False))
    assert not read(gone).elements & {"i", "b", "em", "a"}
    assert not reader.elements & {"i", "b", "em", "a", "img", "script"}
    odd = replace(found.datasets[0], path=f"{ODD}\n\u202e*x*")
    reader = read(render(replace(found, datasets=[odd])))
    assert f"{ODD}\\n\\u202e*x*" in reader.codes
    assert not reader.elements & {"i", "em"}
    assert "table" in reader.elements


def test_no_part_of_the_report_takes_a_name_or_value_for_markup(found: Changes) -> None:
    odd = f"{ODD} *x* <script>\n## [a](http://b) \u202e"
    points = [Point(odd, 1.0, (odd,)), Point("b", 2.0, (odd,))]
    reasons = [Reason("code", odd, maker=odd), Reason("parameter", odd, texts=(odd, odd))]
    plot = Plot(odd, odd, odd, points, [Point(odd, 3.0, (odd,)), points[1]], has_changed=True)
    page = render(
        replace(
            found,
            pair=replace(found.pair, left=odd, subject=odd),
            packages=[PackageChange(odd, (odd, odd), [odd])],
            changed=[
                StageChange(odd, "ran again", reasons, {odd: "changed"}),
                StageChange("chance", "ran again", (), {odd: "new"}),
            ],
            stale=[StageChange(odd, "stale", reasons), StageChange(odd, "never ran")],
            metrics=[Metric(odd, odd, odd, 1), Metric(odd, f"{odd}same", odd, odd)],
            plots=[plot, replace(plot, before=None, after=None), replace(plot, has_changed=False)],
            unread=[Unread(odd, "before", "not at hand")],
            datasets=[replace(one, path=odd) for one in found.datasets],
            remote=replace(found.remote, pushed=None, why_not="<b>no reason</b>"),
        )
    )
    reader = read(page)
    assert not reader.elements & {"a", "b", "em", "i", "img", "script"}
    assert "\u202e" not in page
    assert sum(code.startswith(ODD) for code in reader.codes) > 30


def test_a_clone_without_data_reads_the_remote_or_says_that_it_did_not(
    project: Published, tmp_path: Path
) -> None:
    root = tmp_path / "clone"
    project.git("clone", "-q", str(project.root), str(root))
    write_private(root / ".env", (project.root / ".env").read_text())
    clone = Published(root, project.store, project.prefix)
    page = render(report(clone, "origin/main", "origin/change"))
    # What was pushed is read from the remote, what was not is nowhere.
    assert "| 10 → not at hand |" in page
    assert "| `parts` | 2 → 3, their names not at hand |" in page
    assert "Not compared: `curve.csv` (after the change, not at hand)." in page
    write_private(root / ".env", "")
    output, plots = tmp_path / "report.md", tmp_path / "plots"
    words = ("--base", "origin/main", "--head", "origin/change", "--output", str(output))
    bucket = str(TOOLS / "bucket")
    done = clone.clone.run(bucket, "report", *words, "--plots", str(plots))
    page = output.read_text()
    assert "Note: The remote was not queried: " in done.stderr
    assert "The remote was not queried: this report was made without a connection" in page
    assert "| `rows` | 10 | 15 | +5 (+50 %) |" in page
    assert str(tmp_path) not in page
    assert project.store.bucket not in page
    assert (plots / "index.html").is_file()
    page = render(report(clone, "origin/main", "origin/change", use_remote=False))
    assert "| not at hand |" in page
    assert "made without it (`--no-remote`)" in page


def test_the_page_of_plots_has_both_commits(project: Published, tmp_path: Path) -> None:
    page = render(report(project, "main", "change", use_remote=False, plots=tmp_path / "a" / "b"))
    assert "The page of `dvc plots diff` was written with this report." in page
    html = (tmp_path / "a" / "b" / "index.html").read_text()
    for title, rev in (("before", "main"), ("after", "change")):
        assert f"{title} {project.git('rev-parse', rev)[:7]}" in html
    assert str(tmp_path) not in html
    assert str(project.root) not in html


def test_a_comment_has_room_for_it(found: Changes) -> None:
    many = [
        Metric("metrics.json", f"{secrets.token_hex(40)}.{number}", number, number + 1.5)
        for number in range(5000)
    ]
    [parts] = [one for one in found.datasets if one.path == "parts"]
    names = [f"{secrets.token_hex(40)}.csv" for _ in range(200)]
    parts = replace(parts, files={"added": names, "removed": names})
    page = render(replace(found, metrics=many, datasets=[parts] * 900))
    assert MAX_PAGE_BYTES / 10 < len(page.encode()) <= MAX_PAGE_BYTES
    assert "and 4,9" in page
    assert "more paths" in page


def test_what_cannot_be_compared_is_wrong_usage(project: Published) -> None:
    with pytest.raises(RevisionError, match=r"already in main, the default branch.*--base HEAD~1"):
        report(project, None, "main")
    # What a branch has got since the change left it is no part of the change.
    ahead = project.git("commit-tree", "-p", "main", "-m", "Ahead", "stale^{tree}")
    pair = choose(project.project, ahead, "change")
    assert (pair.base, pair.commits) == (project.git("rev-parse", "main"), 1)
    assert pair.left == ahead
    done = project.clone.run(str(TOOLS / "bucket"), "report", "--base", "nothing", check=False)
    assert done.returncode == 2
    assert "Unknown revision nothing" in done.stderr


def test_before_the_project_there_was_nothing(project: Published) -> None:
    project.git("branch", "-q", "--force", "empty", project.git("commit-tree", "-m", "Empty", TREE))
    page = render(report(project, "empty", "main", use_remote=False))
    assert "| `make` | new | new: `parts`, `table.parquet` |" in page
    assert "| `table.parquet` | new | 533 B | 10 |" in page
    assert "| `rows` |  | 10 |  |" in page
    assert "New.\n" in page
    page = render(report(project, "main", "empty", use_remote=False))
    assert "| `make`, `score`, `same` | removed |  |" in page
