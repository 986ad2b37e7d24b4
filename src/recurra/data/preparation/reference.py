"""The rule a forecast starts from: the network learns corrections to it, so zero weights reproduce it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]
Lookback = Callable[[Steps], Array]
ReferenceKind = Literal["none", "naive", "season_mean", "seasonal", "seasonal_change", "linear"]


@dataclass(frozen=True)
class Reference:
    """A simple rule as a function of the last values of a series.

    With y(t) the last value, m the season, k steps ahead, c = ceil(k / m) seasons ahead, L the linear window and
    s the mean |y| in it:

        none             the series' own level (its shift)
        naive            y(t)
        season_mean      mean of y(t - m + 1) ... y(t)
        seasonal         y(t + k - c m)
        seasonal_change  y(t + k - c m) + c (y(t) - y(t - m))
        linear           y(t) + sum_j W[j, k] (y(t - j) - y(t)) + s b[k],  j = 1 ... L - 1

    A look-back beyond the first value of a series is answered with y(t).

    Args:
        kind: which rule.
        season: m, 1 for none.
        weights: W stacked on b, [L, horizon] (row j - 1 is look-back j, the last row is b); for "linear" only.
    """

    kind: ReferenceKind
    season: int
    weights: Array | None = None

    @property
    def reach(self) -> int:
        """How many steps back the rule, and the lags beside it, may look."""
        return max(self.season, 1 if self.weights is None else len(self.weights) - 1)

    def ahead(self, lookback: Lookback, shift: Array, horizon: int) -> Array:
        """The rule's forecasts.

        Args:
            lookback: lookback(j) gives the values j steps before each origin, for steps j [k]: [n, k].
            shift: level of each series, [n].
            horizon: steps ahead.

        Returns:
            [n, horizon], in the units of the series.
        """
        if self.kind == "none":
            return np.repeat(shift[:, None], horizon, axis=1)
        now = lookback(np.zeros(1, np.int64))
        if self.kind == "naive":
            return np.repeat(now, horizon, axis=1)
        if self.kind == "season_mean":
            return np.repeat(lookback(np.arange(self.season)).mean(axis=1, keepdims=True), horizon, axis=1)
        if self.kind == "linear":
            return self._linear(lookback, now, horizon)
        steps = np.arange(1, horizon + 1)
        cycles = -(-steps // self.season)
        seasonal = lookback(cycles * self.season - steps)
        if self.kind == "seasonal":
            return seasonal
        change: Array = cycles * (now - lookback(np.array([self.season])))
        return seasonal + change

    def _linear(self, lookback: Lookback, now: Array, horizon: int) -> Array:
        assert self.weights is not None
        window = lookback(np.arange(1, len(self.weights)))
        size = (np.abs(window).sum(axis=1, keepdims=True) + np.abs(now)) / len(self.weights)
        change: Array = (window - now) @ self.weights[:-1, :horizon] + size * self.weights[-1:, :horizon]
        return now + change

    def next(self, lookback: Lookback, shift: Array) -> Array:
        """The rule's forecast one step ahead, [n]."""
        return self.ahead(lookback, shift, 1)[:, 0]

    def next_along(self, y: Array) -> Array:
        """The linear rule's forecast one step ahead from every value of a series, from its own past, [n].

        The sums over look-backs are convolutions of the differences to the first value of each block of L rows: every
        window of the block holds that value, so that a large level, or a value far off elsewhere, costs no digits.

        Args:
            y: the series from its first known value on, [n].
        """
        assert self.weights is not None
        n_back = len(self.weights)
        kernel = np.concatenate([[0.0], self.weights[:-1, 0]])
        given, found = np.cumsum(kernel), np.empty(len(y))
        for begin in range(0, len(y), n_back):
            now, past = y[begin : begin + n_back], y[max(begin - n_back + 1, 0) : begin + n_back]
            before = np.zeros(n_back - 1 + len(now) - len(past))
            there = np.minimum(np.arange(begin, begin + len(now)), n_back - 1)
            moved = np.convolve(np.concatenate([before, past - y[begin]]), kernel, "valid")
            sizes = np.convolve(np.concatenate([before, np.abs(past)]), np.ones(n_back), "valid")
            size = (sizes + (n_back - 1 - there) * np.abs(now)) / n_back
            change = moved - (now - y[begin]) * given[there]
            found[begin : begin + n_back] = now + change + size * self.weights[-1, 0]
        return found

    def lags(self, horizon: int, most: int = 32) -> tuple[int, ...]:
        """The look-backs worth showing to the network: the last step, the season, and the season's next steps."""
        season = self.season
        ahead = [season - k for k in range(1, min(horizon, season - 1, most) + 1)] if season > 1 else []
        return tuple(sorted({1, season, *ahead} - {0}))
