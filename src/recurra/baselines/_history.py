"""Looking back along one series with holes: the last known value, the last known value of the same season."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

RESIDUAL_ORIGINS = 2_000
"""In-sample residuals come from at most this many origins, the most recent ones of each series."""


def last_known_row(y: Array) -> Rows:
    """For every row t, the last row up to t that is known, or -1; shape [rows]."""
    rows = np.arange(len(y), dtype=np.int64)
    return np.maximum.accumulate(np.where(np.isnan(y), -1, rows)) if len(y) else rows


def filled_forward(y: Array) -> Array:
    """Each hole filled with the last known value before it; NaN before the first known value; shape [rows]."""
    if not np.isnan(y).any():
        return y
    last = last_known_row(y)
    return np.where(last >= 0, y[np.maximum(last, 0)], np.nan)


def filled_by_season(y: Array, season: int) -> Array:
    """Each hole filled with the last known value a whole number of seasons before it; NaN if there is none; [rows]."""
    if not np.isnan(y).any():
        return y
    cycles = -(-len(y) // season)
    folded = np.concatenate([y, np.full(cycles * season - len(y), np.nan)]).reshape(cycles, season)
    last = np.maximum.accumulate(np.where(np.isnan(folded), -1, np.arange(cycles)[:, None]))
    return np.take_along_axis(folded, np.maximum(last, 0), axis=0).reshape(-1)[: len(y)]


def residual_origins(rows: int, first: int = 0) -> Rows:
    """The rows after which an in-sample forecast starts: the most recent ones, from row `first` on."""
    return np.arange(max(first, rows - 1 - RESIDUAL_ORIGINS, 0), max(rows - 1, 0), dtype=np.int64)


def targets_after(y: Array, origins: Rows, horizon: int) -> Array:
    """What followed each origin, shape [horizon, origin]; NaN past the end of the series."""
    padded = np.concatenate([y[1:], np.full(horizon, np.nan)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, horizon)[origins].T)


def naive_residuals(y: Array, horizon: int) -> Array:
    """What repeating the last known value missed by: y[t + k] - y[t], shape [horizon, origin]."""
    origins = residual_origins(len(y))
    return np.asarray(targets_after(y, origins, horizon) - filled_forward(y)[origins])
