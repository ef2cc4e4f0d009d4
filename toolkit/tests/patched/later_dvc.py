"""Stands for a later DVC: places inside it have another signature, and DVC works as before.

As a program it runs commands of `bucket` with such a DVC. It imports DVC and the toolkit once; each
command then has a fork of its own, in which the places are changed before the command starts. Each
line of standard input is a request, `{"folder": ..., "places": [...], "words": [...],
"variables": {...}}`, each line of standard output its result.
"""

import ast
import gc
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

#: DVC's functions that call a place, which from now on use its new parameter.
CALLERS = {
    "dvc_objects.fs.generic:copy": "dvc_objects.fs.generic:transfer",
    "dvc_data.hashfile.tree:Tree.from_list": "dvc_data.hashfile.tree:Tree.load",
}

#: What the commands import, once for all of them.
IMPORTED = (
    *("dvc.cli", "dvc.cli.parser", "dvc.repo", "dvc_s3", "s3fs", "aiobotocore.session", "obstore"),
    *("dvc.repo.fetch", "dvc.repo.push", "dvc.repo.pull", "dvc.repo.gc", "dvc.repo.brancher"),
    *("dvc.render.match", "dvc.repo.plots", "dvc.repo.metrics.show", "dvc_bucket.cli"),
    *(f"dvc_bucket.jobs.{name}" for name in ("clean", "provenance", "report")),
    *("dvc_bucket.dvc.audit", "dvc_bucket.dvc.gc.guard"),
)

#: Paths of names that a place has: `module:Class.attribute`.
Places = Sequence[str]

#: The new parameter, and the end of an attribute's new name.
ADDED, RENAMED = "added_later", "_renamed_later"


def change(place: str) -> None:
    """Give a place another signature; move what has none to where only a look-up finds it."""
    holder, name = _found(place)
    held = inspect.getattr_static(holder, name, None)
    function = getattr(held, "__func__", held)
    if held is None:
        _rename(holder, name)
    elif isinstance(held, type) or not callable(function):
        _hide(holder, name, held)
    else:
        wrapped: Any = _with_a_parameter(function)
        setattr(holder, name, type(held)(wrapped) if function is not held else wrapped)
        if place in CALLERS:
            _use_the_parameter(CALLERS[place], name)


def _found(place: str) -> tuple[Any, str]:
    """The module or class that a place is in, and its name there."""
    module, _, path = place.partition(":")
    holder: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for one in outer:
        holder = getattr(holder, one)
    return holder, name


def _with_a_parameter(function: Any) -> Any:
    def changed(*given: Any, added_later: Any = None, **named: Any) -> Any:  # noqa: ARG001
        return function(*given, **named)

    return changed


def _use_the_parameter(caller: str, name: str) -> None:
    holder, caller_name = _found(caller)
    held = inspect.getattr_static(holder, caller_name)
    function = getattr(held, "__func__", held)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and name in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
    ]
    assert calls, f"{caller} does not call {name}"
    for call in calls:
        call.keywords.append(ast.keyword(ADDED, ast.Constant(None)))
    made: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(tree), caller, "exec"), function.__globals__, made)
    setattr(holder, caller_name, made[caller_name])


def _hide(holder: Any, name: str, held: Any) -> None:
    """Take a name out of a module or class, which gives it all the same to who asks for it."""
    if isinstance(holder, types.ModuleType):
        delattr(holder, name)
        before = vars(holder).get("__getattr__")
        vars(holder)["__getattr__"] = _giving(name, lambda _: held, before)
        return
    owners = [kind for kind in holder.__mro__ if name in vars(kind)]
    for owner in owners:
        delattr(owner, name)
    get = getattr(type(held), "__get__", None)
    give = (lambda self: get(held, self, type(self))) if get else (lambda _: held)
    owners[0].__getattr__ = _giving(name, give, vars(owners[0]).get("__getattr__"))


def _rename(holder: type, name: str) -> None:
    """Have `__init__` of a class set an attribute of another name."""
    init: Any = vars(holder)["__init__"]
    code, renamed = init.__code__, name + RENAMED
    init.__code__ = code.replace(
        co_names=tuple(renamed if one == name else one for one in code.co_names)
    )
    before = vars(holder).get("__getattr__")
    give = lambda self: object.__getattribute__(self, renamed)  # noqa: E731
    holder.__getattr__ = _giving(name, give, before)  # type: ignore[attr-defined]


def _giving(name: str, give: Any, before: Any) -> Any:
    """A `__getattr__` of an object's class (object and name) or of a module (name alone)."""

    def getattr_(*asked: Any) -> Any:
        if asked[-1] == name:
            return give(asked[0])
        if before:
            return before(*asked)
        raise AttributeError(f"no attribute {asked[-1]}", name=asked[-1], obj=asked[0])

    return getattr_


class LaterDvc:
    """Runs commands of `bucket`, each with some places of DVC changed.

    Args:
        environment: of the commands.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(
        self, folder: Path, words: Sequence[str], places: Places, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run `bucket WORDS`; `-c PROGRAM` in place of words runs a program of Python."""
        assert self._process.stdin
        assert self._process.stdout
        request = {"folder": str(folder), "words": words, "places": places, "variables": variables}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return subprocess.CompletedProcess(words, **json.loads(self._process.stdout.readline()))


def serve() -> None:
    """Answer requests until there are no more."""
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()  # so that a fork does not copy what it never changes
    assert threading.active_count() == 1, "a fork has no other thread of its parent"
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = os.fork()
            if not child:
                _become(request, out, err)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out.seek(0)
            err.seek(0)
            answer = {"returncode": status, "stdout": out.read(), "stderr": err.read()}
        print(json.dumps(answer), flush=True)


def _become(request: Mapping[str, Any], out: IO[str], err: IO[str]) -> None:
    """Run the command in this process, which ends with it."""
    for number, file in ((1, out), (2, err)):
        os.dup2(file.fileno(), number)
    os.chdir(request["folder"])
    os.environ.update(request["variables"])
    words = request["words"]
    status: Any = 70
    try:
        for place in request["places"]:
            change(place)
        if words[0] == "-c":
            exec(words[1], {})
        else:
            sys.argv = ["bucket", *words]
            from dvc_bucket.cli import main

            main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
