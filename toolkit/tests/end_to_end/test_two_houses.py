"""The root is the project that a group owns; `toolkit/` is what it installs, and `template/`, with
`copier.yml`, is how another project is made of it.
"""

import subprocess
from pathlib import PurePosixPath

from tests.end_to_end.clones import REPOSITORY

#: Every file outside `toolkit/` and `template/`, and whose it is.
PROJECT = """
    README.md CONTRIBUTING.md SECURITY.md LICENSE CITATION.cff Makefile pyproject.toml
    requirements.lock
    requirements-dev.lock
    .editorconfig .gitattributes .gitignore .dvcignore .env.example .dvc/.gitignore .dvc/config
    dvc.yaml dvc.lock packages.yaml params.yaml
    data/README.md reports/metrics.json reports/training.json
"""
ANALYSIS = """
    src/pipeline/__init__.py src/pipeline/clean.py src/pipeline/evaluate.py
    src/pipeline/features.py src/pipeline/fetch.py src/pipeline/figures.py
    src/pipeline/models.py src/pipeline/params.py src/pipeline/publish.py src/pipeline/raw.py
    src/pipeline/raw_schemas.py
    src/pipeline/report.html.j2 src/pipeline/report.py src/pipeline/schemas.py
    src/pipeline/scores.py src/pipeline/summary.py src/pipeline/train.py
    src/pipeline/validate.py tests/__init__.py tests/pipeline_tools.py tests/test_clean.py
    tests/test_dvc_yaml.py tests/test_dvc_yaml.py tests/test_dvc_yaml.py tests/test_features.py
    tests/test_models.py tests/test_params.py tests/test_publish.py tests/test_report.py
    tests/test_scale.py tests/test_scores.py tests/test_stage.py tests/test_train.py
    tests/test_validate.py
"""
CLUSTER = """
    cluster/dask.sbatch cluster/dask.yaml cluster/job.sh cluster/reach.py cluster/reproduce.sbatch
    cluster/send.sh cluster/tls.py cluster/worker.sh
"""
FORGE = """
    .ci/comment.py .ci/packages .ci/run .github/workflows/reproduce.yml .gitlab-ci.yml
    .pre-commit-config.yaml .github/ISSUE_TEMPLATE/fault.md .github/pull_request_template.md
    .gitlab/issue_templates/fault.md .gitlab/merge_request_templates/default.md
"""


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    names = filter(None, listed.stdout.split("\0"))
    return [name for name in names if (REPOSITORY / name).is_file()]


def test_the_files_outside_the_toolkit_are_these() -> None:
    outside = {name for name in tracked() if not name.startswith(("toolkit/", "template/"))}
    outside.remove("copier.yml")
    assert outside == {*PROJECT.split(), *ANALYSIS.split(), *CLUSTER.split(), *FORGE.split()}
    assert len(outside) < 90


def test_the_root_folder_has_no_other_folders() -> None:
    folders = {PurePosixPath(name).parts[0] for name in tracked() if "/" in name}
    assert folders == {
        *(".ci", ".dvc", ".github", ".gitlab", "cluster", "data", "reports", "src", "template"),
        *("tests", "toolkit"),
    }


def test_the_toolkit_names_nothing_of_the_example() -> None:
    for path in (REPOSITORY / "toolkit" / "src").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            assert b"flight" not in path.read_bytes().lower(), path
