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
from dvc_bucket.jobs.new import notebook_text
from dvc_bucket.jobs.new.layout import Kind, Layout

TEMPLATES = Path(__file__).with_name("templates")

#: The longest line of a script or of dvc.yaml.
WIDTH = 100

#: Names in the templates that no argument of a script can have.
RESERVED = {
    *("Path", "arguments", "command", "copy", "main", "params", "pytest", "shutil", "subprocess"),
    *("executed", "sys", "test", "tmp_path", "unfinished"),
}

#: How each kind is started, but for Python.
PROGRAMS: dict[Kind, str] = {"notebook": "bucket", "r": "Rscript", "shell": "sh"}

#: How the name of a notebook ends; an output with this end is the executed notebook.
NOTEBOOK = ".ipynb"

#: What R runs at its start: help("Startup") of R.
PROFILE = ".Rprofile"

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
        packages: that it names, as packages.yaml has them.
        tools: that its `meta` declares.
        profile: the project has a file that every R here runs at its start.
    """

    name: str
    kind: Kind
    layout: Layout
    inputs: Sequence[str]
    outputs: Sequence[str]
    values: Mapping[str, Any]
    others: Sequence[str]
    packages: Sequence[str] = ()
    tools: Sequence[str] = ()
    profile: bool = False

    @property
    def description(self) -> str:
        """A line about the stage."""
        return f"the stage {self.name}"

    @property
    def executed(self) -> str:
        """The output that is the executed notebook; empty if there is none."""
        if self.kind != "notebook":
            return ""
        return next((path for path in self.outputs if path.endswith(NOTEBOOK)), "")

    @property
    def arguments(self) -> tuple[list[Argument], list[Argument]]:
        """The inputs, and the outputs but for the executed notebook, each under its own name."""
        taken = {*RESERVED, *self.values, *keyword.kwlist}
        inputs = [Argument(_name(path, taken), path) for path in self.inputs]
        outputs = [path for path in self.outputs if path != self.executed]
        sources = [inputs[min(i, len(inputs) - 1)].name for i in range(len(outputs))]
        pairs = zip(outputs, sources, strict=True)
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

    def words(self, paths: Sequence[str], executed: str = "", python: str = "python") -> list[str]:
        """The command, with a path for each argument and one for the executed notebook."""
        inputs, outputs = self.arguments
        script, values = self.layout.script, [f"${{{self.name}.{key}}}" for key in self.values]
        if self.kind == "notebook":
            names = [*(one.name for one in inputs + outputs), *self.values]
            named = zip(names, [*paths, *values], strict=True)
            kept = ["--out", executed] if executed else []
            pairs = [f"{name}={value}" for name, value in named]
            return [PROGRAMS["notebook"], "notebook", script, *pairs, *kept]
        if self.kind == "python":
            options = ["--params", PARAMS] if self.values else []
            return [python, script, *paths, *options]
        return [PROGRAMS[self.kind], script, *paths, *values]

    def entry(self) -> str:
        """The entry of dvc.yaml."""
        inputs, outputs = self.arguments
        command = " ".join(
            f'"{word}"' if "${" in word else shlex.quote(word)
            for word in self.words([one.path for one in inputs + outputs], self.executed)
        )
        models = [f"{posixpath.dirname(self.layout.models)}/__init__.py", self.layout.models]
        code = [self.layout.script, *(models if self.values and self.layout.models else ())]
        code += [PROFILE] if self.profile and self.kind == "r" else []
        meta = ["  meta:", f"    tools: [{', '.join(self.tools)}]"] if self.tools else []
        lines = [f"{self.name}:", *meta, *_command(command)]
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
            return notebook_text.of_stage(self)
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
        executed = "\0executed" if self.executed else ""
        given = self.words(marks, executed, python="\0sys.executable")
        words = [self._test_word(word) for word in given]
        program = PROGRAMS.get(self.kind, "")
        return _render(
            "test.py.j2",
            executed=self.executed,
            inputs=inputs,
            name=self.name,
            outputs=outputs,
            program="" if program == "sh" else program,
            words=words,
        )

    def _test_word(self, word: str) -> str:
        """A word of the command as Python: a variable, a text, or one that ends in a variable."""
        before, mark, variable = word.partition("\0")
        if mark:
            return f'f"{before}{{{variable}}}"' if before else variable
        before, mark, parameter = word.partition("${")
        if mark:
            word = before + str(self.values[parameter.rstrip("}").partition(".")[2]])
        return json.dumps(word, ensure_ascii=False)

    def _signature(self, arguments: Sequence[Argument]) -> str:
        texts = [f"{one.name}: Path" for one in arguments]
        texts += [f'params: Path = Path("{PARAMS}")'] if self.values else []
        line = f"def main({', '.join(texts)}) -> None:"
        if len(line) <= WIDTH:
            return line
        return "\n".join(["def main(", *(f"    {text}," for text in texts), ") -> None:"])


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
