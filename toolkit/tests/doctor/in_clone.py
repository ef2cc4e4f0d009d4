"""Set-ups whose fault is how the repository was cloned."""

from tests.doctor.case import TOOLS, Case, SetUps, run

SET_UPS = SetUps()
add = SET_UPS.add


@add("a partial clone (`--filter=blob:none`)", warns=("clone",), says="a partial clone of origin")
def _(case: Case) -> None:
    run(case.project.root, "git", "config", "remote.origin.promisor", "true")


@add("a clone without its submodules", warns=("submodules",), says="library is empty")
def _(case: Case) -> None:
    entry = f"160000,{'1' * 40},library"
    run(case.project.root, "git", "update-index", "--add", "--cacheinfo", entry)


@add("a clone with `core.autocrlf`", warns=("line ends",), says="with Windows line ends")
def _(case: Case) -> None:
    file = case.project.root / "requirements.lock"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


@add(
    "a default remote of this clone alone", warns=("named places",), says="(core.remote in .dvc/co"
)
def _(case: Case) -> None:
    words = ("remote", "add", "--local", "--quiet", "--default", "mine")
    run(case.project.root, str(TOOLS / "dvc"), *words, str(case.world.folder / "mine"))


@add("`data` is a link to another disk", "linked data", says="outside the repository")
def _(case: Case) -> None:
    folder = case.world.folder / "disk"
    folder.mkdir(exist_ok=True)
    (case.project.root / "elsewhere").symlink_to(folder)
    flow = "stages:\n  one:\n    cmd: echo 1 > elsewhere/1\n    outs: [elsewhere/1]\n"
    case.write("dvc.yaml", flow)


@add("no hooks of git", warns=("git hooks",), says="commit-msg is missing, and 2 more")
def _(case: Case) -> None:
    for file in (case.project.root / ".git/hooks").iterdir():
        file.unlink()


@add("a hook of one's own", warns=("git hooks",), says="commit-msg is not the toolkit's")
def _(case: Case) -> None:
    case.write(".git/hooks/commit-msg", "#!/bin/sh\n")


@add("hooks in a folder of one's own", warns=("git hooks",), says="(core.hooksPath), which is not")
def _(case: Case) -> None:
    case.git("config", "core.hooksPath", str(case.world.folder))


@add("no merge driver", warns=("merge driver",), says="this clone does not have it")
def _(case: Case) -> None:
    case.git("config", "--unset", "merge.dvc-lock.driver")


@add("a repository of another user", "settings", "git", says="git does not trust ")
def _(case: Case) -> None:
    case.environment["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"  # git's own tests set it
