"""The terminal of README.md: real commands in a fresh clone, as a picture that types itself.

`python -m tests.end_to_end.recording docs/recording.svg` runs them. Of the output it keeps the
lines that KEPT describes, none of which has a port or a time; the folder is replaced, and the
bucket left out. So the same sources give the same bytes.
"""

import argparse
import re
import tempfile
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.base import ports
from dvc_bucket.base.files import replacing
from dvc_bucket.connection.env_file import create_env, set_endpoint
from dvc_bucket.store.server import Server
from tests.clones import Clone
from tests.end_to_end.clones import copy_repository, environment

#: What is typed. The second command changes a value of which only two stages depend.
TYPED = (
    "make reproduce",
    "sed -i 's/resamples: 2000/resamples: 1000/' params.yaml",
    "make reproduce",
    "make verify",
)

#: Lines of the output that are kept, as a whole.
KEPT = re.compile(
    r"""Running\ stage\ '\w+':
    |Data\ and\ pipelines\ are\ up\ to\ date\.
    |\d+\ files?\ pushed|Everything\ is\ up\ to\ date\.
    |Report:\ .*
    |Complete:\ .*""",
    re.VERBOSE,
)

#: Columns of the terminal; size of a character and a line, in units of the picture.
COLUMNS, WIDTH, HEIGHT, MARGIN = 80, 8.4, 20, 16

#: Seconds from one line to the next, and before the next command.
LINE, COMMAND = 0.1, 0.4

NAMESPACE = "http://www.w3.org/2000/svg"

STYLE = """\
text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #e6edf3;
  animation: show 1ms step-end backwards }
.typed { fill: #7ee787; font-weight: 600 }
@keyframes show { from { opacity: 0 } }
@media (prefers-reduced-motion: reduce) { text { animation: none } }"""


def kept(output: str, root: Path) -> list[str]:
    """The lines of an output that the picture has, the same for each run."""
    lines = [line.rstrip() for line in output.splitlines()]
    named = [line.replace(str(root), "~/clone") for line in lines if KEPT.fullmatch(line)]
    return [re.sub(r", in s3://.*", ".", line)[:COLUMNS] for line in named]


def screen(runs: Iterable[tuple[str, Sequence[str]]]) -> str:
    """An SVG of commands and their lines, which appear one after the other."""
    rows: list[str] = []
    seconds = 0.0
    for typed, lines in runs:
        seconds += COMMAND
        for number, line in enumerate([f"$ {typed}", *lines]):
            top = MARGIN + HEIGHT * (len(rows) + 0.75)
            kind = "" if number else ' class="typed"'
            rows.append(
                f'<text x="{MARGIN}" y="{top:g}"{kind} textLength="{len(line) * WIDTH:g}"'
                f' style="animation-delay:{seconds:.1f}s">{escape(line)}</text>'
            )
            seconds += LINE
    width, height = 2 * MARGIN + COLUMNS * WIDTH, 2 * MARGIN + HEIGHT * len(rows)
    return "\n".join(
        [
            f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {width:g} {height:g}"',
            ' role="img" xml:space="preserve">',
            "<title>Commands in a terminal, and what they print</title>",
            f"<style>\n{STYLE}\n</style>",
            f'<rect width="{width:g}" height="{height:g}" rx="10" fill="#161b22"/>',
            *rows,
            "</svg>\n",
        ]
    )


def record(root: Path) -> str:
    """Run the commands in a clone of the working tree at `root`, with a store of its own."""
    copy_repository(root)
    project = Project(root)
    create_env(project)
    set_endpoint(project, f"http://127.0.0.1:{ports.free_ports(1)[0]}")
    clone = Clone(root, environment(root))
    runs = []
    try:
        for typed in TYPED:
            word, _, target = typed.partition(" ")
            done = clone.make(target) if word == "make" else clone.run("sh", "-c", typed)
            runs.append((typed, kept(done.stdout, root)))
    finally:
        Server(project).stop()
    return screen(runs)


def main() -> None:
    """Write the picture to the file that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as folder:
        picture = record(Path(folder) / "clone")
    with replacing(output) as file:
        file.write(picture.encode())


if __name__ == "__main__":
    main()
