"""`except BucketError` catches all that public functions raise, each failure one sentence."""

import ast
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

import dvc_bucket
from dvc_bucket import (
    BucketError,
    Project,
    Settings,
    copy_to,
    count_objects,
    download,
    errors,
    iter_samples,
    open_dataset,
    open_file,
    stored_sha256,
    upload,
)
from dvc_bucket.jobs.provenance import write
from dvc_bucket.read.copied_record import NAME
from tests import TESTS_ROOT
from tests.failures.project import DAYS, NOTES, WRONG, forget, publish
from tests.stores.access import StoreAccess
from tests.stores.fault_proxy import FaultProxy
from tests.stores.faults import Faults
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

DOCS, SOURCES = TESTS_ROOT / "docs" / "api.md", TESTS_ROOT / "src"

#: The public functions that read data, each in a clone without any, which is the current folder.
READS: dict[str, Callable[[Published, Path], Any]] = {
    "open_dataset": lambda _, __: open_dataset("table.parquet", rev="HEAD").to_table(),
    "of many files": lambda _, __: open_dataset("many", rev="HEAD").to_table(),
    "of csv": lambda _, __: open_dataset("codes.csv", rev="HEAD").to_table(),
    "proven": lambda _, __: open_dataset("table.parquet", proven="full"),
    "open_file": lambda _, __: open_file("notes.bin", rev="HEAD").read(),
    "iter_samples": lambda _, __: list(iter_samples("shards", rev="HEAD")),
    "of a tar": lambda _, __: list(iter_samples("tars", rev="HEAD")),
    "of files": lambda _, __: list(iter_samples("texts", rev="HEAD")),
    "copy_to": lambda _, out: copy_to(["many", "codes.csv"], out),
    "of an object": lambda made, out: copy_to([f"s3://{made.store.bucket}/{notes_of(made)}"], out),
    "download": lambda made, out: download(notes_of(made), out, sha256="0" * 64),
    "provenance": lambda made, out: write(made.project, "HEAD", out, data=["codes.csv"]),
}

#: Those to which it does not matter what is in the bucket.
OTHERS: dict[str, Callable[[Published, Path], Any]] = {
    "upload": lambda made, _: upload(made.project.dvc_config, f"{made.prefix}/new"),
    "stored_sha256": lambda made, _: stored_sha256(f"{made.prefix}/new"),
    "count_objects": lambda made, _: count_objects(made.prefix),
    "copy_to the bucket": lambda made, _: copy_to(
        ["CITATION.cff"], f"s3://{made.store.bucket}/{made.prefix}/"
    ),
}


def notes_of(made: Published) -> str:
    oid = md5(NOTES).hexdigest()
    return f"{made.prefix}/files/md5/{oid[:2]}/{oid[2:]}"


@pytest.fixture(scope="module")
def seaweed(request: pytest.FixtureRequest) -> StoreAccess:
    return access(request, "seaweed")


@pytest.fixture(scope="module")
def made(seaweed: StoreAccess, tmp_path_factory: pytest.TempPathFactory) -> Published:
    project = empty(tmp_path_factory.mktemp("failures") / "project", seaweed)
    publish(project)
    forget(project)
    return project


@pytest.fixture
def here(made: Published, monkeypatch: pytest.MonkeyPatch) -> Published:
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("OS_RETRY_SECONDS", "1")
    return made


def is_sentence(error: BucketError) -> bool:
    """Whether a person can read it: one paragraph, no answer of the store, no secret."""
    text = str(error)
    return "\n" not in text and "<?xml" not in text and "Debug" not in text and WRONG not in text


@pytest.mark.parametrize("day", DAYS)
def test_one_family_of_errors(here: Published, day: str, tmp_path: Path) -> None:
    asked = READS if DAYS[day].change else READS | OTHERS

    def outcome(name: str) -> Any:
        try:
            return asked[name](here, tmp_path / name)
        except BucketError as error:
            return None if is_sentence(error) else str(error)
        except Exception as error:
            return repr(error)

    with DAYS[day].of(here), ThreadPoolExecutor(16) as threads:
        outcomes = dict(zip(asked, threads.map(outcome, asked), strict=True))
    assert {name: found for name, found in outcomes.items() if found is not None} == {}
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != NAME]
    assert left == []


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("fault", ["refused", "down"])
def test_a_store_that_fails_after_a_file_was_opened(
    store: Project, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultProxy(Settings.load(store).port) as proxy:
        monkeypatch.setenv("OS_ENDPOINT_URL", proxy.url)
        monkeypatch.setenv("OS_CACERT", "")
        table = open_dataset("table.parquet", rev="HEAD")
        file = open_file("notes.bin", rev="HEAD")
        if fault == "refused":
            proxy.faults = Faults("status", every=1, status=403)
        else:
            proxy.go_down(60)
        for read in (table.to_table, file.read):
            with pytest.raises(BucketError) as caught:
                read()
            assert is_sentence(caught.value)


def classes() -> list[tuple[str, str, str]]:
    """Every class of the family: its name, what it is, the sentence of its docstring."""
    found: dict[str, tuple[str, str]] = {"BucketError": ("Exception", "")}
    nodes = [
        node
        for path in sorted(SOURCES.rglob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.bases
    ]
    while new := [
        node for node in nodes if ast.unparse(node.bases[0]) in found and node.name not in found
    ]:
        for node in new:
            sentence = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
            found[node.name] = (ast.unparse(node.bases[0]), sentence)
    return [(name, *rest) for name, rest in sorted(found.items()) if name != "BucketError"]


def test_the_page_has_a_table_of_all_classes() -> None:
    rows = [f"| `{name}` | `{base}` | {said} |" for name, base, said in classes()]
    table = DOCS.read_text(encoding="utf-8").partition("## `dvc_bucket.errors`")[2]
    assert [
        line for line in table.partition("\n## ")[0].splitlines() if line.startswith("| `")
    ] == rows


def test_what_functions_raise_is_public() -> None:
    known = {name for name, _, _ in classes()} | {"BucketError"}
    public = {name for name in dir(errors) if name.endswith("Error")}
    assert public <= known
    raised = set()
    for name in dvc_bucket.__getattr__("__all__"):
        raised |= set(re.findall(r"\b([A-Z]\w+Error)\b", getattr(dvc_bucket, name).__doc__ or ""))
    assert raised & known <= public
