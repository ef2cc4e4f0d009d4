"""Set-ups whose fault is in the environment of the shell; `bucket` itself works in all of them."""

from tests.doctor.case import Case, SetUps

SET_UPS = SetUps()
add = SET_UPS.add


@add("a login shell with a syntax of its own", warns=("shell",), says="with /usr/bin/fish")
def _(case: Case) -> None:
    case.environment["SHELL"] = "/usr/bin/fish"


@add("a module's folder in PYTHONPATH", warns=("packages",), says="PYTHONPATH names /opt/module")
def _(case: Case) -> None:
    case.environment["PYTHONPATH"] = "/opt/module"


@add("a home folder that is not there", warns=("user",), says="HOME names /nowhere")
def _(case: Case) -> None:
    case.environment["HOME"] = "/nowhere"


@add(
    "TMPDIR with a long name",
    warns=("temporary files",),
    says="the name of a socket in it would be too long",
)
def _(case: Case) -> None:
    folder = case.project.root / ".dvc" / "tmp" / ("x" * 90)
    folder.mkdir(parents=True)
    case.environment["TMPDIR"] = str(folder)


@add("settings of pip that lead elsewhere", warns=("pip",), says="pip.conf sets target ([global])")
def _(case: Case) -> None:
    (case.project.root / ".dvc/tmp").mkdir(exist_ok=True)
    case.write(".dvc/tmp/pip.conf", "[global]\ntarget = /opt/packages\n")
    case.environment["PIP_CONFIG_FILE"] = str(case.project.root / ".dvc/tmp/pip.conf")
