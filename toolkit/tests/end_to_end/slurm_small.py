"""A small project with the job scripts of this repository, in the home of the node's user."""

import shutil
import subprocess

from tests.cluster.clone import Submitting, commit, of_the_user
from tests.cluster.node import TOOLS, SlurmNode
from tests.end_to_end.clones import REPOSITORY
from tests.projects import make_project

#: Two stages. The first notes in the home that it ran; the second waits as long as a file `wait` is
#: there, and where there is a file `deaf`, does not hear that it is to end. DVC is told of none of
#: these: a job that goes on must not run the first one again.
STAGES = """\
stages:
  first:
    cmd: echo ran >> ~/first-ran && wc -l < words.txt > first.txt
    deps: [words.txt]
    outs: [first.txt]
  second:
    cmd: >-
      if test -e ~/deaf; then trap "" TERM; fi; mkdir second &&
      while test -e ~/wait; do sleep 0.1; done && cp first.txt second/
    deps: [first.txt]
    outs: [second]
"""

MAKEFILE = """\
serve:
\t@bucket serve
reproduce:
\t@bucket serve --if-embedded
\t@bucket reproduce $(ARGS)
"""

FILES = {
    "dvc.yaml": STAGES,
    "Makefile": MAKEFILE,
    "words.txt": "one\ntwo\n",
    ".gitignore": ".env\n.venv\n.bucket\n/.dvc/tmp\n/.dvc/cache\n/.dvc/config.local\n"
    "/first.txt\n/second\n/slurm-*.out\n",
}


def make_small(node: SlurmNode, name: str = "small") -> Submitting:
    """The project, committed."""
    root = node.home / name
    make_project(root)
    for file, text in FILES.items():
        (root / file).write_text(text)
    shutil.copytree(REPOSITORY / "cluster", root / "cluster")
    for file in ("requirements.lock", ".gitattributes"):
        shutil.copy(REPOSITORY / file, root)
    (root / ".venv").symlink_to(TOOLS.parent)
    (root / "src").symlink_to(REPOSITORY / "src")
    (root / "toolkit").symlink_to(REPOSITORY / "toolkit")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=root, check=True)
    subprocess.run(commit("As cloned"), cwd=root, check=True, shell=True)
    return of_the_user(node, root)
