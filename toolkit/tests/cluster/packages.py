"""Debian's packages of Slurm: `tests/cluster/packages.py` fetches them, installing nothing.

It says whether the tests that need a Slurm will run, and if not, why. Needs root and the network
once. The tests unpack the packages where the machine does not see it.
"""

import os
import shutil
import subprocess
from pathlib import Path

TOOLKIT = Path(__file__).resolve().parent.parent.parent

#: Beside what pytest keeps from run to run, and with it removed by `make clean`.
FOLDER = TOOLKIT / ".pytest_cache" / "d" / "slurm"

#: Controller, node, the service that vouches for users, and `ip`, which gives the node its address.
PACKAGES = ("slurmctld", "slurmd", "munge", "iproute2")

#: What the node is made with.
PROGRAMS = ("unshare", "nsenter", "setpriv", "ldconfig", "dpkg-deb")


def why_not() -> str:
    """Why Slurm cannot run on this machine, in a sentence; nothing if it can."""
    if os.geteuid() != 0:
        return "a Slurm of the tests' own needs root, for namespaces and mounts"
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"a Slurm of the tests' own needs {', '.join(absent)}, not found"
    done = subprocess.run(
        ["unshare", "-m", "-p", "-f", "-n", "-u", "--mount-proc", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return f"this machine does not allow namespaces ({done.stderr.strip()})"
    if not are_here():
        return "Debian's packages of Slurm are not here: as root, tests/cluster/packages.py"
    return ""


def are_here() -> bool:
    """Whether Slurm is installed, or its packages were fetched."""
    return shutil.which("slurmctld") is not None or any(FOLDER.glob("*.deb"))


def fetch() -> None:
    """Fetch the packages that are not installed, and those that they need, into `FOLDER`."""
    (FOLDER / "partial").mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(
        [
            *("apt-get", "install", "-y", "-qq", "--download-only", "--no-install-recommends"),
            *("-o", f"Dir::Cache::archives={FOLDER}", *PACKAGES),
        ],
        check=True,
    )


def main() -> None:
    """Fetch what is missing where that helps, and say what will be tested."""
    if os.geteuid() == 0 and shutil.which("apt-get") and not are_here():
        try:
            fetch()
        except subprocess.CalledProcessError as error:
            print(f"{' '.join(error.cmd[:2])} failed.")
    reason = why_not()
    print("The tests of Slurm jobs", f"are skipped: {reason}." if reason else "run.")


if __name__ == "__main__":
    main()
