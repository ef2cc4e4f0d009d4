"""A snapshot says what DVC says: in the workspace and at an earlier revision."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

from tests.patched.small_repos import CHAIN, FILES, Small, make, md5, paths


def test_a_stage_has_declared_and_recorded_content(repo: Callable[..., Small]) -> None:
    small = repo(**FILES)
    small.dvc("repro", "--quiet")
    first = small.save()
    small.write("in.txt", "two\n")
    small.write("params.yaml", "size: 2\n")
    small.write("dvc.yaml", CHAIN.replace("cp copy.txt last", "cp -f copy.txt last"))
    for rev, size in ((first, 1), (None, 2)):
        snapshot = small.at(rev)
        copy, last = snapshot.stages
        assert (copy.name, copy.title, copy.file, copy.folder) == ("copy", "copy", "dvc.yaml", ".")
        assert (copy.upstream, last.upstream) == ([], ["copy"])
        assert [(one.path, one.hash, one.hash_name, one.size) for one in copy.deps] == [
            ("in.txt", md5("one\n"), "md5", 4)
        ]
        assert [(one.path, one.hash) for one in last.outs] == [("last.txt", md5("one\n"))]
        assert not last.outs[0].is_directory
        params = copy.params["params.yaml"]
        assert (params.keys, params.locked, params.current) == (
            ["size"],
            {"size": 1},
            {"size": size},
        )
        assert last.run is not None
        assert last.run.command == "cp copy.txt last.txt"
        assert last.command_changed == (rev is None)
        assert (paths(last.run.reads), paths(last.run.writes)) == (["copy.txt"], ["last.txt"])
        assert snapshot.outs.keys() == {"copy.txt", "last.txt"}
        assert [run.name for run in snapshot.runs] == ["copy", "last"]


def test_a_run_keeps_what_dvc_yaml_no_longer_declares(repo: Callable[..., Small]) -> None:
    small = repo(**FILES)
    small.dvc("repro", "--quiet")
    first = small.save()
    small.write("dvc.yaml", "stages: {last: {cmd: cp in.txt new.txt, outs: [new.txt]}}\n")
    second = small.save()
    for rev in (None, second):
        (last,) = small.at(rev).stages
        assert (last.deps, paths(last.outs), last.outs[0].hash) == ([], ["new.txt"], "")
        assert last.run is not None
        assert (paths(last.run.reads), paths(last.run.writes)) == (["copy.txt"], ["last.txt"])
    assert list(small.stages(first)) == ["copy", "last"]


def test_foreach_and_matrix_have_a_stage_for_each_item(repo: Callable[..., Small]) -> None:
    flow = """
    stages:
      each:
        foreach: [a, b]
        do: {cmd: "echo ${item} >${item}.txt", desc: "Item ${item}", outs: ["${item}.txt"]}
      grid:
        matrix: {size: [1, 2], kind: [x]}
        cmd: echo ${item.size} >${item.kind}${item.size}
        deps: [a.txt]
        outs: ["${item.kind}${item.size}"]
    """
    small = repo(**{"dvc.yaml": flow})
    small.dvc("repro", "--quiet")
    first = small.save()
    small.write("dvc.yaml", dedent(flow).replace("[a, b]", "[a, b, c]"))
    earlier, now = small.stages(first), small.stages()
    assert sorted(earlier) == ["each@a", "each@b", "grid@1-x", "grid@2-x"]
    assert now.keys() - earlier.keys() == {"each@c"}
    assert now["each@c"].run is None
    assert not now["each@c"].is_recorded
    for found in (earlier, now):
        assert (found["each@b"].command, found["each@b"].description) == (
            "echo b >b.txt",
            "Item b",
        )
        assert paths(found["grid@2-x"].outs) == ["x2"]
        assert found["grid@2-x"].upstream == ["each@a"]
        assert found["grid@2-x"].outs[0].hash == md5("2\n")
        names = list(found)
        assert names.index("each@a") < names.index("grid@1-x")


def test_paths_are_from_the_root_for_any_wdir_and_dvc_yaml(repo: Callable[..., Small]) -> None:
    sub = """
    stages:
      inner:
        wdir: work
        cmd: cp ../../in.txt made.txt
        deps: [../../in.txt]
        params: [size, ../other.yaml: [depth]]
        outs: [made.txt]
    metrics: [m.json]
    """
    root = """
    stages:
      outer:
        cmd: cp sub/work/made.txt out.txt
        deps: [sub/work/made.txt]
        outs: [out.txt]
    """
    small = repo(
        **{"dvc.yaml": root, "sub/dvc.yaml": sub, "in.txt": "one\n", "sub/m.json": "{}\n"},
        **{"sub/work/params.yaml": "size: 1\n", "sub/other.yaml": "depth: 2\n"},
    )
    small.dvc("repro", "--quiet", "--all-pipelines")
    first = small.save()
    small.write("in.txt", "two\n")
    small.git("mv", "sub/other.yaml", "sub/moved.yaml")
    for rev, current in ((first, {"depth": 2}), (None, {})):
        snapshot = small.at(rev)
        inner, outer = snapshot.stages
        assert (inner.name, inner.title) == ("sub/dvc.yaml:inner", "sub:inner")
        assert (inner.file, inner.folder) == ("sub/dvc.yaml", "sub/work")
        assert (paths(inner.deps), paths(inner.outs)) == (["in.txt"], ["sub/work/made.txt"])
        assert inner.deps[0].hash == md5("one\n")
        assert inner.params.keys() == {"sub/work/params.yaml", "sub/other.yaml"}
        assert inner.params["sub/other.yaml"].current == current
        assert inner.run is not None
        assert inner.run.params == {
            "sub/work/params.yaml": {"size": 1},
            "sub/other.yaml": {"depth": 2},
        }
        assert (paths(inner.run.reads), inner.run.flow) == (["in.txt"], "sub/dvc.yaml")
        assert outer.upstream == ["sub/dvc.yaml:inner"]
        assert snapshot.metrics == ["sub/m.json"]


def test_vars_are_those_of_the_revision(repo: Callable[..., Small]) -> None:
    flow = """
    vars: [names.yaml, {suffix: csv}]
    stages:
      make:
        cmd: echo 1 >${name}.${suffix}
        outs: ["${name}.${suffix}": {cache: false, persist: true}]
    """
    small = repo(**{"dvc.yaml": flow, "names.yaml": "name: old\n"})
    small.dvc("repro", "--quiet")
    first = small.save()
    small.write("names.yaml", "name: new\n")
    for rev, name in ((first, "old"), (None, "new")):
        (make,) = small.at(rev).stages
        (out,) = make.outs
        assert (make.command, out.path) == (f"echo 1 >{name}.csv", f"{name}.csv")
        assert (out.is_cached, out.is_persistent, out.object_name) == (False, True, None)
        assert make.run is not None
        assert paths(make.run.writes) == ["old.csv"]


def test_a_frozen_stage_is_told(repo: Callable[..., Small]) -> None:
    small = repo(**FILES)
    small.dvc("repro", "--quiet")
    first = small.save()
    small.dvc("freeze", "copy")
    small.write("in.txt", "two\n")
    assert [one.is_frozen for one in small.at(first).stages] == [False, False]
    assert [one.is_frozen for one in small.at().stages] == [True, False]
    assert set(small.at().stale()) == small.status() == set()


def test_params_have_declared_locked_and_current_values(repo: Callable[..., Small]) -> None:
    flow = """
    stages:
      make:
        cmd: echo 1 >out
        params: [train.seed, gone, {whole.yaml: null}, {conf.json: [a]}]
        outs: [out]
    """
    small = repo(
        **{"dvc.yaml": flow, "whole.yaml": "x: 1\ny: {z: 2}\n", "conf.json": '{"a": 1, "b": 2}'},
        **{"params.yaml": "train: {seed: 1, rate: 2}\ngone: 3\n"},
    )
    small.dvc("repro", "--quiet")
    first = small.save()
    small.write("params.yaml", "train: {seed: 5}\n")
    small.write("whole.yaml", "x: 9\n")
    found = {rev: small.at(rev).stages[0].params for rev in (first, None)}
    for params in found.values():
        assert params["params.yaml"].keys == ["train.seed", "gone"]
        assert params["params.yaml"].locked == {"train.seed": 1, "gone": 3}
        assert params["whole.yaml"].keys == []
        assert params["whole.yaml"].locked == {"x": 1, "y": {"z": 2}}
        assert params["conf.json"].current == {"a": 1}
    assert found[first]["params.yaml"].current == {"train.seed": 1, "gone": 3}
    assert found[first]["whole.yaml"].current == {"x": 1, "y": {"z": 2}}
    assert found[None]["params.yaml"].current == {"train.seed": 5}
    assert found[None]["whole.yaml"].current == {"x": 9}


def test_added_and_imported_data_is_tracked(repo: Callable[..., Small], tmp_path: Path) -> None:
    origin = make(tmp_path / "origin", **{"data/set.csv": "1\n", "plain.txt": "2\n"})
    origin.dvc("add", "--quiet", "data/set.csv")
    origin.save()
    small = repo(**{"added.txt": "3\n", "parts/a": "4\n", "parts/b": "5\n"})
    small.dvc("add", "--quiet", "added.txt", "parts")
    small.dvc("import", "--quiet", str(origin.root), "data/set.csv", "-o", "set.csv")
    (tmp_path / "outside.txt").write_text("6\n")
    small.dvc("import-url", "--quiet", str(tmp_path / "outside.txt"), "url.txt")
    first = small.save()
    small.write("added.txt", "new\n")
    small.dvc("add", "--quiet", "added.txt")
    for rev, added in ((first, "3\n"), (None, "new\n")):
        snapshot = small.at(rev)
        tracked = {stage.name: stage for stage in snapshot.tracked}
        assert snapshot.stages == []
        assert tracked.keys() == {"added.txt.dvc", "parts.dvc", "set.csv.dvc", "url.txt.dvc"}
        imports = {name for name, stage in tracked.items() if stage.is_import}
        assert imports == {"set.csv.dvc", "url.txt.dvc"}
        assert tracked["added.txt.dvc"].outs[0].hash == md5(added)
        (parts,) = tracked["parts.dvc"].outs
        assert (parts.is_directory, parts.files, parts.size) == (True, 2, 4)
        assert parts.object_name is not None
        (imported,) = tracked["set.csv.dvc"].outs
        assert (imported.is_imported, imported.object_name) == (True, None)
        assert paths(tracked["set.csv.dvc"].deps) == [f"data/set.csv ({origin.root})"]
        assert paths(tracked["url.txt.dvc"].deps) == [str(tmp_path / "outside.txt")]
        assert tracked["url.txt.dvc"].outs[0].object_name is not None


def test_hashes_of_dvc_2_are_told_apart(repo: Callable[..., Small]) -> None:
    small = repo(**FILES | {"in.txt": "one\r\n"})
    small.dvc("repro", "--quiet")
    first = small.save()
    lock = small.root / "dvc.lock"
    text = lock.read_text().replace("      hash: md5\n", "").replace(md5("one\r\n"), md5("one\n"))
    lock.write_text(text)
    second = small.save()
    for rev, legacy in ((first, False), (second, True), (None, True)):
        copy, last = small.at(rev).stages
        assert {one.is_legacy for one in (*copy.deps, *copy.outs, *last.outs)} == {legacy}
        assert copy.run is not None
        assert {one.is_legacy for one in (*copy.run.reads, *copy.run.writes)} == {legacy}
        assert copy.run.reads == copy.deps
    assert small.at(second).stale() == []
    assert set(small.at().stale()) == small.status()  # the cache has no object of DVC 2


def test_artifacts_metrics_and_plots_are_those_of_the_revision(repo: Callable[..., Small]) -> None:
    flow = """
    stages:
      score:
        cmd: echo '{"auc":1}' >m.json; echo x >c.csv
        metrics: [m.json]
        plots: [c.csv]
    metrics: [top.json]
    plots: [c.csv, Loss: {x: {a.csv: step}, y: {b.csv: loss}}]
    artifacts:
      model: {path: m.bin, type: model, desc: The model, labels: [a], meta: {by: us}}
    """
    small = repo(**{"dvc.yaml": flow, "top.json": "{}\n"})
    first = small.save()
    small.write(
        "dvc.yaml", dedent(flow).replace("top.json", "other.json").replace("m.bin", "n.bin")
    )
    for rev, top, path in ((first, "top.json", "m.bin"), (None, "other.json", "n.bin")):
        snapshot = small.at(rev)
        assert snapshot.metrics == ["m.json", top]
        assert snapshot.plots == ["c.csv", "b.csv", "a.csv"]
        (model,) = snapshot.artifacts
        assert (model.name, model.file, model.path, model.type, model.description) == (
            *("model", "dvc.yaml"),
            *(path, "model", "The model"),
        )
        assert (model.labels, model.meta) == (["a"], {"by": "us"})


def test_threads_that_open_a_project_leave_the_umask_as_it_was(
    repo: Callable[..., Small], tmp_path: Path
) -> None:
    """DVC sets it to 0 for a moment while it opens a project."""
    small = repo(**FILES)
    small.at()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: small.at(), range(40)))
    (tmp_path / "mine").touch()
    assert not (tmp_path / "mine").stat().st_mode & stat.S_IWOTH
