"""Level, spread and step of a series from its recent past only, over a whole series at once or row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.reference import Array

SMALLEST_STEP = 1e-3
ROUNDING = 1e-14  # a variance below this share of the mean's square is rounding, not variation
BLOCK = 64


@dataclass
class RunningLevel:
    """Fading sums from which level, spread and step follow; one entry a stream.

    At each observation every sum fades by f = 1 - 1 / memory before it grows, so that they speak of about the
    last `memory` observations and follow a series whose level or size moves. Missing rows change nothing.

        count(t) = f count(t-1) + 1        total(t) = f total(t-1) + y(t)        mean(t) = total(t) / count(t)
        squares(t) = f squares(t-1) + (y(t) - mean(t-1)) (y(t) - mean(t))

    The last line is West's update (1979): it subtracts nothing large, so that neither a large level nor a first
    observation far from the others costs digits.

    Args:
        memory: observations that the sums reach back over.
        count: observations, faded.
        total: sum of the observations.
        squares: sum of their squared distances from the mean.
        errors: sum of the absolute one-step errors of the reference rule.
        steps: number of those errors, faded.
    """

    memory: float
    count: Array
    total: Array
    squares: Array
    errors: Array
    steps: Array

    names = ("count", "total", "squares", "errors", "steps")

    @classmethod
    def empty(cls, n: int, memory: float) -> "RunningLevel":
        """Nothing seen yet by any of n streams."""
        return cls(memory, *(np.zeros(n) for _ in range(5)))

    def select(self, streams: npt.NDArray[np.int64]) -> "RunningLevel":
        """A copy of some streams' sums."""
        return RunningLevel(self.memory, *(field[streams] for field in self.fields()))

    def assign(self, streams: npt.NDArray[np.int64], other: "RunningLevel") -> None:
        """Write the sums of some streams back."""
        for mine, theirs in zip(self.fields(), other.fields(), strict=True):
            mine[streams] = theirs

    def fields(self) -> tuple[Array, ...]:
        """The sums in their fixed order, as snapshots keep them."""
        return self.count, self.total, self.squares, self.errors, self.steps

    @classmethod
    def of_fields(cls, memory: float, *fields: Array) -> "RunningLevel":
        """What `fields` gave."""
        return cls(memory, *fields)

    def add(self, y: Array, error: Array) -> None:
        """One row of every stream.

        Args:
            y: the observation, NaN if missing, [n].
            error: absolute error of the reference rule for it, NaN where there was none, [n].
        """
        seen, known = ~np.isnan(y), ~np.isnan(error)
        fade, fade_errors = np.where(seen, self._fade, 1.0), np.where(known, self._fade, 1.0)
        before = np.where(self.count > 0, self.shift(), y)
        self.count = fade * self.count + seen
        self.total = fade * self.total + np.where(seen, y, 0.0)
        self.squares = fade * self.squares + np.where(seen, _grown(y, before, self.shift()), 0.0)
        self.errors = fade_errors * self.errors + np.where(known, error, 0.0)
        self.steps = fade_errors * self.steps + known

    def over(self, y: Array, error: Array) -> tuple[Array, Array, Array]:
        """Level, spread and step after every row of series that nothing was seen of before, each [series, rows]."""
        sums = self._sums_over(y, error)
        scale = sums.scale()
        return sums.shift(), scale, sums.step(scale)

    def at(self, y: Array, error: Array, rows: npt.NDArray[np.int64]) -> "RunningLevel":
        """The sums of one series after some of its rows."""
        return self._sums_over(y, error).select(rows)

    def _sums_over(self, y: Array, error: Array) -> "RunningLevel":
        """The sums after every row; fields [..., rows]."""
        seen, known = ~np.isnan(y), ~np.isnan(error)
        values, misses = _packed(y, seen), _packed(error, known)
        count = _fading_count(y.shape[-1], self._fade)
        total, errors = fading_sum(np.stack([values, misses]), self._fade)
        mean = total / count
        before = np.concatenate([values[..., :1], mean[..., :-1]], axis=-1)
        squares = fading_sum(_grown(values, before, mean), self._fade)
        of_values, of_errors = _spread((count, total, squares), seen), _spread((errors, count), known)
        return RunningLevel(self.memory, *of_values, *of_errors)

    @property
    def _fade(self) -> float:
        return 1.0 - 1.0 / self.memory

    def shift(self) -> Array:
        """Mean of the recent observations; zero before the first."""
        return self.total / np.where(self.count > 0, self.count, 1.0)

    def scale(self) -> Array:
        """Standard deviation of the recent observations; while they are all equal their size, or 1 for zeros."""
        n = np.where(self.count > 0, self.count, 1.0)
        return usable_scale(self.squares / n, self.total / n)

    def step(self, scale: Array) -> Array:
        """Mean absolute one-step error of the reference lately; a tenth of the scale before the first."""
        mean = self.errors / np.where(self.steps > 0, self.steps, 1.0)
        return np.where(self.steps > 0, np.maximum(mean, SMALLEST_STEP * scale), 0.1 * scale)


def usable_scale(variance: Array, mean: Array) -> Array:
    """The standard deviation; where the variance is none, or rounding, the size of the mean, or 1 for zeros."""
    size = np.abs(mean)
    return np.where(variance > ROUNDING * size * size, np.sqrt(variance), np.where(size > 0, size, 1.0))


def _grown(y: Array, before: Array, after: Array) -> Array:
    """What an observation adds to the squares, from the means before and after it; rounding never makes it negative."""
    return np.maximum((y - before) * (y - after), 0.0)


def fading_sum(x: Array, fade: float) -> Array:
    """s(t) = fade s(t-1) + x(t) from s(-1) = 0, in blocks: one small matrix product each, [..., n] -> [..., n]."""
    n, blocks = x.shape[-1], -(-x.shape[-1] // BLOCK)
    padded = np.zeros((*x.shape[:-1], blocks * BLOCK))
    padded[..., :n] = x
    within, fading = _block(fade)
    sums = padded.reshape(*x.shape[:-1], blocks, BLOCK) @ within
    for i in range(1, blocks):
        sums[..., i, :] += sums[..., i - 1, -1:] * fading
    result: Array = sums.reshape(padded.shape)[..., :n]
    return result


@lru_cache(maxsize=8)
def _block(fade: float) -> tuple[Array, Array]:
    """The product that sums within a block, [BLOCK, BLOCK], and how a carried sum fades over it, [BLOCK]."""
    distance = np.arange(BLOCK) - np.arange(BLOCK)[:, None]
    within: Array = np.where(distance >= 0, np.power(fade, np.maximum(distance, 0)), 0.0)
    fading: Array = np.power(fade, np.arange(1.0, BLOCK + 1))
    return within, fading


def _fading_count(n: int, fade: float) -> Array:
    """What `fading_sum` makes of n ones: (1 - fade^t) / (1 - fade), [n]."""
    if fade in (0.0, 1.0):
        return fading_sum(np.ones(n), fade)
    count: Array = (1 - np.power(fade, np.arange(1.0, n + 1))) / (1 - fade)
    return count


def _packed(values: Array, known: npt.NDArray[np.bool_]) -> Array:
    """The known values of each series in their order, zeros after them, [..., rows]."""
    if known.all():
        return values
    packed = np.zeros(values.shape)
    packed[np.arange(values.shape[-1]) < known.sum(axis=-1, keepdims=True)] = values[known]
    return packed


def _spread(sums: Sequence[Array], known: npt.NDArray[np.bool_]) -> list[Array]:
    """Sums over known rows at every row: each row takes the last one so far, zero before the first, [..., rows]."""
    wide = [np.broadcast_to(each, known.shape) for each in sums]
    if known.all():
        return wide
    position = np.cumsum(known, axis=-1) - 1
    begun, last = position >= 0, np.maximum(position, 0)
    return [np.where(begun, np.take_along_axis(each, last, axis=-1), 0.0) for each in wide]
