"""Level, spread and step of a series from its last so many observations: instance normalisation, causally."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.reference import Array
from recurra.data.preparation.running import SMALLEST_STEP, usable_scale

VALUES_AT_ONCE = 4_000_000


@dataclass
class WindowLevel:
    """The last observations themselves, from which level and spread follow at every origin; one entry a stream.

    Reversible instance normalisation (Kim et al. 2022) takes mean and deviation of the window that a forecast is made
    from, and gives them back to what is forecast. Here the window is the last `memory` observations up to the origin,
    so that it moves along with a stream. Missing rows change nothing.

    Args:
        memory: observations of a window.
        values: the last ones, the latest at the end, NaN where there were none yet, [n, memory].
        misses: absolute one-step errors of the reference rule, likewise, [n, memory].
    """

    memory: int
    values: Array
    misses: Array

    names = ("values", "misses")

    @classmethod
    def empty(cls, n: int, memory: float) -> "WindowLevel":
        """Nothing seen yet by any of n streams."""
        return cls(int(memory), np.full((n, int(memory)), np.nan), np.full((n, int(memory)), np.nan))

    def select(self, streams: npt.NDArray[np.int64]) -> "WindowLevel":
        """A copy of some streams' windows."""
        return WindowLevel(self.memory, self.values[streams], self.misses[streams])

    def assign(self, streams: npt.NDArray[np.int64], other: "WindowLevel") -> None:
        """Write the windows of some streams back."""
        self.values[streams], self.misses[streams] = other.values, other.misses

    def fields(self) -> tuple[Array, ...]:
        """The windows in their fixed order, as snapshots keep them."""
        return self.values, self.misses

    @classmethod
    def of_fields(cls, memory: float, *fields: Array) -> "WindowLevel":
        """What `fields` gave."""
        return cls(int(memory), *fields)

    def add(self, y: Array, error: Array) -> None:
        """One row of every stream; see `RunningLevel.add`."""
        self.values, self.misses = _pushed(self.values, y), _pushed(self.misses, error)

    def over(self, y: Array, error: Array) -> tuple[Array, Array, Array]:
        """Level, spread and step after every row of series that nothing was seen of before, each [series, rows]."""
        each = [self._over_one(*one) for one in zip(y, error, strict=True)]
        level, spread, step = (np.stack(parts) for parts in zip(*each, strict=True))
        return level, spread, step

    def _over_one(self, y: Array, error: Array) -> tuple[Array, Array, Array]:
        seen, known = ~np.isnan(y), ~np.isnan(error)
        parts = [_statistics(window) for window in _windows(y[seen], self.memory)]
        mean = np.concatenate([[0.0], *(part[0] for part in parts)])[np.cumsum(seen)]
        variance = np.concatenate([[0.0], *(part[1] for part in parts)])[np.cumsum(seen)]
        misses = [_statistics(window)[0] for window in _windows(error[known], self.memory)]
        miss = np.concatenate([[0.0], *misses])[np.cumsum(known)]
        scale = usable_scale(variance, mean)
        return mean, scale, _step(miss, np.cumsum(known) > 0, scale)

    def at(self, y: Array, error: Array, rows: npt.NDArray[np.int64]) -> "WindowLevel":
        """The windows of one series after some of its rows."""
        windows = []
        for given in (y, error):
            known = ~np.isnan(given)
            padded = np.concatenate([np.full(self.memory, np.nan), given[known]])
            end = np.cumsum(known)[rows]
            windows.append(padded[end[:, None] + np.arange(self.memory)])
        return WindowLevel(self.memory, windows[0], windows[1])

    def shift(self) -> Array:
        """Mean of the window; zero before the first observation."""
        return _statistics(self.values)[0]

    def scale(self) -> Array:
        """Standard deviation of the window; while all are equal their size, or 1 for zeros."""
        mean, variance = _statistics(self.values)
        return usable_scale(variance, mean)

    def step(self, scale: Array) -> Array:
        """Mean absolute one-step error of the reference in the window; a tenth of the scale before the first."""
        return _step(_statistics(self.misses)[0], ~np.isnan(self.misses[:, -1]), scale)


def _pushed(window: Array, value: Array) -> Array:
    moved = np.concatenate([window[:, 1:], value[:, None]], axis=1)
    return np.where(np.isnan(value)[:, None], window, moved)


def _windows(values: Array, memory: int) -> Iterator[Array]:
    """The window that ends at each value, [n, memory], in blocks that fit into memory."""
    padded = np.concatenate([np.full(memory - 1, np.nan), values])
    if len(values):
        windows = np.lib.stride_tricks.sliding_window_view(padded, memory)
        stride = max(1, VALUES_AT_ONCE // memory)
        yield from (windows[begin : begin + stride] for begin in range(0, len(windows), stride))


def _statistics(windows: Array) -> tuple[Array, Array]:
    """Mean and variance of what is known of each window, zeros for an empty one, [n]."""
    known = ~np.isnan(windows)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, windows, 0.0).sum(axis=1) / count
    distance = np.where(known, windows - mean[:, None], 0.0)
    return mean, (distance * distance).sum(axis=1) / count


def _step(miss: Array, known: npt.NDArray[np.bool_], scale: Array) -> Array:
    return np.where(known, np.maximum(miss, SMALLEST_STEP * scale), 0.1 * scale)
