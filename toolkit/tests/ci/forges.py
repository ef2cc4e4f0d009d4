"""The two CI files as their forges read them: which jobs an event starts, and what those run.

Sources: GitHub Docs, "Evaluate expressions in workflows and actions" and "Contexts"; GitLab Docs,
"CI/CD YAML syntax reference" and "Specify when jobs run with rules".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ruamel.yaml import YAML

from tests.end_to_end.clones import REPOSITORY

GITHUB = REPOSITORY / ".github/workflows/reproduce.yml"
GITLAB = REPOSITORY / ".gitlab-ci.yml"

DEFAULT_BRANCH = "main"


@dataclass(frozen=True)
class Event:
    """What happened at a forge.

    Attributes:
        kind: `push`, `request` (pull or merge) or `schedule`.
        branch: that was pushed to.
        is_fork: the request's source is another repository.
        by_bot: Dependabot opened it.
        has_bucket: the repository has the variable OS_ENDPOINT_URL.
        has_pages: it has the variable PAGES.
        has_mac: a runner with macOS is there: always at GitHub, at GitLab with MACOS_RUNNER.
    """

    kind: str
    branch: str = DEFAULT_BRANCH
    is_fork: bool = False
    by_bot: bool = False
    has_bucket: bool = False
    has_pages: bool = False
    has_mac: bool = True


@dataclass(frozen=True)
class Script:
    """Lines that one shell runs.

    Attributes:
        text: the lines.
        env: variables of these lines alone: values, or expressions.
        is_wanted: whether they run in this event.
    """

    text: str
    env: Mapping[str, str] = field(default_factory=dict)
    is_wanted: bool = True

    @property
    def lines(self) -> list[str]:
        """The commands, one by one."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]


@dataclass(frozen=True)
class Job:
    """A job of an event: its scripts in order, its variables, the environment that has its keys."""

    name: str
    scripts: Sequence[Script]
    env: Mapping[str, str]
    environment: str
    definition: Mapping[str, Any]


class GitHub:
    """The workflow.

    Args:
        event: that starts it.
        values: of variables, secrets and the token, by their names in expressions.
    """

    def __init__(self, event: Event, values: Mapping[str, str] | None = None) -> None:
        self.event, self.values = event, values or {}
        self.file = YAML(typ="safe").load(GITHUB)

    @cached_property
    def context(self) -> dict[str, str]:
        """What expressions can ask for, as far as ours do.

        GitHub gives a fork's run no variables; conditions have to hold if one day it does.
        """
        event = self.event
        known = {
            "github.event_name": "pull_request" if event.kind == "request" else event.kind,
            "github.repository": "group/project",
            "github.event.repository.default_branch": DEFAULT_BRANCH,
            "github.ref": f"refs/heads/{event.branch}",
        }
        if event.kind == "request":
            owner = "somebody" if event.is_fork else "group"
            login = "dependabot[bot]" if event.by_bot else "author"
            known |= {
                "github.ref": "refs/pull/7/merge",
                "github.event.pull_request.head.repo.full_name": f"{owner}/project",
                "github.event.pull_request.user.login": login,
            }
        if event.has_bucket:
            known["vars.OS_ENDPOINT_URL"] = "https://s3.example.org"
        if event.has_pages:
            known["vars.PAGES"] = "true"
        return {**known, **self.values}

    def evaluate(self, expression: object) -> Any:
        """The value of an expression."""
        text = re.sub(r"^\$\{\{|\}\}$", "", str(expression).strip())
        python = []
        for word in re.findall(r"'[^']*'|&&|\|\||[!=]=|!|[(),]|[\w.-]+", text):
            words = {"&&": "and", "||": "or", "!": "not", "true": "True", "false": "False"}
            is_name = re.fullmatch(r"(github|vars|secrets|steps)\..+", word)
            python.append(f"known({word!r})" if is_name else words.get(word, word))
        scope = {
            "known": lambda name: self.context.get(name, ""),
            "cancelled": lambda: False,
            "format": lambda form, *values: form.format(*values),
        }
        return eval(" ".join(python), {"__builtins__": {}}, scope)

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """Those that run, if all that they need succeeds."""
        found: dict[str, Job] = {}
        for name, job in self.file["jobs"].items():
            needs = job.get("needs", [])
            condition = str(job.get("if", "true"))
            if not self.evaluate(condition):
                continue
            # A job of which one that it needs was skipped is skipped, unless it says otherwise.
            if "cancelled()" not in condition and any(one not in found for one in needs):
                continue
            scripts = [self._script(step) for step in job["steps"] if "run" in step]
            environment = (job.get("environment") or {}).get("name", "")
            env = self._env({**self.file.get("env", {}), **job.get("env", {})})
            found[name] = Job(name, scripts, env, environment, job)
        return found

    def _script(self, step: Mapping[str, Any]) -> Script:
        is_wanted = bool(self.evaluate(step.get("if", "true")))
        return Script(step["run"], self._env(step.get("env", {})), is_wanted)

    def _env(self, values: Mapping[str, str]) -> dict[str, str]:
        return {
            name: str(self.evaluate(value)) if value.startswith("${{") else value
            for name, value in values.items()
        }


class GitLab:
    """The pipeline.

    Args:
        event: that starts it.
        values: of further variables.
    """

    def __init__(self, event: Event, values: Mapping[str, str] | None = None) -> None:
        self.event, self.values = event, values or {}
        self.file = YAML(typ="safe").load(GITLAB)

    @cached_property
    def variables(self) -> dict[str, str]:
        """What rules can ask for. A fork's pipeline is the fork's, with the fork's variables."""
        event = self.event
        sources = {"request": "merge_request_event"}
        known = {
            "CI_PIPELINE_SOURCE": sources.get(event.kind, event.kind),
            "CI_DEFAULT_BRANCH": DEFAULT_BRANCH,
        }
        if event.kind == "request":
            source = "2" if event.is_fork else "1"
            known |= {"CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "7"}
            known["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = source
        else:
            known["CI_COMMIT_BRANCH"] = event.branch
        if event.has_bucket:
            known["OS_ENDPOINT_URL"] = "https://s3.example.org"
        if event.has_pages:
            known["PAGES"] = "true"
        if event.has_mac:
            known["MACOS_RUNNER"] = "macs"
        return {**known, **self.values}

    def evaluate(self, condition: str) -> bool:
        """Whether the condition of a rule holds."""
        python = []
        for word in re.findall(r'"[^"]*"|&&|\|\||[!=]=|[()]|\$\w+|null', condition):
            words = {"&&": "and", "||": "or", "null": "None"}
            python.append(
                f"known({word[1:]!r})" if word[0] == "$" else words.get(word, word),
            )
        scope = {"known": self.variables.get}
        return bool(eval(" ".join(python), {"__builtins__": {}}, scope))

    def rule(self, rules: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The first rule that holds; None if none does, or it says never."""
        for one in rules:
            if "if" not in one or self.evaluate(one["if"]):
                return None if one.get("when") == "never" else one
        return None

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """Those that run, if all of the stages before succeed."""
        reserved = {"workflow", "variables", "stages", "default"}
        if self.rule(self.file["workflow"]["rules"]) is None:
            return {}
        found = {}
        for name, job in self.file.items():
            if name in reserved or name.startswith("."):
                continue
            rule = self.rule(job["rules"])
            if rule is None:
                continue
            scripts = [
                Script("\n".join(job[part])) for part in ("script", "after_script") if part in job
            ]
            env = {**self.file["variables"], **rule.get("variables", {})}
            # A variable of the project wins over one of the file.
            env = {name: self._expanded(value) for name, value in (env | self.variables).items()}
            environment = (job.get("environment") or {}).get("name", "")
            found[name] = Job(name, scripts, env, environment, job)
        return found

    def _expanded(self, value: str) -> str:
        return re.sub(r"\$(\w+)", lambda name: self.variables.get(name[1], ""), value)


#: Both, for tests that ask the same of either.
FORGES: tuple[type[GitHub] | type[GitLab], ...] = (GitHub, GitLab)
