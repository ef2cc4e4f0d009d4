"""What a crate says of a run that is known."""

import hashlib
from pathlib import Path
from typing import Any

from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.lock import entries
from dvc_bucket.jobs import provenance
from tests.bucket.git_tools import Repo
from tests.provenance import made, validator
from tests.provenance.conftest import read_graph

STORE = "s3://research-data/river-levels/files/md5"


def ids(value: Any) -> list[str]:
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def stored(content: bytes) -> str:
    md5 = dvc_hashes.of_bytes(content)
    return f"{STORE}/{md5[:2]}/{md5[2:]}"


def test_it_validates_and_every_reference_and_term_is_known(
    crate: Path, graph: dict[str, Any], tmp_path: Path
) -> None:
    assert validator.issues(crate, tmp_path / "cache.sqlite") == []
    assert validator.unknown_terms({"@graph": list(graph.values())}) == set()
    known = {*graph, "https://w3id.org/ro/crate/1.1"}
    for entity in graph.values():
        for key, value in entity.items():
            values = value if isinstance(value, list) else [value]
            assert {one["@id"] for one in values if isinstance(one, dict)} <= known, key
            assert value not in ("", [], None)


def test_a_stage_is_an_action_with_script_inputs_outputs_and_parameters(
    graph: dict[str, Any],
) -> None:
    action = graph["#run/clean"]
    assert action["name"] == "Stage clean: Typed tables"
    assert action["description"] == "python code/clean.py raw.csv table.csv"
    assert ids(action["instrument"]) == ["code/clean.py"]
    values = [
        f"#parameter/clean/params.yaml:clean.{name}" for name in ["limit", "on", "names", "of"]
    ]
    assert ids(action["object"]) == [stored(made.RAW), "code/clean.py", "code/lib/", *values]
    assert [(graph[one]["value"], kind(graph, one)) for one in values] == [
        ("3", "Integer"),
        ("true", "Boolean"),
        ('["a"]', "Text"),
        ("{}", "Text"),
    ]
    table, copy, parts = ids(action["result"])
    assert (table, copy) == (stored(made.TABLE), f"{stored(made.TABLE)}#copy.csv")
    assert graph[table]["contentSize"] == "6"
    assert graph[table]["md5"] == hashlib.md5(made.TABLE).hexdigest()
    listed = graph[parts]["distribution"]["@id"]
    assert graph[listed]["contentUrl"] == parts.removesuffix("/")
    assert graph[parts]["identifier"] == f"md5:{made.folder('', {'1': made.RAW})['md5']}"


def test_the_packages_of_a_stage_are_what_its_script_requires(graph: dict[str, Any]) -> None:
    needed = ids(graph["code/clean.py"]["softwareRequirements"])
    assert [(graph[one]["name"], graph[one]["softwareVersion"]) for one in needed] == [
        ("numpy", "2.1"),
        ("scikit-learn", "1.10"),
    ]
    assert graph[needed[0]]["@type"] == "SoftwareApplication"
    assert not [one for one in graph if one.startswith("#parameter/clean/packages.yaml")]


def kind(graph: dict[str, Any], value: str) -> str:
    found: str = graph[graph[value]["exampleOfWork"]["@id"]]["additionalType"]
    return found


def test_what_git_has_is_in_the_crate_with_its_hashes(crate: Path, graph: dict[str, Any]) -> None:
    script = graph["code/clean.py"]
    assert script["sha256"] == hashlib.sha256(made.SCRIPT).hexdigest()
    assert script["@type"] == ["File", "SoftwareSourceCode"]
    assert script["runtimePlatform"] == "Python >=3.12"
    assert ids(graph["code/lib/"]["hasPart"]) == ["code/lib/a.py", "code/lib/deep/b.py"]
    assert (crate / "code/lib/deep/b.py").read_bytes() == made.LIBRARY["deep/b.py"]
    assert ids(graph["#run/plot@one"]["result"])[0] == "one.txt"
    assert not (crate / ".env").exists()


def test_what_is_on_no_remote_has_no_address(graph: dict[str, Any]) -> None:
    local = ids(graph["#run/plot@one"]["result"])[1]
    assert local == f"#local-one.bin/{dvc_hashes.of_bytes(made.PLOT)}"
    assert local not in ids(graph["./"]["hasPart"])


def test_steps_are_in_an_order_in_which_they_could_run(graph: dict[str, Any]) -> None:
    steps = ids(graph["dvc.yaml"]["step"])
    assert steps == ["dvc.yaml#clean", "dvc.yaml#plot@one", "dvc.yaml#plot@two"]
    assert [graph[step]["position"] for step in steps] == ["1", "2", "3"]
    assert graph["dvc.yaml#plot@two"]["description"] == "A figure"
    tool = graph[graph["#run/plot@one"]["instrument"]["@id"]]
    assert (tool["@type"], tool["name"]) == ("SoftwareApplication", "wc")
    whole = graph["#run"]
    inputs = ["packages.yaml", stored(made.RAW), "code/clean.py", "code/lib/"]
    assert ids(whole["object"]) == inputs
    assert ids(graph["#dvc"]["object"]) == [f"#control/{one.split('#')[1]}" for one in steps]
    assert graph["https://dvc.org"]["softwareVersion"] == "3.67.1"


def test_people_licences_and_code_are_as_the_papers_say(repo: Repo, graph: dict[str, Any]) -> None:
    root = graph["./"]
    assert root["name"] == "Fares: how they came about"
    assert root["datePublished"] == repo.git("show", "-s", "--format=%cI").stdout.strip()
    assert ids(root["license"]) == ["https://spdx.org/licenses/Apache-2.0"]
    person, group = (graph[one] for one in ids(root["author"]))
    assert person["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert (person["givenName"], person["familyName"]) == ("Ada", "van der Veen")
    assert graph[person["affiliation"]["@id"]]["name"] == "Example Institute"
    assert (group["@type"], group["name"]) == ("Organization", "The fares group")
    raw = graph[stored(made.RAW)]
    assert ids(raw["license"]) == ["https://spdx.org/licenses/CC-BY-4.0"]
    assert raw["description"] == "From: A ministry."
    code = graph[root["isBasedOn"]["@id"]]
    assert code["@id"] == f"https://github.com/example/fares/commit/{repo.head}"
    assert code["identifier"] == f"swh:1:rev:{repo.head}"
    blob = f"https://github.com/example/fares/blob/{repo.head}/code/clean.py"
    assert graph["code/clean.py"]["url"] == blob
    assert "agent" not in graph["#run"]
    assert "endTime" not in graph["#run"]


def test_a_record_that_does_not_fit_the_commit_is_told_not_hidden(
    repo: Repo, tmp_path: Path
) -> None:
    repo.git("checkout", "-q", "-b", "stale")
    repo.add("code/clean.py", "print('other')\n")
    lock = (repo.root / "dvc.lock").read_text()
    table = dvc_hashes.of_bytes(made.TABLE)
    at = lock.index(table)  # what `plot@one` read
    repo.add("dvc.lock", lock[:at] + dvc_hashes.of_bytes(b"older") + lock[at + len(table) :])
    repo.commit("--no-verify")
    written = provenance.write(repo.project, "HEAD", tmp_path / "crate")
    repo.git("checkout", "-q", "-")
    assert written.notes == [
        "The content of code/clean.py in this commit differs from the content in the last run of "
        "the stage clean.",
        "The last run of the stage plot@one used a table.csv that differs from the last output of "
        "the stage clean.",
    ]
    graph = read_graph(tmp_path / "crate")
    ran = graph[graph["#run/clean"]["instrument"]["@id"]]
    assert ran["md5"] == dvc_hashes.of_bytes(made.SCRIPT)
    assert "sha256" not in ran
    assert ran["@id"].startswith("#code/clean.py/")
    page = (tmp_path / "crate/ro-crate-preview.html").read_text()
    assert "The content of code/clean.py in this commit differs" in page


IMPORTED_DVC = """\
frozen: true
deps:
- path: raw.csv
  repo: {{url: https://example.org/data.git, rev_lock: "0123456789012345678901234567890123456789"}}
outs:
- md5: {md5}
  size: 4
  hash: md5
  path: raw.csv
"""


def test_stages_and_data_are_those_that_dvc_knows(repo: Repo, tmp_path: Path) -> None:
    """Not what `dvc.lock` keeps of a removed stage; not an address that `dvc push` never fills."""
    repo.git("checkout", "-q", "-b", "declared")
    lock = made.lock()
    lock["stages"]["removed"] = {"cmd": "true", "outs": [made.item("old.csv", b"old\n")]}
    lock["stages"]["clean"]["params"]["params.yaml"]["clean"]["limit"] = 0.5
    repo.add("dvc.lock", entries.write(lock))
    repo.add("raw.csv.dvc", IMPORTED_DVC.format(md5=dvc_hashes.of_bytes(made.RAW)))
    repo.commit("--no-verify")
    written = provenance.write(repo.project, "HEAD", tmp_path / "crate")
    repo.git("checkout", "-q", "-")
    assert written.stages == 3
    graph = read_graph(tmp_path / "crate")
    assert "#run/removed" not in graph
    assert kind(graph, "#parameter/clean/params.yaml:clean.limit") == "Float"
    raw = ids(graph["#run/clean"]["object"])[0]
    assert raw == f"#raw.csv/{dvc_hashes.of_bytes(made.RAW)}"
