"""Run a notebook as a stage, and write it with its outputs in bytes that are the same each time."""

import ast
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base import kernels, packages
from dvc_bucket.base.errors import ProgramError, StageError
from dvc_bucket.base.paths import Project
from dvc_bucket.jobs.notebook import stable
from dvc_bucket.stages.declared import runners
from dvc_bucket.stages.declared.imports import code_of, own_folders
from dvc_bucket.stages.declared.packages import Imported
from dvc_bucket.stages.outputs import complete_or_absent

if TYPE_CHECKING:
    from nbclient import NotebookClient
    from nbformat import NotebookNode

#: Tags of cells, as papermill has them: https://papermill.readthedocs.io/en/latest/usage-parameterize.html
DEFAULTS, GIVEN = "parameters", "injected-parameters"


@dataclass(frozen=True)
class NotebookRun:
    """The run that is wanted.

    Attributes:
        source: the notebook.
        executed: where the notebook goes with its outputs; None to keep none.
        values: that its variables get, as text.
    """

    source: Path
    executed: Path | None = None
    values: Mapping[str, str] = field(default_factory=dict)


def run(request: NotebookRun) -> None:
    """Run all cells in the current folder, as one program; what they print goes to the terminal.

    The variables of the cell with the tag `parameters` get the values of the request: a cell with
    them follows it. Modules are imported from the notebook's own folder, as a script imports them.

    Raises:
        ProgramError: a package that runs notebooks is not installed.
        StageError: the file is no notebook in Python, a cell fails, or its Python dies.
        PackagesError: another version of a package is installed than packages.yaml has.
        ProjectError: packages.yaml cannot be read.
    """
    if fault := runners.lacking():
        raise ProgramError(fault)
    _check_packages(request.source)
    notebook = _read(request)
    with tempfile.TemporaryDirectory(prefix="nb-") as folder:  # short: paths of sockets are
        _execute(notebook, request.source, Path(folder))
    if request.executed:
        with complete_or_absent(request.executed) as unfinished:
            unfinished.write_text(stable.text(notebook), encoding="utf-8")


def _check_packages(source: Path) -> None:
    project = Project.around()
    if project is None:
        return
    imported = Imported.of(code_of([source.resolve()], [], [project.root / "src"]))
    names = {*imported.files, runners.KERNEL}
    if differences := packages.different(project, names.__contains__):
        raise packages.refusal(str(source), differences)


def _read(request: NotebookRun) -> "NotebookNode":
    """The notebook with a cell of the values; each cell has an identifier that stays."""
    import nbformat

    source = request.source
    try:
        # Without nbformat's own checks, which give a cell without an identifier a random one.
        notebook: NotebookNode = nbformat.v4.reads(source.read_text(encoding="utf-8"))
        is_notebook = notebook.nbformat == 4 and isinstance(notebook.cells, list)
    except (OSError, ValueError, AttributeError) as error:
        raise StageError(f"{source} cannot be read as a notebook: {error}.") from None
    if not is_notebook:
        raise StageError(f"{source} is not a notebook of format 4. Open it in Jupyter and save it.")
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise StageError(f"{source} is a notebook in {language}; `bucket notebook` runs Python.")
    if request.values:
        lines = [f"{name} = {_value(text)!r}" for name, text in request.values.items()]
        cell = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [GIVEN]})
        cell.id = GIVEN
        tags = [one.metadata.get("tags", []) for one in notebook.cells]
        tagged = (i for i, one in enumerate(tags, 1) if DEFAULTS in one)
        notebook.cells.insert(next(tagged, 0), cell)
    for number, cell in enumerate(notebook.cells):
        if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):  # such have no identifiers
            cell.pop("id", None)
        else:
            cell.setdefault("id", f"cell-{number}")
    return notebook


def _value(text: str) -> object:
    """A number, true, false or none as Python has them; any other text as it is."""
    words = {"true": True, "false": False, "null": None}
    if text in words:
        return words[text]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, int | float | None) else text


def _execute(notebook: "NotebookNode", source: Path, folder: Path) -> None:
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    client, last = _client(notebook, folder), [0]

    def begin(cell: Any, cell_index: int) -> None:  # noqa: ARG001 (nbclient calls it by name)
        last[0] = cell_index + 1

    client.on_cell_execute = begin
    client.on_cell_executed = _show
    path = os.pathsep.join([*map(str, own_folders(source.absolute())), *_python_path()])
    env = os.environ | kernels.pins(os.environ)
    env |= {"IPYTHONDIR": str(folder), "PYTHONPATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    try:
        client.execute(cleanup_kc=True, env=env)
    except CellExecutionError as error:
        print(stable.without_colours(error.traceback), file=sys.stderr)
        raise StageError(f"{source}, cell {last[0]}: {error.ename}: {error.evalue}") from None
    except DeadKernelError:
        raise StageError(
            f"{source}, cell {last[0]}: the Python process of the notebook ended or was killed."
        ) from None


def _python_path() -> list[str]:
    return [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]


def _client(notebook: "NotebookNode", folder: Path) -> "NotebookClient":
    """What runs the cells: in the Python that runs this, whatever Jupyter is set up to.

    Sockets are files in the folder: no port is opened, and several notebooks can run at a time.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    manager = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True),
        transport="ipc",
        connection_file=str(folder / "kernel.json"),
    )
    return NotebookClient(
        notebook, km=manager, timeout=None, record_timing=False, store_widget_state=False
    )


def _show(cell: Any, cell_index: int, execute_reply: Any) -> None:  # noqa: ARG001 (called by name)
    """Print what a cell printed."""
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            stream = sys.stderr if output.name == "stderr" else sys.stdout
            print(output.text, end="", file=stream, flush=True)
