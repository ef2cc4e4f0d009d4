"""What moving objects of Git LFS costs: git-lfs with the agent of `bucket lfs setup`, and `s5cmd`.

Claims, on loopback and two cores: `git lfs` takes at most twice what `s5cmd cp` of the same objects
takes for 500 of 1 MiB, to the store and back, and at most 1.3 times for a push of one of 300 MB. A
fetch of that one takes longer than 1.3 times: `s5cmd` needs half a second, and git-lfs alone, which
hashes what it was given with one core, twice that; to start the agents takes as long as the bytes.

A round runs each of these, one after the other in turning order; ratios are of one round each, and
medians of those are printed:

- `git lfs`: `git lfs push` and `git lfs fetch`, whole;
- `agent`: its processes, started and asked as git-lfs does, by `benchmarks/lfs_as_git_lfs.py`;
- `git-lfs alone`: the same commands with an agent that has nothing to do (`lfs_nothing.py`). What
  git-lfs itself takes is start-up, and a SHA-256 of every byte that it has fetched;
- `s5cmd`: the same objects, to a folder and back, without a hash.
"""

import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from measuring import conditions, put_section
from stages import Cost
from transfer import HEAD, Bench, Case, fill, rounds_of, rows_of

from dvc_bucket.jobs.lfs import setup

TITLE = "## Git LFS"

TOOLS = ("git lfs", "agent", "git-lfs alone", "s5cmd")

CASES = {"500 x 1 MiB": Case(500, 2**20), "1 x 300 MB": Case(1, 300_000_000)}

HERE = Path(__file__).parent


class LfsBench(Bench):
    """A clone whose files are in Git LFS, its store, and how each tool moves their objects."""

    def make(self, case: Case) -> None:
        """Random data, committed; a git repository to push to."""
        root = self.project.root
        (root / ".venv").symlink_to(Path(sys.executable).parents[1])
        (root / ".gitignore").write_text("/*\n!/data\n!/.gitattributes\n", encoding="utf-8")
        (root / ".gitattributes").write_text("data/** filter=lfs -text\n", encoding="utf-8")
        fill(root / "data", case)
        self._git("init", "-q", "--bare", str(root.parent / "origin.git"))
        self._git("remote", "add", "origin", str(root.parent / "origin.git"))
        setup.setup(self.project)
        self._git("add", ".")
        identity = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
        self._git(*identity, "commit", "-q", "-m", "Data")

    def measure(self, tool: str, endpoint: str) -> dict[str, Cost]:
        """What each operation costs with a tool, to a prefix of its own."""
        self._round += 1
        prefix = f"round-{self._round}"
        if tool == "s5cmd":
            # It leaves out a folder's files if the folder's name does not end so.
            place = f"s3://{self.settings.bucket_name}/{prefix}/lfs"
            up = ["s5cmd", "cp", f"{self._cache}/", f"{place}/"]
            down = ["s5cmd", "cp", f"{place}/*", f"{self.raw}/"]
            return self._raw({"push": up, "pull": down}, endpoint)
        self.go_to(endpoint, prefix)
        kept = self.project.root.parent / "kept"
        up, down = (["git", "lfs", *words, "origin", "HEAD"] for words in (["push"], ["fetch"]))
        self._git("config", "lfs.customtransfer.bucket.args", setup.AGENT["args"])
        if tool == "git-lfs alone":
            agent = [sys.executable, "-I", "-S", str(HERE / "lfs_nothing.py"), str(kept)]
            self._git("config", "lfs.customtransfer.bucket.args", shlex.join(agent))
        elif tool == "agent":
            as_git_lfs = [sys.executable, str(HERE / "lfs_as_git_lfs.py"), str(kept)]
            up, down = [*as_git_lfs, "upload"], [*as_git_lfs, "download"]
        objects = self._cache
        if tool == "agent":
            objects.rename(kept)
        costs = {"push": self._run(up, endpoint)}
        if tool != "agent":
            objects.rename(kept)
        costs["pull"] = self._run(down, endpoint)
        if tool == "git-lfs alone":
            shutil.rmtree(objects)  # second names: no inode is freed
        self._put_aside(objects, objects.with_name("tmp"))
        kept.rename(objects)
        return costs

    @property
    def _cache(self) -> Path:
        return self.project.root / ".git" / "lfs" / "objects"

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.project.root, check=True)


def main(
    rounds: Annotated[int, typer.Option(help="How often each tool runs.")] = 3,
    scale: Annotated[float, typer.Option(help="A part of the files, to try it out.")] = 1.0,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    version = subprocess.run(
        ["git", "lfs", "version"], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    lines = [
        TITLE,
        "",
        f"{conditions(rounds)}, {version}, the embedded store on the same machine. "
        "`agent` is what this project adds to git-lfs, started and asked as git-lfs does; "
        "`git-lfs alone` what git-lfs takes where an agent has nothing to do. s5cmd copies the "
        "same objects without a hash."
        + ("" if scale == 1 else f" Of the numbers in the titles only {scale:g} was moved."),
    ]
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            bench = LfsBench(Path(folder))
            try:
                bench.make(case.scaled(scale))
                costs = rounds_of(bench, bench.settings.endpoint_url, rounds, list(TOOLS))
            finally:
                bench.stop()
        lines += ["", f"### Git LFS: {name}", "", *HEAD, *rows_of(costs, TOOLS)]
        print("\n".join(lines[-len(costs) - 4 :]))
    if output:
        put_section(output, TITLE, "\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
