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
