"""What a project of the template consists of: its files, and whose names are in them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dvc_bucket import Project
from dvc_bucket.connection import named_files
from tests.end_to_end.clones import REPOSITORY
from tests.template.conftest import VERSION
from tests.template.projects import files_below, is_executable, render

EVERY = f"""
    .ci/packages .ci/run .copier-answers.yml .dvc/.gitignore .dvc/config .dvcignore .editorconfig
    .env.example .gitattributes .gitignore .pre-commit-config.yaml CITATION.cff LICENSE Makefile
    README.md data/README.md dvc.lock dvc.yaml packages.yaml params.yaml pyproject.toml
    requirements-dev.lock requirements.lock src/pipeline/__init__.py tests/__init__.py
    tests/test_clean.py tests/test_dvc_yaml.py
    vendor/dvc_bucket-{VERSION}-py3-none-any.whl vendor/pin.txt
"""
KIND = {
    "skeleton": """
        data/raw/measurements.csv reports/summary.json src/pipeline/clean.py src/pipeline/page.py
        src/pipeline/summary.py tests/test_summary.py
    """,
    "example": """
        reports/metrics.json reports/training.json src/pipeline/clean.py src/pipeline/evaluate.py
        src/pipeline/features.py src/pipeline/fetch.py src/pipeline/figures.py
        src/pipeline/models.py src/pipeline/params.py src/pipeline/publish.py src/pipeline/raw.py
        src/pipeline/raw_schemas.py
        src/pipeline/report.html.j2 src/pipeline/report.py src/pipeline/schemas.py
        src/pipeline/scores.py src/pipeline/summary.py src/pipeline/train.py
        src/pipeline/validate.py tests/pipeline_tools.py tests/test_features.py
        tests/test_models.py tests/test_params.py tests/test_publish.py tests/test_report.py
        tests/test_scale.py tests/test_scores.py tests/test_stage.py tests/test_train.py
        tests/test_validate.py
    """,
}
FORGE = {
    "github": ".ci/comment.py .github/workflows/reproduce.yml",
    "gitlab": ".ci/comment.py .gitlab-ci.yml",
    "both": ".ci/comment.py .github/workflows/reproduce.yml .gitlab-ci.yml",
    "none": "",
}
SLURM = """
    cluster/dask.sbatch cluster/dask.yaml cluster/job.sh cluster/reach.py cluster/reproduce.sbatch
    cluster/send.sh cluster/tls.py cluster/worker.sh
"""

#: Names of the example and of this repository, which no other project has.
FOREIGN = re.compile(r"flight|nyc|research-data|127\.0\.0\.1:8333|# template: ", re.IGNORECASE)

#: Where the embedded store's address belongs: the job of CI that serves one.
EMBEDDED_JOB = re.compile(r"OS_ENDPOINT_URL(:\s|=)http://127\.0\.0\.1:8333")

#: A project of somebody else: nothing in it is called as in the example.
ANSWERS = {
    "project_name": "river-atlas",
    "endpoint": "https://s3.example.org",
    "bucket": "lab-data",
    "prefix": "atlas/river",
}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.suffix != ".whl" else ""


@pytest.mark.parametrize("slurm", [False, True], ids=["", "slurm"])
@pytest.mark.parametrize("forge", FORGE)
@pytest.mark.parametrize("kind", KIND)
def test_a_project_has_these_files_and_no_foreign_name(
    template: Path, tmp_path: Path, kind: str, forge: str, slurm: bool
) -> None:
    answers = {"kind": kind, "forge": forge, "slurm": slurm}
    files = files_below(render(template, tmp_path / "mine", **answers, **ANSWERS))
    expected = f"{EVERY} {KIND[kind]} {FORGE[forge]} {SLURM if slurm else ''}"
    assert set(files) == set(expected.split())
    for name, path in files.items():
        found = FOREIGN.findall(EMBEDDED_JOB.sub("", text_of(path)))
        if kind == "example":  # it is about flights; its name, bucket and address are not its own
            found = [word for word in found if word.lower() not in ("flight", "nyc")]
            found += re.findall("flight-delays", text_of(path))
        assert not found, name


def test_a_skeleton_is_small(template: Path, tmp_path: Path) -> None:
    files = files_below(render(template, tmp_path / "mine"))
    assert len(files) < 40
    page = text_of(REPOSITORY / "toolkit/docs/own-project.md")
    assert f"{len(files)} files, all green at once" in page
    # A group's own: what it reads and changes. An update brings the rest.
    own = ("src/", "tests/", "data/", "README.md", "params.yaml", "dvc.yaml", "pyproject.toml")
    lines = {
        name: text_of(path).count("\n") for name, path in files.items() if name.startswith(own)
    }
    assert sum(lines.values()) < 600
    assert lines["src/pipeline/clean.py"] < 40
    assert lines["src/pipeline/summary.py"] < 40


def without_what_is_only_here(text: str) -> str:
    """A file of the root as a project of the example has it, but for the names."""
    text = re.sub(r"(?ms)^[^\n]*# template: only here\n.*?# template: end\n", "", text)
    text = re.sub(r"(?m)^[^\n]*# template: (example|end)\n", "", text)
    return re.sub(r"\[([^\]\n]+)\]\((?:\.\./)?toolkit/[^)\n]*\)", r"\1", text)


#: What a project has a version of its own of.
OWN = {".ci/run", ".copier-answers.yml", ".gitattributes", "CITATION.cff", "README.md"}


def test_the_example_is_this_repository_where_no_name_stands(
    template: Path, tmp_path: Path
) -> None:
    names = {"project_name": "flight-delays", "bucket": "research-data", "prefix": "flight-delays"}
    answers = {
        "kind": "example",
        "forge": "both",
        "slurm": True,
        "endpoint": "http://127.0.0.1:8333",
    }
    files = files_below(render(template, tmp_path / "mine", **answers, **names))
    for name, path in files.items():
        if name in OWN or name.startswith(("vendor/", "requirements")):
            continue
        here = REPOSITORY / name
        assert text_of(path) == without_what_is_only_here(text_of(here)), name
        assert is_executable(path) == is_executable(here), name


def test_a_project_differs_from_another_in_its_names_alone(template: Path, tmp_path: Path) -> None:
    first = files_below(render(template, tmp_path / "mine", kind="example", **ANSWERS))
    other = ANSWERS | {"project_name": "lab-data", "prefix": "lab-data"}  # as the bucket
    second = files_below(render(template, tmp_path / "other", kind="example", **other))
    assert set(first) == set(second)
    for name in first:
        if name != ".copier-answers.yml":
            text = text_of(first[name]).replace("atlas/river", "lab-data")
            assert text.replace("river-atlas", "lab-data") == text_of(second[name]), name
    assert "url = s3://lab-data/atlas/river\n" in text_of(first[".dvc/config"])


@pytest.mark.parametrize("kind", KIND)
def test_make_init_finds_the_names_and_writes_others(
    template: Path, tmp_path: Path, kind: str
) -> None:
    project = Project(render(template, tmp_path / "mine", kind=kind, **ANSWERS))
    names = named_files.current(project)
    assert (names.project, names.bucket, names.prefix) == ("river-atlas", "lab-data", "atlas/river")
    for file, found in named_files.named(project).items():
        assert found.with_defaults(names) == names, file
    for path, (_, text) in named_files.rewritten(project, replace(names, project="sea")).items():
        path.write_text(text)
    left = [
        name for name, path in files_below(project.root).items() if "river-atlas" in text_of(path)
    ]
    assert left == [".copier-answers.yml"]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
@pytest.mark.parametrize("kind", KIND)
def test_a_lock_file_is_that_of_the_kind_and_the_wheel(
    template: Path, tmp_path: Path, kind: str, lock: str
) -> None:
    files = files_below(render(template, tmp_path / "mine", kind=kind))
    pin = text_of(files["vendor/pin.txt"]).replace(" --hash", " \\\n    --hash")
    head, text = "--find-links vendor\n\n", text_of(files[lock])
    assert text.startswith(head)
    assert text.removeprefix(head).replace(pin, "") == text_of(
        REPOSITORY / f"template/{kind}/{lock}"
    )


@pytest.mark.parametrize(
    ("licence", "first_line"),
    [
        ("MIT", "MIT License"),
        ("BSD-3-Clause", "BSD 3-Clause License"),
        ("Apache-2.0", "Apache License"),
    ],
)
def test_the_licence_names_the_author(
    template: Path, tmp_path: Path, licence: str, first_line: str
) -> None:
    answers = {"licence": licence, "author": "The O'Neill lab", "orcid": "0000-0002-1825-0097"}
    files = files_below(render(template, tmp_path / "mine", **answers))
    text = text_of(files["LICENSE"])
    assert text.lstrip().startswith(f"{first_line}\n")
    assert re.search(r"Copyright .*20\d\d The O'Neill lab\n", text)
    assert f'license = "{licence}"\n' in text_of(files["pyproject.toml"])
    assert "orcid: https://orcid.org/0000-0002-1825-0097\n" in text_of(files["CITATION.cff"])


@pytest.mark.parametrize(
    ("author", "line"),
    [
        ("The river-atlas contributors", "  - name: The river-atlas contributors\n"),
        ("No", '  - name: "No"\n'),
        ("Zoë: a lab", '  - name: "Zoë: a lab"\n'),
    ],
)
def test_the_author_is_text_whatever_the_name(
    template: Path, tmp_path: Path, author: str, line: str
) -> None:
    files = files_below(render(template, tmp_path / "mine", author=author, orcid=""))
    assert line in text_of(files["CITATION.cff"])
    [entry] = YAML(typ="safe").load(files["CITATION.cff"])["authors"]
    assert entry == {"name": author}


def test_a_project_without_a_licence_says_nothing_of_one(template: Path, tmp_path: Path) -> None:
    files = files_below(render(template, tmp_path / "mine", licence="none"))
    assert "LICENSE" not in files
    assert "license" not in text_of(files["pyproject.toml"]).replace("the licence of each", "")
    assert "license" not in text_of(files["CITATION.cff"])


def test_git_lfs_takes_the_figures(template: Path, tmp_path: Path) -> None:
    files = files_below(render(template, tmp_path / "mine", lfs=True))
    assert "figures/** filter=lfs diff=lfs merge=lfs -text\n" in text_of(files[".gitattributes"])
    assert "bucket lfs setup" in text_of(files["README.md"])
