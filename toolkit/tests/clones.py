"""A clone in which commands run."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import forking

TOOLS = Path(sys.executable).parent


@dataclass(frozen=True)
class Clone:
    """A clone, and the environment in which its commands run."""

    root: Path
    environment: dict[str, str]
    timeout: int = 280  # seconds, of each command

    def run(
        self, *command: str | Path, check: bool = True, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone; its output is shown where a test fails."""
        done = forking.run(
            command,
            cwd=self.root,
            env=self.environment | changes,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.timeout,
            check=False,
        )
        print(f"$ {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        assert not check or done.returncode == 0
        return done

    def make(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run `make` with the environment that runs the tests, instead of setting one up."""
        # -o: this file counts as up to date.
        return self.run("make", "-o", ".venv/.installed", *words, check=True, **changes)
