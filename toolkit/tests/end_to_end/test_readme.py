"""README.md is short, and its commands, pictures and answers hold."""

import operator
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.clones import Clone
from tests.end_to_end import recording
from tests.end_to_end.clones import REPOSITORY, own_code

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DOCS = REPOSITORY / "toolkit" / "docs"
QUESTIONS = (DOCS / "questions.md").read_text(encoding="utf-8")

SVG = f"{{{recording.NAMESPACE}}}"

#: Commands of the page that take minutes or make a project, and where a test types them.
TYPED_ELSEWHERE = {
    "make reproduce": ("end_to_end/conftest.py", 'clone.make("reproduce")'),
    "make test": ("template/projects.py", 'project.make("test")'),
    "make new DIR=../mine": ("template/projects.py", '"new", f"DIR={folder}"'),
    "make -C ../mine reproduce": ("template/projects.py", 'project.make("reproduce")'),
    "make check": ("golden/test_whole.py", 'project.make("check")'),
}


def block(heading: str) -> list[str]:
    """The commands below a heading, without their comments."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    [text] = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [line.partition("  #")[0].strip() for line in text.splitlines()]


def test_it_is_read_in_five_minutes() -> None:
    assert len(README.splitlines()) <= 120
    assert len(README.split()) <= 900


def test_what_it_gives_is_a_table_of_ten_rows_with_a_page_each() -> None:
    section = README.partition("\n## Beyond plain DVC\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 10
    assert all(re.search(r"\]\(toolkit/\S+\.md", row) for row in rows)


def test_each_command_is_typed_by_a_test() -> None:
    day = [line for line in block("Every day") if line != "make check"]
    everything = {line for part in re.findall(r"(?ms)^```sh\n(.*?)^```", README) for line in [part]}
    assert len(everything) == 3
    for command in {*block("Two commands"), *block("Your own project"), "make check"}:
        file, text = TYPED_ELSEWHERE[command]
        assert text in (REPOSITORY / "toolkit" / "tests" / file).read_text(encoding="utf-8")
    assert len(day) == 7  # test_a_day_as_the_page_has_it types these


@pytest.fixture(scope="module")
def colleague(reproduced: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone of a forge's repository on the first one's store, with nothing of the data."""
    folder = tmp_path_factory.mktemp("colleague")
    origin, root = folder / "origin.git", folder / "clone"
    reproduced.run("git", "clone", "-q", "--bare", str(reproduced.root), str(origin))
    reproduced.run("git", "clone", "-q", str(origin), str(root))
    for name in (".env", ".dvc/config.local"):
        if (reproduced.root / name).exists():
            shutil.copy(reproduced.root / name, root / name)
    (root / ".venv").symlink_to((reproduced.root / ".venv").resolve())
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Test"), ("EMAIL", "test@example.org"))
    }
    return Clone(root, reproduced.environment | who | {"PYTHONPATH": own_code(root)})


def test_a_day_as_the_page_has_it(colleague: Clone) -> None:
    day = [line for line in block("Every day") if line != "make check"]
    assert day[2] == "make reproduce"
    day.insert(2, recording.TYPED[1])
    as_it_is = 'make() { command make -o .venv/.installed "$@"; }'
    done = colleague.run("bash", "-c", "\n".join(["set -eux", as_it_is, *day]))
    assert re.findall(r"Running stage '(\w+)'", done.stdout) == ["evaluate", "report"]
    assert "<!-- bucket report -->" in done.stdout
    assert "resamples" in done.stdout.partition("<!-- bucket report -->")[2]
    assert "\nComplete: " in done.stdout
    assert colleague.run("git", "status", "--porcelain", "--branch").stdout.count("\n") == 1
    ahead = colleague.run("git", "rev-list", "--count", "@{upstream}..HEAD").stdout
    assert ahead == "0\n"


@pytest.mark.parametrize("name", ["life-of-data.svg", "recording.svg"])
def test_a_picture_is_small_asks_nobody_and_has_a_title(name: str) -> None:
    file = DOCS / name
    assert f"](toolkit/docs/{name})" in README
    assert file.stat().st_size < 300_000
    picture = ElementTree.parse(file).getroot()
    assert picture.tag == f"{SVG}svg"
    assert picture.find(f"{SVG}title") is not None
    text = file.read_text(encoding="utf-8").replace(recording.NAMESPACE, "")
    assert not re.search(r"https?:|@import|<script|href=", text)


def test_the_diagram_is_legible_on_a_light_and_on_a_dark_page() -> None:
    text = (DOCS / "life-of-data.svg").read_text(encoding="utf-8")
    light, _, dark = text.partition("prefers-color-scheme: dark")
    colours = {"page": r"\.page \{ fill: (#\w+)", "text": r"text \{ fill: (#\w+)"}
    for scheme in (light, dark):
        page, words = (_brightness(re.findall(find, scheme)[0]) for find in colours.values())
        assert (max(page, words) + 0.05) / (min(page, words) + 0.05) > 7


def _brightness(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1, by WCAG 2."""
    shares = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    ]
    return float(sum(map(operator.mul, (0.2126, 0.7152, 0.0722), linear)))


def recorded() -> list[tuple[str, list[str]]]:
    """Each command of the recording, and its lines."""
    root = ElementTree.parse(DOCS / "recording.svg").getroot()
    runs: list[tuple[str, list[str]]] = []
    for row in root.iter(f"{SVG}text"):
        line = row.text or ""
        if row.get("class") == "typed":
            runs.append((line.removeprefix("$ "), []))
        else:
            runs[-1][1].append(line)
    return runs


def test_the_recording_shows_what_the_main_job_prints(reproduced: Clone, first_output: str) -> None:
    [(typed, lines), *rest] = recorded()
    assert (typed, *(command for command, _ in rest)) == recording.TYPED
    assert lines == recording.kept(first_output, reproduced.root)
    assert [line for line in lines if "Running stage" in line]


TEN = (
    *("my own bucket", "my keys", "file is missing", "add a stage", "on Slurm", "DVC ends"),
    *("reviewer read", "cost", "update", "remove the example"),
)


@pytest.mark.parametrize("question", TEN)
def test_a_newcomers_question_is_two_clicks_away(question: str) -> None:
    assert "](toolkit/docs/questions.md)" in README
    answers = re.split(r"\n(?=\*\*)", QUESTIONS)
    [answer] = [text for text in answers if question in text.partition("?**")[0]]
    pages = re.findall(r"\]\(([\w./-]+\.md)", answer)
    assert pages
    assert all((DOCS / page).is_file() for page in pages)


def test_there_are_ten_questions() -> None:
    assert len(re.findall(r"^\*\*.+\?\*\*", QUESTIONS, re.MULTILINE)) == len(TEN)


def test_the_page_of_the_data_is_short() -> None:
    assert len(Path(REPOSITORY / "data/README.md").read_text(encoding="utf-8").split()) < 900
