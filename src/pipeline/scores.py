"""How well probabilities rank and how true they are, with intervals from resampled days.

Flights of one day share its weather and its jams, so days, not flights, are drawn with
replacement (a cluster bootstrap). Every score here is a ratio of sums over days or pairs of days,
so a resample needs only how often each day was drawn: two thousand cost less than sorting once.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

#: Probabilities are kept this far from 0 and 1, where the log loss would be infinite.
CLIP = 1e-6

SCORES = ["auc", "log_loss", "brier"]


@dataclass(frozen=True)
class DailyScores:
    """What one model's scores need to know of each of d days.

    Attributes:
        wins: shape (d, d), [i, j]: of the pairs of a late flight of day i and a punctual one of
            day j, in how many the late one has the higher probability; a tie counts half.
        late: shape (d,), late flights.
        flights: shape (d,), all flights.
        log_loss: shape (d,), sum of -log(probability of what happened), nats.
        brier: shape (d,), sum of (probability - outcome) squared.
    """

    wins: np.ndarray
    late: np.ndarray
    flights: np.ndarray
    log_loss: np.ndarray
    brier: np.ndarray

    @classmethod
    def of(cls, day: np.ndarray, late: np.ndarray, probability: np.ndarray) -> Self:
        """Sum up n flights, given by `day` (0 to d - 1), `late` (bool) and `probability`."""
        days = int(day.max()) + 1
        clipped = np.clip(probability, CLIP, 1 - CLIP)
        surprise = -np.log(np.where(late, clipped, 1 - clipped))
        return cls(
            wins=_wins(day, late, probability, days),
            late=np.bincount(day[late], minlength=days),
            flights=np.bincount(day, minlength=days),
            log_loss=np.bincount(day, surprise, minlength=days),
            brier=np.bincount(day, (probability - late) ** 2, minlength=days),
        )

    def scores(self, draws: np.ndarray) -> pd.DataFrame:
        """AUC, log loss and Brier score of resamples in which day j occurs `draws[:, j]` times.

        The AUC is the Mann-Whitney U statistic over the number of pairs (Hanley and McNeil 1982);
        in a resample, the pairs of days (i, j) count draws i times draws j times.

        Args:
            draws: shape (resamples, d), whole numbers.

        Returns:
            One row a resample; null where it has only late or only punctual flights.
        """
        flights = draws @ self.flights
        late = draws @ self.late
        pairs = (late * (flights - late)).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            auc = np.einsum("ri,ij,rj->r", draws, self.wins, draws, optimize=True) / pairs
        return pd.DataFrame(
            {
                "auc": auc,
                "log_loss": draws @ self.log_loss / flights,
                "brier": draws @ self.brier / flights,
            }
        )


def _wins(day: np.ndarray, late: np.ndarray, probability: np.ndarray, days: int) -> np.ndarray:
    """The matrix `DailyScores.wins`."""
    wins = np.zeros((days, days))
    # In order of probability: a search that follows another nearby is several times as fast.
    order = np.argsort(probability[late])
    asked, asked_day = probability[late][order], day[late][order]
    for j in range(days):
        punctual = np.sort(probability[~late & (day == j)])
        below = np.searchsorted(punctual, asked, side="left")
        not_above = np.searchsorted(punctual, asked, side="right")
        wins[:, j] = np.bincount(asked_day, (below + not_above) / 2, minlength=days)
    return wins


def draw_days(days: int, resamples: int, seed: int) -> np.ndarray:
    """How often each day is drawn in each resample, shape (resamples, days); rows sum to `days`."""
    uniform = np.full(days, 1 / days)
    return np.random.default_rng(seed).multinomial(days, uniform, size=resamples)


def interval(values: "pd.Series[float]", confidence: float) -> tuple[float, float]:
    """The central interval that holds the share `confidence` of the resampled values."""
    low, high = values.quantile([(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def calibration(
    probability: "pd.Series[float]", late: "pd.Series[bool]", bins: int
) -> pd.DataFrame:
    """Mean probability against the share that was late, in bins of equal size by probability.

    Equal probabilities share a bin, so there may be fewer than `bins` rows.
    """
    edges = np.unique(np.quantile(probability, np.arange(1, bins) / bins))
    bin_number = np.searchsorted(edges, probability, side="left")
    groups = pd.DataFrame({"probability": probability, "late": late}).groupby(bin_number)
    return pd.DataFrame(
        {
            "predicted": groups["probability"].mean(),
            "observed": groups["late"].mean(),
            "flights": groups.size(),
        }
    ).reset_index(drop=True)
