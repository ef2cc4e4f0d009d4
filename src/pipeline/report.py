"""One self-contained page: the question, the answer, figures, metrics, where the data is from."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from dvc_bucket import dvc_hash
from dvc_bucket.stages import read_json, read_parquet, run_stage, write_text

from pipeline.figures import calibration_figure, gains_figure, hours_figure, models_figure
from pipeline.params import Features, Fetch, Train
from pipeline.schemas import FEATURE_SETS, FIRST_YEAR

MODEL_NAMES = {
    "constant": "constant rate",
    "history": "historical rate",
    "logistic": "logistic, all but aircraft",
    "schedule": "schedule",
    "weather": "+ weather",
    "knock_on": "+ knock-on",
    "aircraft": "+ aircraft",
}

ADDED = {
    "weather": "the weather of the hour",
    "knock_on": "the airport's state {lead_minutes} minutes earlier",
    "aircraft": "the aircraft",
}

#: Not from `calendar`, whose names follow the locale.
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


#: Which stage makes what the page is made from.
MADE_BY = {
    "calibration.csv": "evaluate",
    "features": "features",
    "intervals.json": "evaluate",
    "origins.parquet": "clean",
    "validation.json": "validate",
}


@dataclass(frozen=True)
class Source:
    """A file or directory that figures and tables of the page are made from.

    Attributes:
        path: as the stage was given it.
        shown_in: what is made from it, by its anchor on the page and its name.
    """

    path: Path
    shown_in: dict[str, str]

    @property
    def stage(self) -> str:
        """The stage that made it."""
        return MADE_BY[self.path.name]

    @cached_property
    def md5(self) -> str:
        """Its hash now, which is the one in `dvc.lock`."""
        return dvc_hash(self.path)


def sources(features: Path, interim: Path, reports: Path) -> list[Source]:
    """What the page is made from."""
    hours = {"hours": "Delays build up over the day"}
    scores = {"models": "How well each model ranks", "gains": "What each adds"}
    tables = {"metrics": "Metrics"}
    return [
        Source(reports / "intervals.json", scores | tables),
        Source(reports / "plots" / "calibration.csv", {"calibration": "Are they true?"}),
        Source(features, hours),
        Source(interim / "origins.parquet", hours),
        Source(reports / "validation.json", {"raw": "Where the data is from"}),
    ]


def month_names(months: list[int]) -> str:
    """Months (1 to 12) in words: `June`, `May and June`, `January to September`."""
    ordered = sorted(months)
    names = [MONTHS[month - 1] for month in ordered]
    if len(names) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{names[0]} to {names[-1]}"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def verdict(gain: dict[str, float], confidence: float) -> str:
    """What an AUC gain says, in words: its interval decides whether it can be told from chance."""
    share = round(100 * confidence)
    bounds = f"{share} % interval {gain['auc_low']:+.3f} to {gain['auc_high']:+.3f}"
    if gain["auc_low"] > 0:
        return f"adds {gain['auc']:.3f} ({bounds})"
    if gain["auc_high"] < 0:
        return f"takes away {-gain['auc']:.3f} ({bounds})"
    return f"adds nothing that can be told from chance ({gain['auc']:+.3f}, {bounds})"


def answer(metrics: dict[str, Any], lead_minutes: int) -> str:
    """The answer in one sentence, made from the figures."""
    models, gains = metrics["models"], metrics["gains"]
    alone = models["schedule"]["auc"]
    best = max(models[name]["auc"] for name in FEATURE_SETS)
    clauses = [
        ADDED[name].format(lead_minutes=lead_minutes)
        + " "
        + verdict(gains[name], metrics["confidence"])
        for name in FEATURE_SETS[1:]
    ]
    return (
        "Of a late and a punctual flight, the schedule alone picks the late one "
        f"{alone * 100:.0f} times in 100 (AUC {alone:.3f}); {', '.join(clauses[:-1])}, and "
        f"{clauses[-1]}. With all of it known: {best * 100:.0f} times in 100."
    ).replace("-0.", "\N{MINUS SIGN}0.")


def late_by_hour(features: pd.DataFrame) -> pd.DataFrame:
    """Share of late departures by origin and scheduled local hour."""
    hour = (features["minute_of_day"] // 60).rename("hour")
    return features.groupby(["origin", hour])["late"].mean().reset_index()


def render(template: Path, content: dict[str, Any]) -> str:
    """Fill the page's template; a name that the template asks for and nobody gives is an error."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(content)


def main(
    features: Path,
    interim: Path,
    reports: Path,
    template: Path,
    page: Path,
    params: Path = Path("params.yaml"),
) -> None:
    """Read FEATURES, INTERIM/origins and the results in REPORTS; fill TEMPLATE and write PAGE."""
    metrics = read_json(reports / "intervals.json")
    models, gains = metrics["models"], metrics["gains"]
    flights = read_parquet(features, ["origin", "minute_of_day", "late"], pattern=FIRST_YEAR)
    origins = read_parquet(interim / "origins.parquet")
    names_of_origins = dict(zip(origins["origin"], origins["name"], strict=True))
    curves = pd.read_csv(reports / "plots" / "calibration.csv")
    names = {name: MODEL_NAMES[name] for name in ("schedule", "weather", "knock_on")}
    about, months = Features.read(params), Train.read(params)
    content = {
        "answer": answer(metrics, about.lead_minutes),
        "metrics": metrics,
        "names": MODEL_NAMES,
        "late_minutes": about.late_minutes,
        "lead_minutes": about.lead_minutes,
        "train_months": month_names(months.train_months),
        "tune_months": month_names(months.tune_months),
        "test_months": month_names(months.test_months),
        "year_late": flights["late"].mean(),
        "year_flights": len(flights),
        "validation": read_json(reports / "validation.json"),
        "sha256": Fetch.read(params).sha256,
        "sources": sources(features, interim, reports),
        "figures": {
            "models": models_figure({name: models[name] for name in MODEL_NAMES}, MODEL_NAMES),
            "gains": gains_figure({name: gains[name] for name in FEATURE_SETS[1:]}, MODEL_NAMES),
            "calibration": calibration_figure(curves, names),
            "hours": hours_figure(late_by_hour(flights), names_of_origins),
        },
    }
    write_text(render(template, content), page)


if __name__ == "__main__":
    run_stage(main)
