"""`make release VERSION=1.2.0`: wheel, pin, version, changelog and tag, in one commit.

All of it is written and committed in a work tree of its own, and the branch then moves to that
commit: a release that fails or is interrupted leaves nothing behind.
"""

import datetime
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

VENDOR = "template/project/vendor"
PYPROJECT, CHANGELOG = "toolkit/pyproject.toml", "toolkit/CHANGELOG.md"
UNRELEASED = "## Unreleased\n"


class ReleaseError(Exception):
    """Why nothing was released, in one sentence."""


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    """What a command prints.

    Raises:
        ReleaseError: it failed.
    """
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(map(str, words))} failed:\n{done.stderr or done.stdout}")
    return done.stdout.strip()


def number(version: str) -> tuple[int, ...]:
    """A version as numbers.

    Raises:
        ReleaseError: it is no version.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ReleaseError(f"VERSION is {version!r}; three numbers, such as VERSION=1.2.0")
    return tuple(map(int, version.split(".")))


def toolkit_version(text: str) -> str:
    """The version in a `pyproject.toml`."""
    [version] = re.findall(r'^version = "(.*)"$', text, re.MULTILINE)
    return str(version)


def check(version: str) -> None:
    """Refuse what must not be released.

    Raises:
        ReleaseError: the version is taken or not newer, the work tree has changes, or the changelog
            has nothing to say.
    """
    tags = run("git", "tag", "--list", "v[0-9]*").split()
    released = [number(tag[1:]) for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    if released and number(version) <= max(released):
        newest = ".".join(map(str, max(released)))
        raise ReleaseError(f"VERSION={version} is not newer than {newest}, the last release.")
    number(version)
    if changed := run("git", "status", "--porcelain"):
        raise ReleaseError(f"Commit or put away your changes first:\n{changed}")
    if not run("git", "symbolic-ref", "--quiet", "--short", "HEAD"):
        raise ReleaseError("Check out a branch first.")
    text = (ROOT / CHANGELOG).read_text(encoding="utf-8")
    if UNRELEASED not in text or re.search(rf"{UNRELEASED}\s*(## |\Z)", text):
        raise ReleaseError(f"{CHANGELOG} says nothing under '{UNRELEASED.strip()}'.")


def write(tree: Path, version: str) -> None:
    """Write version, changelog, wheel and pin in a work tree."""
    pyproject, changelog = tree / PYPROJECT, tree / CHANGELOG
    text = pyproject.read_text(encoding="utf-8")
    old = f'version = "{toolkit_version(text)}"\n'
    pyproject.write_text(text.replace(old, f'version = "{version}"\n', 1), encoding="utf-8")
    day = datetime.datetime.now(datetime.UTC).date()
    text = changelog.read_text(encoding="utf-8")
    heading = f"{UNRELEASED}\n## {version} ({day})\n"
    changelog.write_text(text.replace(UNRELEASED, heading, 1), encoding="utf-8")
    vendor = tree / VENDOR
    vendor.mkdir(exist_ok=True)
    for wheel in vendor.glob("*.whl"):
        wheel.unlink()
    words = ("-m", "hatchling", "build", "--target", "wheel", "--directory", str(vendor))
    run(sys.executable, *words, cwd=tree / "toolkit")
    [wheel] = vendor.glob("*.whl")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (vendor / "pin.txt").write_text(f"dvc-bucket=={version} --hash=sha256:{sha256}\n")


def release(version: str) -> str:
    """Make the release and return its commit.

    Raises:
        ReleaseError: a step failed; branch and work tree are as they were.
    """
    check(version)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "release"
        run("git", "worktree", "add", "--quiet", "--detach", tree, "HEAD")
        try:
            write(tree, version)
            run("git", "add", "--all", "--force", PYPROJECT, CHANGELOG, VENDOR, cwd=tree)
            run("git", "commit", "--quiet", "--message", f"Release {version}", cwd=tree)
            commit = run("git", "rev-parse", "HEAD", cwd=tree)
        finally:
            run("git", "worktree", "remove", "--force", tree)
    run("git", "merge", "--quiet", "--ff-only", commit)
    run("git", "tag", "--annotate", f"v{version}", "--message", f"Release {version}", commit)
    return commit


if __name__ == "__main__":
    *options, wanted = sys.argv[1:]
    try:
        if options == ["--check"]:
            check(wanted)
        else:
            print(f"Released {wanted} as {release(wanted)[:10]}: git push --follow-tags")
    except ReleaseError as error:
        sys.exit(str(error))
