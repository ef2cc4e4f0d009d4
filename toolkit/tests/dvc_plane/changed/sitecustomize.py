"""Stands for a later DVC: one place inside it has another signature, and DVC works as before.

Python runs this as it starts where this folder is on its path. `CHANGED_PLACE` names the place as
`dvc_bucket.dvc.patched.touch_points` does.
"""

import ast
import importlib
import inspect
import os
import textwrap
import types
from typing import Any

#: DVC's functions that call a place, which from now on use its new parameter.
CALLERS = {
    "dvc_objects.fs.generic:copy": "dvc_objects.fs.generic:transfer",
    "dvc_data.hashfile.tree:Tree.from_list": "dvc_data.hashfile.tree:Tree.load",
}

#: The new parameter, and the new name of an attribute.
ADDED, RENAMED = "added_later", "renamed_later"


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
        vars(holder)["__getattr__"] = _giving(name, lambda _: held, None)
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
    code = init.__code__
    init.__code__ = code.replace(
        co_names=tuple(RENAMED if one == name else one for one in code.co_names)
    )
    before = vars(holder).get("__getattr__")
    give = lambda self: object.__getattribute__(self, RENAMED)  # noqa: E731
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


if os.environ.get("CHANGED_PLACE"):
    change(os.environ["CHANGED_PLACE"])
