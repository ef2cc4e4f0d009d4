"""The texts of a new stage: script, test, model of its parameters, entry of dvc.yaml."""

import json
import keyword
import posixpath
import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dvc_bucket.base.packages import FILE
from dvc_bucket.dvc.patched import yaml
from dvc_bucket.jobs.new.layout import Kind, Layout

TEMPLATES = Path(__file__).with_name("templates")

#: The longest line of a script or of dvc.yaml.
WIDTH = 100

#: Names in the templates that no argument of a script can have.
RESERVED = {
    *("Path", "arguments", "command", "copy", "main", "params", "pytest", "shutil", "subprocess"),
    *("sys", "test", "tmp_path", "unfinished"),
}

#: How each kind is started, but for Python. Papermill writes the notebook with its outputs, which
#: have times in them, to a place where nobody keeps it.
PROGRAMS: dict[Kind, str] = {"notebook": "papermill", "r": "Rscript", "shell": "sh"}

#: The file with the parameters.
PARAMS = "params.yaml"


@dataclass(frozen=True)
class Argument:
    """An argument of a script.

    Attributes:
        name: in the script.
        path: in dvc.yaml; of a parameter, its name in `params.yaml`.
        source: name of the argument that it is a copy of; empty for an input.
    """

    name: str
    path: str
    source: str = ""

    @property
    def shown(self) -> str:
        """As typer shows it."""
        return self.name.upper()

    @property
    def suffix(self) -> str:
        """The end of the file's name."""
        return PurePosixPath(self.path).suffix


@dataclass(frozen=True)
class StageTexts:
    """A new stage, and the texts that describe it.

    Attributes:
        name: of the stage, its script and its section of parameters.
        kind: of its script.
        layout: where its files go.
        inputs: paths.
        outputs: paths.
        values: its own parameters.
        others: names of other parameters that it depends on.
        packages: that its code imports.
    """

    name: str
    kind: Kind
    layout: Layout
    inputs: Sequence[str]
    outputs: Sequence[str]
    values: Mapping[str, Any]
    others: Sequence[str]
    packages: Sequence[str] = ()

    @property
    def description(self) -> str:
        """A line about the stage."""
        return f"the stage {self.name}"

    @property
    def arguments(self) -> tuple[list[Argument], list[Argument]]:
        """The inputs and the outputs, each under a name of its own."""
        taken = {*RESERVED, *self.values, *keyword.kwlist}
        inputs = [Argument(_name(path, taken), path) for path in self.inputs]
        sources = [inputs[min(i, len(inputs) - 1)].name for i in range(len(self.outputs))]
        pairs = zip(self.outputs, sources, strict=True)
        return inputs, [Argument(_name(path, taken), path, source) for path, source in pairs]

    @property
    def model_name(self) -> str:
        """The class of its parameters; `Params.section_name` makes the stage's name of it."""
        parts = self.name.split("_")
        is_plain = all(len(part) > 1 and part[0].isalpha() for part in parts)
        return ("" if is_plain else "_").join(part.capitalize() for part in parts)

    @property
    def model(self) -> str:
        """The lines of that class, below its first."""
        fields = [f"    {key}: {_annotation(value)}" for key, value in self.values.items()]
        return "\n".join([f'    """The section `{self.name}` of {PARAMS}."""', "", *fields])

    def words(self, paths: Sequence[str], python: str = "python") -> list[str]:
        """The command with these paths, one for each argument."""
        inputs, outputs = self.arguments
        script, values = self.layout.script, [f"${{{self.name}.{key}}}" for key in self.values]
        if self.kind == "notebook":
            named = zip([*(one.name for one in inputs + outputs), *self.values],
                        [*paths, *values], strict=True)  # fmt: skip
            options = [word for name, value in named for word in ("-p", name, value)]
            return [PROGRAMS["notebook"], script, "/dev/null", "--no-progress-bar", *options]
        if self.kind == "python":
            options = ["--params", PARAMS] if self.values else []
            return [python, script, *paths, *options]
        return [PROGRAMS[self.kind], script, *paths, *values]

    def entry(self) -> str:
        """The entry of dvc.yaml."""
        command = " ".join(
            f'"{word}"' if word.startswith("${") else shlex.quote(word)
            for word in self.words([*self.inputs, *self.outputs])
        )
        models = [f"{posixpath.dirname(self.layout.models)}/__init__.py", self.layout.models]
        code = [self.layout.script, *(models if self.values and self.layout.models else ())]
        lines = [f"{self.name}:", *_command(command)]
        lines += _list("deps", [*self.inputs, *code])
        params = [*([self.name] if self.values else ()), *self.others]
        packages = f"    - {FILE}: [{', '.join(self.packages)}]"
        lines += _list("params", params) or (["  params:"] if self.packages else [])
        lines += [packages] if self.packages else []
        lines += _list("outs", self.outputs)
        return "\n".join([*lines, ""])

    def script(self) -> str:
        """The script."""
        if self.kind == "notebook":
            return self._notebook()
        inputs, outputs = self.arguments
        values = [Argument(key, key) for key in self.values]
        is_imported = bool(self.values and self.layout.models)
        return _render(
            f"stage{PurePosixPath(self.layout.script).suffix}.j2",
            arguments=[*inputs, *outputs, *values],
            description=self.description,
            imported_from=f"{self.layout.package}.params" if is_imported else "",
            inputs=inputs,
            model="" if is_imported or not self.values else self.model,
            model_name=self.model_name if self.values else "",
            outputs=outputs,
            script=self.layout.script,
            signature=self._signature([*inputs, *outputs]),
        )

    def test(self) -> str:
        """The test, which runs the command with other paths."""
        inputs, outputs = self.arguments
        arguments = [*inputs, *outputs]
        marks = [f"\0{one.name}" for one in arguments]
        words = [self._test_word(word) for word in self.words(marks, python="\0sys.executable")]
        program = PROGRAMS.get(self.kind, "")
        return _render(
            "test.py.j2",
            inputs=inputs,
            name=self.name,
            outputs=outputs,
            program="" if program == "sh" else program,
            words=words,
        )

    def _test_word(self, word: str) -> str:
        """A word of the command as Python: a variable, or a text."""
        if word.startswith("\0"):
            return word[1:]
        if word.startswith("${"):
            word = str(self.values[word[2:-1].partition(".")[2]])
        return json.dumps(word, ensure_ascii=False)

    def _signature(self, arguments: Sequence[Argument]) -> str:
        texts = [f"{one.name}: Path" for one in arguments]
        texts += [f'params: Path = Path("{PARAMS}")'] if self.values else []
        line = f"def main({', '.join(texts)}) -> None:"
        if len(line) <= WIDTH:
            return line
        return "\n".join(["def main(", *(f"    {text}," for text in texts), ") -> None:"])

    def _notebook(self) -> str:
        """A notebook, format 4.5: https://nbformat.readthedocs.io/en/latest/format_description.html.

        Its first cell has the arguments, for whoever opens it: papermill puts those of the command
        line into a cell after it.
        """
        inputs, outputs = self.arguments
        folder = posixpath.dirname(self.layout.script)
        lines = [
            f"{one.name} = {json.dumps(posixpath.relpath(one.path, folder))}"
            for one in [*inputs, *outputs]
        ]
        lines += [f"{key} = {value!r}" for key, value in self.values.items()]
        copies = ["import shutil", "from pathlib import Path"]
        for output in outputs:
            target, source = f"Path({output.name})", f"Path({output.source})"
            copies += [
                "",
                f"{target}.parent.mkdir(parents=True, exist_ok=True)",
                f"copy = shutil.copytree if {source}.is_dir() else shutil.copyfile",
                f"copy({output.source}, {output.name})",
            ]
        title = [f"Copies its input until it is written: {self.description}."]
        cells = [_cell("about", title, "markdown"), _cell("arguments", lines, tags=["parameters"])]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = {
            "cells": [*cells, _cell("copy", copies)],
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(
    name: str, lines: Sequence[str], kind: str = "code", tags: Sequence[str] = ()
) -> dict[str, Any]:
    source = [f"{line}\n" for line in lines[:-1]] + list(lines[-1:])
    cell = {"cell_type": kind, "id": name, "metadata": {"tags": [*tags]} if tags else {}}
    of_code: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {**cell, **(of_code if kind == "code" else {}), "source": source}


def _render(template: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (no HTML)
    )
    return environment.get_template(template).render(values)


def _name(path: str, taken: set[str]) -> str:
    """A name for an argument, made of the file's; it is taken then."""
    stem = re.sub(r"\W+", "_", PurePosixPath(path).name.partition(".")[0].lower(), flags=re.ASCII)
    base = stem.strip("_") or "data"
    base = f"data_{base}" if base[0].isdigit() else base
    names = [base, f"{base}_file", *(f"{base}_{i}" for i in range(2, 1000))]
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _annotation(value: Any) -> str:
    """The type of a value of YAML."""
    kind = next((kind for kind in (bool, int, float, str) if isinstance(value, kind)), None)
    if kind:
        return kind.__name__
    if isinstance(value, list):
        inner = {_annotation(one) for one in value}
        return f"list[{inner.pop()}]" if len(inner) == 1 else "list[object]"
    return "dict[str, object]" if isinstance(value, Mapping) else "object"


def _command(command: str) -> list[str]:
    line = f"  cmd: {_scalar(command)}"
    if len(line) + 2 <= WIDTH:
        return [line]
    wrapped = textwrap.wrap(command, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    return ["  cmd: >-", *(f"    {line}" for line in wrapped)]


def _list(key: str, items: Sequence[str]) -> list[str]:
    return [f"  {key}:", *(f"    - {_scalar(item)}" for item in items)] if items else []


def _scalar(text: str) -> str:
    """A text as YAML: plain where that means the same."""
    if re.match(r"[\w./]", text):
        with suppress(yaml.NotYamlError):
            if yaml.loaded(text) == text:
                return text
    return json.dumps(text, ensure_ascii=False)
