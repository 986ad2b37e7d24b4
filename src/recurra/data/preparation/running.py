"""Level, spread and step of a series from its recent past only, over a whole series at once or row by row."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.reference import Array

SMALLEST_STEP = 1e-3
ROUNDING = 1e-14  # a variance below this share of the mean square is cancellation, not variation
BLOCK = 64


@dataclass
class RunningLevel:
    """Fading sums from which level, spread and step follow; one entry a stream.

    At each observation every sum fades by `1 - 1 / memory` before it grows, so that they speak of about the
    last `memory` observations and follow a series whose level or size moves. Sums are taken around the first
    observation, so that a large level costs no digits. Missing rows change nothing.

    Args:
        memory: observations that the sums reach back over.
        origin: the first observation.
        count: observations, faded.
        total, squares: sum of the distances from the origin, and of their squares.
        errors: sum of the absolute one-step errors of the reference rule.
        steps: number of those errors, faded.
    """

    memory: float
    origin: Array
    count: Array
    total: Array
    squares: Array
    errors: Array
    steps: Array

    @classmethod
    def empty(cls, n: int, memory: float) -> "RunningLevel":
        """Nothing seen yet by any of n streams."""
        return cls(memory, *(np.zeros(n) for _ in range(6)))

    def select(self, streams: npt.NDArray[np.int64]) -> "RunningLevel":
        """A copy of some streams' sums."""
        return RunningLevel(self.memory, *(field[streams] for field in self.fields()))

    def assign(self, streams: npt.NDArray[np.int64], other: "RunningLevel") -> None:
        """Write the sums of some streams back."""
        for mine, theirs in zip(self.fields(), other.fields(), strict=True):
            mine[streams] = theirs

    def fields(self) -> tuple[Array, ...]:
        """The sums in their fixed order, as snapshots keep them."""
        return self.origin, self.count, self.total, self.squares, self.errors, self.steps

    def add(self, y: Array, error: Array) -> None:
        """One row of every stream.

        Args:
            y: the observation, NaN if missing, [n].
            error: absolute error of the reference rule for it, NaN where there was none, [n].
        """
        seen, known = ~np.isnan(y), ~np.isnan(error)
        self.origin = np.where(seen & (self.count == 0), y, self.origin)
        distance = np.where(seen, y - self.origin, 0.0)
        fade, fade_errors = np.where(seen, self._fade, 1.0), np.where(known, self._fade, 1.0)
        self.count = fade * self.count + seen
        self.total = fade * self.total + distance
        self.squares = fade * self.squares + distance * distance
        self.errors = fade_errors * self.errors + np.where(known, error, 0.0)
        self.steps = fade_errors * self.steps + known

    def over(self, y: Array, error: Array) -> "RunningLevel":
        """The sums after every row of one series that nothing was seen of before; fields [rows]."""
        seen, known = ~np.isnan(y), ~np.isnan(error)
        first = float(y[np.argmax(seen)]) if seen.any() else 0.0
        distance = y[seen] - first
        count = _spread(fading_sum(np.ones(len(distance)), self._fade), seen)
        return RunningLevel(
            self.memory,
            np.where(count > 0, first, 0.0),
            count,
            _spread(fading_sum(distance, self._fade), seen),
            _spread(fading_sum(distance * distance, self._fade), seen),
            _spread(fading_sum(error[known], self._fade), known),
            _spread(fading_sum(np.ones(int(known.sum())), self._fade), known),
        )

    @property
    def _fade(self) -> float:
        return 1.0 - 1.0 / self.memory

    def shift(self) -> Array:
        """Mean of the recent observations; zero before the first."""
        return self.origin + self.total / np.where(self.count > 0, self.count, 1.0)

    def scale(self) -> Array:
        """Standard deviation of the recent observations; while they are all equal their size, or 1 for zeros."""
        n = np.where(self.count > 0, self.count, 1.0)
        mean, mean_square = self.total / n, self.squares / n
        variance = mean_square - mean * mean
        size = np.abs(self.origin + mean)
        return np.where(
            variance > ROUNDING * np.maximum(mean_square, size * size),
            np.sqrt(np.maximum(variance, 0.0)),
            np.where(size > 0, size, 1.0),
        )

    def step(self) -> Array:
        """Mean absolute one-step error of the reference lately; a tenth of the scale before the first."""
        scale = self.scale()
        mean = self.errors / np.where(self.steps > 0, self.steps, 1.0)
        return np.where(self.steps > 0, np.maximum(mean, SMALLEST_STEP * scale), 0.1 * scale)


def fading_sum(x: Array, fade: float) -> Array:
    """s(t) = fade s(t-1) + x(t) from s(-1) = 0, in blocks: one small matrix product each, [n] -> [n]."""
    blocks = -(-len(x) // BLOCK)
    padded = np.zeros(blocks * BLOCK)
    padded[: len(x)] = x
    distance = np.arange(BLOCK)[:, None] - np.arange(BLOCK)
    within = np.where(distance >= 0, fade ** np.maximum(distance, 0), 0.0)
    sums = padded.reshape(blocks, BLOCK) @ within.T
    carry, fading = 0.0, fade ** np.arange(1, BLOCK + 1)
    for i in range(blocks):
        sums[i] += carry * fading
        carry = sums[i, -1]
    result: Array = sums.reshape(-1)[: len(x)]
    return result


def _spread(sums: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Values of the seen rows at every row: each row takes the last one before it, zero before the first."""
    position = np.cumsum(seen)
    return np.concatenate([[0.0], sums])[position]
