"""`bucket report --experiments`: the page for names and values of any kind."""

from typing import Any

from dvc_bucket.dvc.patched.listed_experiments import Experiment
from dvc_bucket.jobs.report.experiments import side_by_side
from dvc_bucket.jobs.report.page import MAX_PAGE_BYTES, render_experiments
from tests.report.made import ODD
from tests.report.test_report import read


def one(name: str, params: dict[str, Any], metrics: dict[str, Any]) -> Experiment:
    commit = f"{name.encode().hex():0<40}"[:40]
    return Experiment(name, commit, {"params.yaml": params}, {"metrics.json": metrics})


def page(*found: Experiment) -> str:
    return render_experiments(side_by_side(found, f"Subject {ODD}"))


def test_experiments_are_in_the_order_of_what_was_varied() -> None:
    rows = [one(f"e{seed}", {"train": {"seed": seed}}, {"auc": seed / 100}) for seed in (10, 9, 2)]
    found = side_by_side([one("", {"train": {"seed": 1}}, {"auc": 0.5}), *rows], "")
    assert [row.name for row in found.rows] == ["", "e2", "e9", "e10"]
    assert [name.text for name in found.params] == ["train.seed"]
    assert [point.label for point in found.plots[0].after or ()] == ["2", "9", "10"]


def test_over_two_parameters_a_diagram_has_the_names() -> None:
    rows = [one(f"e{a}{b}", {"a": a, "b": b}, {"auc": a + b}) for a in (1, 2) for b in (3, 4)]
    text = page(one("", {"a": 0, "b": 0}, {"auc": 0}), *rows)
    assert '  x-axis "experiment" ["e13", "e14", "e23", "e24"]\n  y-axis "auc" 0 --> ' in text
    assert "  bar [4, 5, 5, 6]\n" in text


def test_of_experiments_and_metrics_the_longer_list_goes_down() -> None:
    rows = [one(name, {"p": name}, {f"m{n}": ord(name) + n for n in range(3)}) for name in "ab"]
    text = page(one("", {"p": "-"}, {"m0": 0}), *rows)
    assert "| experiment | the commit itself | `a` | `b` |\n| --- | ---: | ---: | ---: |\n" in text
    assert "| `p` | `-` | `a` | `b` |\n| `m0` | 0 | 97 | 98 |\n" in text


def test_where_a_value_is_there_twice_a_diagram_has_the_names() -> None:
    rows = [one(name, {"p": 1}, {"m": number}) for number, name in enumerate("ab")]
    assert '  x-axis "experiment" ["a", "b"]\n' in page(one("", {"p": 0}, {"m": 5}), *rows)


def test_names_and_values_are_text_and_nothing_else() -> None:
    rows = [one(f"e{number}", {ODD: f"{ODD}{number}"}, {ODD: number}) for number in range(3)]
    seen = read(page(one("", {ODD: ODD}, {ODD: ODD}), *rows, one(ODD, {}, {ODD: 3})))
    table = {"table", "thead", "tbody", "tr", "th", "td"}
    assert seen.elements <= {"h2", "p", "pre", "code", "sub", *table}
    assert seen.codes.count(ODD) >= 3
    assert {f"{ODD}{number}" for number in range(3)} <= set(seen.codes)


def test_what_is_the_same_or_missing_is_named() -> None:
    rows = [one("a", {"p": 1}, {"auc": 1, "rows": 7}), one("b", {"p": 2}, {"rows": 7})]
    unread = Experiment("c", "c" * 40, {"params.yaml": {"p": 3}}, {"metrics.json": None})
    text = page(one("", {"p": 0}, {"auc": 2, "rows": 7}), *rows)
    assert "Without a difference: `rows`.\n" in text
    assert "| `b` | 2 |  |\n" in text
    lost = Experiment("d", "d" * 40, {}, {}, is_readable=False)
    text = page(one("", {"p": 0}, {"auc": 2, "rows": 7}), *rows, unread, lost)
    assert "Not readable: `d`.\n" in text
    assert "Not at hand: `metrics.json` of `c`.\n" in text


def test_numbers_that_cannot_be_drawn_are_in_the_table() -> None:
    values = {"a": float("nan"), "b": float("inf"), "c": 10**400}
    rows = [one(name, {"p": value}, {"m": value}) for name, value in values.items()]
    text = page(one("", {"p": 1}, {"m": 1}), *rows)
    assert text.count("| `a` | ") == 1
    assert "mermaid" not in text


def test_without_experiments_it_says_how_to_make_some() -> None:
    text = page(one("", {"p": 0}, {"auc": 2}))
    assert "## 0 experiments from " in text
    assert "No experiments begin with this commit: `bucket exp run " in text


def test_a_large_sweep_fits_into_a_comment() -> None:
    names = [f"metric_{number}_{'x' * 80}" for number in range(60)]
    rows = [one(f"e{n}", {"p": n}, dict.fromkeys(names, n / 7)) for n in range(300)]
    text = page(one("", {"p": -1}, {}), *rows)
    assert len(text.encode()) <= MAX_PAGE_BYTES
    assert "\nAnd 250 more experiments.\n" in text
    assert "\nAlso different: " in text
