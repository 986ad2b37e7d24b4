"""Scores of one forecaster at one horizon, from its figures of every day; means over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.evaluation.market.days import FIELDS, VAR_LEVELS
from recurra.metrics import Kupiec, kupiec, uniformity, wilson_interval

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MEANS = ("qlike", "nll", "gaussian_nll", "crps", "pit_distance", "right")


@dataclass(frozen=True)
class MarketScores:
    """Scores of one forecaster at one horizon, over all assets and days.

    Tests and intervals count the assets of a day once, and overlapping sums over h days once in h days: neither are
    independent. With several seeds scores and shares are means over them, p values and intervals those of the first.

    Attributes:
        qlike: mean QLIKE of the variance.
        nll: mean negative log likelihood of the returns under its own distribution, in nats.
        gaussian_nll: the same under a normal distribution with its mean and variance.
        crps: mean CRPS of the returns, in percent.
        pit_distance, pit_p: how far the probability integral transforms are from uniform; for one day ahead.
        value_at_risk: share of days below the 1 % and 5 % quantile, with Kupiec's test; for one day ahead.
        right: share of days whose direction was forecast; days without a change are left out; NaN for a
            forecaster whose mean is always 0.
        right_interval: its Wilson interval, 95 %.
        n: days with a known return, of all assets.
    """

    qlike: float
    nll: float
    gaussian_nll: float
    crps: float
    pit_distance: float
    pit_p: float
    value_at_risk: tuple[Kupiec, ...]
    right: float
    right_interval: tuple[float, float]
    n: int


def score(figures: Array, came: Array, days: int) -> MarketScores:
    """The scores of one network or rule.

    Args:
        figures: FIELDS, [asset, field, day].
        came: sum of the next returns, [asset, day]; NaN where masked.
        days: the horizon.
    """
    each = {name: figures[:, i] for i, name in enumerate(FIELDS)}
    moved = ~np.isnan(came) & (came != 0.0) & ~np.isnan(each["up"])
    right, interval = share_of_days((each["up"] > 0.5) == (came > 0.0), moved, days)
    distance, p = uniformity(as_many_as_days(each["pit"])) if days == 1 else (math.nan, math.nan)
    below = [coverage(each[name], level) for name, level in zip(("below_1", "below_5"), VAR_LEVELS, strict=True)]
    return MarketScores(
        qlike=float(np.nanmean(each["qlike"])),
        nll=float(np.nanmean(each["nll"])),
        gaussian_nll=float(np.nanmean(each["gaussian_nll"])),
        crps=float(np.nanmean(each["crps"])),
        pit_distance=distance,
        pit_p=p,
        value_at_risk=tuple(below) if days == 1 else (),
        right=right,
        right_interval=interval,
        n=int(np.sum(~np.isnan(each["pit"]))),
    )


def over_seeds(each: Sequence[MarketScores]) -> MarketScores:
    """Means of scores and shares; p values, intervals and counts are those of the first seed."""
    first = each[0]
    means: dict[str, Any] = {name: float(np.mean([getattr(scores, name) for scores in each])) for name in _MEANS}
    risk = [
        replace(test, share=float(np.mean([scores.value_at_risk[i].share for scores in each])))
        for i, test in enumerate(first.value_at_risk)
    ]
    return replace(first, **means, value_at_risk=tuple(risk))


def share_of_days(hits: Bools, known: Bools, days: int) -> tuple[float, tuple[float, float]]:
    """Share of the known places that are hits, and its Wilson interval with as many trials as days that do not overlap.

    Args:
        hits: [asset, day].
        known: the same shape.
        days: that each outcome stretches over.
    """
    share = float(np.mean(hits[known])) if known.any() else math.nan
    trials = int(known.any(axis=0).sum()) // days
    return share, wilson_interval(round(share * trials), trials) if trials else (math.nan, math.nan)


def coverage(below: Array, level: float) -> Kupiec:
    """Share below a value at risk, with Kupiec's test on as many violations as days; [asset, day], NaN left out."""
    test = kupiec(as_many_as_days(below) > 0.5, level)
    return replace(test, share=float(np.nanmean(below))) if test.n else test


def as_many_as_days(values: Array) -> Array:
    """Values of the same distribution, sorted, but only as many as there are days; [asset, day] to [days].

    Those of one asset stay as they are. Several on one day are not independent, and counting them all would make
    everything significant.
    """
    known = ~np.isnan(values)
    n = int(known.any(axis=0).sum())
    if n == 0:
        return np.empty(0)
    return np.asarray(np.quantile(values[known], (np.arange(n) + 0.5) / n, method="hazen"))
