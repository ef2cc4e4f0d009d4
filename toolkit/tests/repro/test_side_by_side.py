"""Stages at the same time: room, Ctrl-C, output, and `dvc` inside a stage."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.lock import entries
from dvc_bucket.stages import commands
from dvc_bucket.stages.commands.needs import Needs, Room, read
from dvc_bucket.stages.commands.slurm import SlurmRunner
from tests.patched.small_repos import Small
from tests.repro.forked import Forks

#: Longer than the commands of these tests take to begin, on a loaded machine.
SECONDS = 60

#: Two stages that meet: each ends when it sees the other.
MEET = "touch {me}.here; while [ ! -e {other}.here ]; do sleep 0.05; done; echo {me} > {me}.txt"


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as running:
        yield running


def flow(**commands: str) -> str:
    """A pipeline of stages that need nothing, each with an output of its name."""
    stages = "".join(
        f"  {name}:\n    cmd: {command}\n    outs: [{name}.txt]\n"
        for name, command in commands.items()
    )
    return f"stages:\n{stages}"


def recorded(root: Path) -> list[str]:
    file = root / "dvc.lock"
    return list(entries.stages(entries.read(file.read_text()))) if file.exists() else []


def test_independent_stages_run_at_once(repo: Callable[..., Small], forks: Forks) -> None:
    """Also the output of each is in one piece."""
    meet = {
        me: f"echo {me}1; {MEET.format(me=me, other=other)}; echo {me}2"
        for me, other in ("ab", "ba")
    }
    small = repo(**{"dvc.yaml": flow(**meet)})
    status, said = forks.run(small.root, "repro", jobs=2)
    assert status == 0
    assert "Output of stage 'a':\na1\na2\n" in said
    assert "Output of stage 'b':\nb1\nb2\n" in said
    assert recorded(small.root) == ["a", "b"]


def test_room_is_never_exceeded() -> None:
    room = Room(3, Needs(4, 10e9))
    assert room.take("a", read("a", {"memory": "6GB", "cpus": 2, "reads": "x"}))
    assert not room.take("b", read("b", {"memory": "5 GB"}))
    assert not room.take("b", read("b", {"cpus": 2.5}))
    assert room.take("b", read("b", {"memory": "4GB", "cpus": 2}))
    assert room.take("c", read("c", None))
    assert not room.take("d", read("d", None))
    for name in "abcc":
        room.give(name)
    assert room.take("huge", read("huge", {"memory": "1TB"}))  # alone
    assert not room.take("d", Needs())


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"memory": "much"}, "`meta: memory` is 'much'. Write a number with KB, MB, GB or TB"),
        ({"memory": -1}, "`meta: memory` is -1."),
        ({"cpus": "2"}, "`meta: cpus` is '2'. Write a number of CPUs"),
        ({"cpus": True}, "`meta: cpus` is True."),
    ],
)
def test_needs_that_are_no_amount_are_refused(meta: object, said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        read("train", meta)
    assert said in str(caught.value)
    assert str(caught.value).startswith("dvc.yaml, stage train: ")


def test_the_stages_of_a_group_need_the_same(tmp_path: Path) -> None:
    runner = SlurmRunner(1, tmp_path, ())
    for stage, group, cpus in (("a", "small", 1), ("b", "small", 1), ("c", "large", 2)):
        runner.check(stage, {"group": group, "cpus": cpus})
    with pytest.raises(ProjectError, match="stages a and d are both in the group small"):
        runner.check("d", {"group": "small", "cpus": 2})
    with pytest.raises(ProjectError, match=r"stage e: `meta: group` is 1\. Write a name"):
        runner.check("e", {"group": 1})


def test_a_run_with_needs_that_are_no_amount_begins_nothing(
    repo: Callable[..., Small], forks: Forks
) -> None:
    text = flow(a="echo > a.txt", b="echo > b.txt") + "    meta: {cpus: all}\n"
    small = repo(**{"dvc.yaml": text})
    status, said = forks.run(small.root, "repro", jobs=2)
    assert status == 255
    assert said == (
        "ERROR: dvc.yaml, stage b: `meta: cpus` is 'all'. Write a number of CPUs, as in "
        "`cpus: 2`.\n"
    )


def test_dvc_works_inside_a_stage(repo: Callable[..., Small], forks: Forks) -> None:
    inner = f"{sys.executable} -m dvc status -q in.txt.dvc; {MEET}"
    meet = {me: inner.format(me=me, other=other) for me, other in ("ab", "ba")}
    small = repo(**{"dvc.yaml": flow(**meet), "in.txt": "in\n"})
    assert forks.run(small.root, "add", "-q", "in.txt")[0] == 0
    assert forks.run(small.root, "repro", jobs=2)[0] == 0
    assert recorded(small.root) == ["a", "b"]


def test_with_plain_dvc_one_line_says_that_stages_run_one_at_a_time(
    repo: Callable[..., Small], forks: Forks
) -> None:
    small = repo(**{"dvc.yaml": flow(a="echo > a.txt", b="echo > b.txt")})
    status, said = forks.run(small.root, "repro", jobs=2, BUCKET_FAST="0")
    assert status == 0
    line = said.splitlines()[0]
    assert line.startswith("bucket: BUCKET_FAST=0: plain DVC 3.")
    assert line.endswith(" does the work: same results, slower. Stages run one at a time.")
    assert recorded(small.root) == ["a", "b"]


@pytest.fixture
def interrupted(repo: Callable[..., Small]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a run whose stages wait, and wait until they do."""
    started: list[subprocess.Popen[str]] = []

    def start(command: str) -> subprocess.Popen[str]:
        stages = {name: command.format(name=name) for name in "ab"}
        small = repo(
            **{"dvc.yaml": flow(first="echo > first.txt", **stages, last="echo > last.txt")}
        )
        process = subprocess.Popen(
            [sys.executable, "-m", *commands.program(commands.Where(2)), "repro"],
            cwd=small.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        deadline = time.monotonic() + SECONDS
        while len([*small.root.glob("?.pid")]) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.root = small.root  # type: ignore[attr-defined]
        return process

    yield start
    for process in started:
        process.kill()


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("command", "presses"),
    [
        ("echo $$ > {name}.pid; sleep 100", 1),
        ("trap '' INT; echo $$ > {name}.pid; sleep 100", 2),
    ],
)
def test_ctrl_c_ends_the_stages_and_leaves_a_lock_that_is_whole(
    interrupted: Callable[..., subprocess.Popen[str]], command: str, presses: int
) -> None:
    """A stage that does not hear Ctrl-C is ended by the second one."""
    process = interrupted(command)
    root: Path = process.root  # type: ignore[attr-defined]
    pids = [int(file.read_text()) for file in root.glob("?.pid")]
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 252
    assert "Interrupted: waiting for the running stages (again: terminate)." in said
    assert "ERROR: interrupted by the user" in said
    assert not any(map(is_alive, pids))
    assert recorded(root) == ["first"]
    assert (root / ".dvc/tmp/rwlock").read_text() in {"{}", '{"write": {}}', '{"read": {}}'}
