import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc_bucket import dvc_hash
from dvc_bucket.stages import read_json, write_csv, write_json
from ruamel.yaml import YAML

from pipeline.evaluate import evaluate
from pipeline.report import MADE_BY, MODEL_NAMES, answer, main, month_names, sources, verdict
from pipeline.schemas import FEATURE_SETS
from pipeline.scores import calibration
from tests.pipeline_tools import (
    PARAMS,
    QUICK_EVALUATE,
    REPOSITORY,
    SCRIPTS,
    features_folder,
    interim,
    made_predictions,
    run,
)

TEMPLATE = SCRIPTS / "report.html.j2"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Elements of a page as (tag, attributes); every element that is opened must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the report stage reads, from made predictions."""
    folder = tmp_path_factory.mktemp("reports")
    predictions = made_predictions()
    write_json(evaluate(predictions, QUICK_EVALUATE), folder / "intervals.json")
    curves = [
        calibration(predictions[model], predictions["late"], 10).assign(model=model)
        for model in FEATURE_SETS
    ]
    write_csv(pd.concat(curves), folder / "plots" / "calibration.csv")
    tables = ["flights", "weather", "planes", "airports", "airlines"]
    validation = {
        "rows": dict.fromkeys(tables, 12345),
        "columns": dict.fromkeys(tables, 6),
        "cancelled": 8255,
        "violations": {"planes.year.is_present": {"found": 70, "tolerated": 70}},
    }
    write_json(validation, folder / "validation.json")
    return folder


@pytest.fixture(scope="module")
def page(reports: Path) -> str:
    main(features_folder(), interim(), reports, TEMPLATE, reports / "report.html", PARAMS)
    return (reports / "report.html").read_text(encoding="utf-8")


def gain(low: float, high: float) -> dict[str, float]:
    return {"auc": (low + high) / 2, "auc_low": low, "auc_high": high}


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.03, "adds 0.020 (90 % interval +0.010 to +0.030)"),
        (-0.03, -0.01, "takes away 0.020 (90 % interval -0.030 to -0.010)"),
        (-0.01, 0.03, "adds nothing that can be told from chance (+0.010, 90 % interval"),
    ],
)
def test_the_interval_of_a_gain_decides_its_wording(low: float, high: float, words: str) -> None:
    assert verdict(gain(low, high), 0.9).startswith(words)


@pytest.mark.parametrize(
    ("months", "words"),
    [
        ([6], "June"),
        ([12, 11], "November and December"),
        (list(range(1, 10)), "January to September"),
        ([1, 3, 5], "January, March and May"),
    ],
)
def test_months_are_named_as_people_name_them(months: list[int], words: str) -> None:
    assert month_names(months) == words


def test_the_answer_is_made_from_the_figures() -> None:
    aucs = dict(zip(FEATURE_SETS, (0.6, 0.7, 0.75, 0.74), strict=True))
    gains = [gain(0.09, 0.11), gain(0.04, 0.06), gain(-0.02, 0.0)]
    metrics: dict[str, Any] = {
        "confidence": 0.95,
        "models": {name: {"auc": auc} for name, auc in aucs.items()},
        "gains": dict(zip(FEATURE_SETS[1:], gains, strict=True)),
    }
    sentence = answer(metrics, 90)
    assert "the schedule alone picks the late one 60 times in 100 (AUC 0.600)" in sentence
    assert "the weather of the hour adds 0.100" in sentence
    assert "the airport's state 90 minutes earlier adds 0.050" in sentence
    assert "the aircraft adds nothing that can be told from chance (\N{MINUS SIGN}0.010" in sentence
    assert sentence.endswith("With all of it known: 75 times in 100.")


def test_the_page_holds_the_answer_and_every_models_scores(page: str, reports: Path) -> None:
    metrics = read_json(reports / "intervals.json")
    text = re.sub(r"\s+", " ", page.replace("&#39;", "'"))
    assert answer(metrics, 60) in text
    for model, name in MODEL_NAMES.items():
        row = metrics["models"][model]
        scores = [
            f"<td>{row[score]:.3f} "
            f"<small>({row[f'{score}_low']:.3f}\N{EN DASH}{row[f'{score}_high']:.3f})</small></td>"
            for score in ("auc", "log_loss", "brier")
        ]
        assert f"<td>{name}</td> {' '.join(scores)}" in text


def test_the_page_is_self_contained(page: str) -> None:
    for tag, attributes in Page(page).elements:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        for name in ("src", "srcset", "href", "xlink:href", "poster", "data"):
            assert (attributes.get(name) or "#").startswith("#")
    assert "@import" not in page
    assert not re.search(r"url\(\s*['\"]?(?!#)", page)


def test_every_id_of_the_page_is_unique_and_every_reference_has_its_target(page: str) -> None:
    attributes = [each for _, each in Page(page).elements]
    ids = [each["id"] for each in attributes if "id" in each]
    assert len(set(ids)) == len(ids)
    links = [each[name] or "" for each in attributes for name in each if name.endswith("href")]
    targets = {link.removeprefix("#") for link in links} | set(re.findall(r"url\(#([^)]+)\)", page))
    assert targets
    assert targets <= set(ids)


def test_every_figure_is_named_for_a_screen_reader(page: str) -> None:
    figures = [attributes for tag, attributes in Page(page).elements if tag == "svg"]
    assert len({figure["aria-label"] for figure in figures}) == 4
    assert {figure["role"] for figure in figures} == {"img"}


def test_the_page_carries_no_date_and_no_tools_name(page: str) -> None:
    assert not re.search(r"dc:date|dc:creator|Matplotlib|\d{4}-\d\d-\d\dT", page)


def test_the_page_is_the_same_bytes_in_another_process(
    page: str, reports: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.html"
    result = run(
        "report.py",
        *(features_folder(), interim(), reports, TEMPLATE, again),
        PYTHONHASHSEED="7",
        TZ="Asia/Tokyo",
        LC_ALL="C",
    )
    assert result.returncode == 0, result.stderr
    assert again.read_text(encoding="utf-8") == page


def test_every_figure_and_table_tells_what_it_was_made_from(page: str, reports: Path) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.replace("<td>", " ")))
    md5 = hashlib.md5((reports / "intervals.json").read_bytes()).hexdigest()
    assert text.count(f"Made from intervals.json, stage evaluate, MD5 {md5[:8]}.") == 3
    assert text.count("Made from") == 6  # four figures, two tables
    for source in sources(features_folder(), interim(), reports):
        assert f"{source.path.as_posix()} {source.stage} " in text
        assert source.md5 in text


def test_the_page_names_the_stages_that_made_its_sources() -> None:
    stages = YAML(typ="safe").load(REPOSITORY / "dvc.yaml")["stages"]
    makers = {
        Path(path).name: name
        for name, stage in stages.items()
        for out in stage["outs"]
        for path in ([out] if isinstance(out, str) else out)
    }
    assert {name: makers[name] for name in MADE_BY} == MADE_BY
    read = {Path(path).name for path in stages["report"]["deps"] if "src/" not in path}
    assert read == set(MADE_BY)


def test_a_hash_on_the_page_is_the_one_in_the_lock_file() -> None:
    """Of what is here: a file, and a directory."""
    lock = YAML(typ="safe").load(REPOSITORY / "dvc.lock")["stages"]
    for out in [*lock["clean"]["outs"], *lock["evaluate"]["outs"]]:
        path = REPOSITORY / out["path"]
        if path.exists():
            assert dvc_hash(path) == out["md5"]
