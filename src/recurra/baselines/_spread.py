"""How far a rule's forecasts miss, as empirical quantiles per step: from in-sample residuals, pooled where few."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data.series import SeriesTable

Array = npt.NDArray[np.float64]

ENOUGH = 20
"""A step with fewer residuals of its own takes the pooled ones."""
POOLED_ORIGINS = 200
"""The pool takes at most this many of the latest origins from each series."""


@dataclass(frozen=True)
class Spread:
    """Offsets of the quantiles from a rule's forecast, for the series they were learned on and for unseen ones.

    Attributes:
        offsets: for each id, offsets in the units of the target, shape [horizon, level]; 0 at level 0.5.
        pooled: the same in units of a series' scale, shape [horizon, level]; NaN where no residual is known.
        relative_scale: scale over mean absolute value, the median over series; for a series without a scale.
    """

    offsets: dict[str | int, Array]
    pooled: Array
    relative_scale: float

    def of(self, series_id: str | int, y: Array) -> Array:
        """The offsets of one series, whose history so far is y [rows]; shape [horizon, level]."""
        if series_id in self.offsets:
            return self.offsets[series_id]
        return np.asarray(np.nan_to_num(self.pooled * own_scale(y, self.relative_scale)))


def learn_spread(
    history: SeriesTable, residuals: Callable[[Array], Array], horizon: int, levels: Sequence[float]
) -> Spread:
    """Quantiles of a rule's in-sample residuals.

    Args:
        history: the rows to learn from.
        residuals: from one series y [rows] to what the rule missed by, shape [horizon, origin], NaN = unknown.
        horizon: steps ahead.
        levels: the quantiles asked for.

    Returns:
        Per series and step the empirical quantiles, moved so that their median is 0. A step with under 20
        residuals of its own takes the pooled residuals of all series, each divided by its series' scale (mean
        absolute change from row to row) and multiplied by the scale of the series at hand. A step without any
        takes those of the step before.
    """
    series = {history.ids[i]: history.series(i).y for i in range(history.n_series)}
    relative = _relative_scale(list(series.values()))
    tau = np.asarray(levels, dtype=np.float64)
    own: dict[str | int, tuple[Array, npt.NDArray[np.int64]]] = {}
    pool: list[Array] = []
    for series_id, y in series.items():
        errors = residuals(y)
        own[series_id] = centred_quantiles(errors, tau)
        scale = own_scale(y, relative)
        if scale > 0.0:
            pool.append(errors[:, -POOLED_ORIGINS:] / scale)
    every = np.concatenate(pool, axis=1) if pool else np.empty((horizon, 0))
    pooled, pooled_count = centred_quantiles(every, tau)
    offsets = {}
    for series_id, (quantiles, count) in own.items():
        lent = pooled * own_scale(series[series_id], relative)
        few = (count < ENOUGH) & (pooled_count > count)
        offsets[series_id] = _carried_forward(np.where(few[:, None], lent, quantiles))
    return Spread(offsets=offsets, pooled=_carried_forward(pooled), relative_scale=relative)


def centred_quantiles(residuals: Array, tau: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Empirical quantiles of each row of residuals [step, origin] less their median, and how many are known.

    The quantile at level τ of n sorted residuals lies at place (n + 1) τ, so that a new residual falls below it
    with probability τ whatever their distribution (Hyndman & Fan 1996, definition 6).

    Returns:
        Quantiles [step, level], NaN where nothing is known; counts [step].
    """
    count = np.sum(~np.isnan(residuals), axis=1)
    if residuals.shape[1] == 0:
        return np.full((len(residuals), len(tau)), np.nan), count
    ordered = np.sort(residuals, axis=1)
    place = np.clip((count[:, None] + 1) * np.append(tau, 0.5) - 1.0, 0.0, np.maximum(count - 1, 0)[:, None])
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count - 1, 0)[:, None])
    low, high = np.take_along_axis(ordered, below, axis=1), np.take_along_axis(ordered, above, axis=1)
    quantiles = low + (place - below) * (high - low)
    centred = np.maximum.accumulate(quantiles[:, :-1], axis=1) - quantiles[:, -1:]
    return centred, count


def own_scale(y: Array, relative_scale: float = 0.0) -> float:
    """Mean absolute change from row to row of y [rows]; failing that `relative_scale` times its mean absolute value."""
    steps = np.abs(np.diff(y))
    steps = steps[~np.isnan(steps)]
    if steps.size:
        return float(np.mean(steps))
    known = np.abs(y[~np.isnan(y)])
    return float(np.mean(known)) * relative_scale if known.size else 0.0


def _relative_scale(series: list[Array]) -> float:
    ratios = []
    for y in series:
        scale, known = own_scale(y), np.abs(y[~np.isnan(y)])
        if scale > 0.0 and known.size:
            ratios.append(scale / float(np.mean(known)))
    return float(np.median(ratios)) if ratios else 0.0


def _carried_forward(quantiles: Array) -> Array:
    """Steps without residuals take the quantiles of the step before; without any step, 0. Shape [step, level]."""
    known = ~np.isnan(quantiles[:, 0])
    last = np.maximum.accumulate(np.where(known, np.arange(len(quantiles)), -1))
    return np.where(last[:, None] >= 0, quantiles[np.maximum(last, 0)], 0.0)
