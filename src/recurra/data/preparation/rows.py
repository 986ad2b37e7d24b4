"""A table's rows as a network sees them, each from its own past only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from recurra.data.preparation.gaps import gap_input
from recurra.data.preparation.reference import Array, Lookback, Reference, Steps

Rows = npt.NDArray[np.int64]
SQUASH = 5.0
FEW = 8
"""Look-backs below which one stretch of neighbours is no quicker to read than values one by one."""


def squash(x: Array) -> Array:
    """Nearly x for small x, logarithmic beyond: an extreme value stays finite and rare.

    >>> squash(np.array([0.1, 1e30])).round(1).tolist()
    [0.1, 340.8]
    """
    return _squash(x.copy())


def _squash(x: Array) -> Array:
    """The same, in x itself: one pass through memory less for each operation."""
    x /= SQUASH
    np.arcsinh(x, out=x)
    x *= SQUASH
    return x


def side_by_side(columns: Sequence[Array]) -> Array:
    """Columns [n, k] as one array; where only one of them has any, that one itself."""
    wide = [part for part in columns if part.shape[1]]
    return wide[0] if len(wide) == 1 else np.concatenate(wide or columns, axis=1)


@dataclass(frozen=True)
class Origins:
    """The values that any computation at some origins may look at: the past of each, nothing else.

    Args:
        lookback: lookback(j) are the values j steps before each origin, for steps j [k]: [n, k]; the latest one
            beyond the first.
        observed: whether the target was observed at the origin itself, [n].
        shift, scale: level and spread of the series, as known at the origin, [n].
        step: mean absolute error of the reference rule one step ahead, as known at the origin, [n].
        since: rows since the target was last observed, [n].
        begun: whether the series has a level by then; there is nothing to forecast from before, [n].
    """

    lookback: Lookback
    observed: npt.NDArray[np.bool_]
    shift: Array
    scale: Array
    step: Array
    since: Rows
    begun: npt.NDArray[np.bool_]

    @property
    def level(self) -> Array:
        """The latest value in units of the scale, [n]."""
        now = self.lookback(np.zeros(1, np.int64))[:, 0]
        return squash((now - self.shift) / self.scale)

    def window(self, length: int) -> Array:
        """The last values relative to the latest one, in units of the scale, the latest one first, [n, length]."""
        values = self.lookback(np.arange(length))
        return squash((values - values[:, :1]) / self.scale[:, None])

    def target_inputs(self, lags: tuple[int, ...], show_missing: bool, show_gap: bool = False) -> Array:
        """The target's own inputs: level, look-backs relative to the present, if it is missing, and since when.

        Returns:
            [n, 1 + lags (+ 1) (+ 1)], without units.
        """
        values = self.lookback(np.array((0, *lags)))
        now, scaled = values[:, :1], np.empty(values.shape)
        np.subtract(now, self.shift[:, None], out=scaled[:, :1])
        np.subtract(values[:, 1:], now, out=scaled[:, 1:])
        scaled /= self.scale[:, None]
        columns = [_squash(scaled)]
        if show_missing:
            columns.append(self.observed.astype(np.float64)[:, None])
        if show_gap:
            columns.append(gap_input(self.since)[:, None])
        return side_by_side(columns)


def fill_missing(y: Array, offsets: Rows, reference: Reference, start_level: Array) -> tuple[Array, Rows]:
    """Every row's value for the reference rule: the observation, or the rule's own forecast where it is missing.

    Args:
        y: targets, NaN where missing, [rows].
        offsets: first row of each series and the end, [series + 1].
        reference: the rule.
        start_level: value of the rows before a series' first observation, [series].

    Returns:
        The filled values [rows], and each row's age: steps since the first observation (negative before it).
    """
    fill = y.copy()
    starts = np.repeat(offsets[:-1], np.diff(offsets))
    age = np.arange(len(y), dtype=np.int64) - starts
    missing = np.isnan(y)
    for i in np.unique(np.searchsorted(offsets, np.flatnonzero(missing), side="right") - 1):
        begin, end = int(offsets[i]), int(offsets[i + 1])
        seen = np.flatnonzero(~missing[begin:end])
        lead = int(seen[0]) if len(seen) else end - begin
        fill[begin : begin + lead] = start_level[i]
        age[begin:end] -= lead
        for row in begin + lead + np.flatnonzero(missing[begin + lead : end]):
            fill[row] = _next_value(fill, int(row), int(age[row]), reference, float(start_level[i]))
    return fill, age


def _next_value(fill: Array, row: int, age: int, reference: Reference, level: float) -> float:
    def lookback(j: Steps) -> Array:
        return fill[np.where(j < age, row - 1 - j, row - 1)][None]

    return float(reference.next(lookback, np.array([level]))[0])


def gather_lookback(fill: Array, age: Rows, rows: Rows) -> Lookback:
    """lookback(j) for the given rows of filled values."""
    ages, last = age[rows], rows

    def at(j: Steps, chosen: Rows | slice) -> Array:
        since, row = ages[chosen, None], last[chosen, None]
        result: Array = fill[np.where(since >= j, row - j, row)]
        return result

    def lookback(j: Steps) -> Array:
        if len(j) < FEW or len(j) != j[-1] + 1 - j[0] or len(j) > len(fill):
            return at(j, slice(None))
        stretches = sliding_window_view(fill[::-1], len(j))
        found: Array = stretches[np.minimum(len(fill) - 1 - last + j[0], len(stretches) - 1)]
        short = np.flatnonzero(ages < j[-1])
        if len(short):
            found[short] = at(j, short)
        return found

    return lookback
