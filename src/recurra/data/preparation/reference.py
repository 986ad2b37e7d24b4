"""The rule a forecast starts from: the network learns corrections to it, so zero weights reproduce it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Array = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]
Lookback = Callable[[Steps], Array]
TILE = 32
"""Neighbouring rows whose windows are one product."""
VALUES_AT_ONCE = 4_000_000
"""Numbers that a computation over many rows holds at a time, about."""
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
        if self.kind == "season_mean":
            return np.repeat(lookback(np.arange(self.season)).mean(axis=1, keepdims=True), horizon, axis=1)
        now = lookback(np.zeros(1, np.int64))
        if self.kind == "naive":
            return np.repeat(now, horizon, axis=1)
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
        """The linear rule's forecast one step ahead from every value of some series, from its own past, [S, n].

        The sums over look-backs are products of overlapping windows with the shifted weights. They are over differences
        to the first value of each block of L rows: every window that ends in the block holds that value, so that a
        large level, or a value far off elsewhere, costs no digits.

        Args:
            y: finite values of series of equal length, each from its first known value on, [S, n].
        """
        assert self.weights is not None
        n_back, n = len(self.weights), y.shape[1]
        some = n_back * max(1, VALUES_AT_ONCE // (len(y) * self.values_along(n_back)))
        parts = [self._blocks_along(y[:, max(t - n_back, 0) : t + some], n_back if t else 0) for t in range(0, n, some)]
        return np.concatenate(parts, axis=1)

    def values_along(self, n: int) -> int:
        """Numbers that `next_along` holds at a time for so many rows, about; more rows than L are taken in parts."""
        assert self.weights is not None
        reach = min(len(self.weights), n)
        return -(-n // reach) * (-(-reach // TILE) * (reach + TILE) + 8 * reach)

    def _blocks_along(self, y: Array, before: int) -> Array:
        """The same for some blocks of rows; the first `before` rows are the block before them, and not answered.

        A window's sum of sizes is what the block before still holds of it, and what the block holds up to its end.
        """
        assert self.weights is not None
        n_back, (n_series, n) = len(self.weights), y.shape
        kernel = np.concatenate([[0.0], self.weights[:-1, 0]])[:n]
        reach = len(kernel)
        blocks = -(-n // reach)
        padded = np.zeros((n_series, reach - 1 + blocks * reach))
        padded[:, reach - 1 : reach - 1 + n] = y
        around = sliding_window_view(padded, 2 * reach - 1, axis=1)[:, ::reach]
        now = around[..., reach - 1 :]
        past, change, absolute = around - now[..., :1], now - now[..., :1], np.abs(around)
        past[:, 0, : reach - 1] = 0.0
        there = np.minimum(np.arange(blocks * reach).reshape(blocks, reach), n_back - 1)
        sizes = np.cumsum(absolute[..., reach - 1 :], axis=2)
        sizes[..., :-1] += np.cumsum(absolute[..., : reach - 1][..., ::-1], axis=2)[..., ::-1]
        size = (sizes + (n_back - 1 - there) * absolute[..., reach - 1 :]) / n_back
        moved = _weighted(past.reshape(-1, past.shape[2]), _shifted(kernel)).reshape(change.shape)
        found: Array = now + moved - change * np.cumsum(kernel)[np.minimum(there, reach - 1)]
        found += size * self.weights[-1, 0]
        return found.reshape(n_series, -1)[:, before:n]

    def lags(self, horizon: int, most: int = 32) -> tuple[int, ...]:
        """The look-backs worth showing to the network: the last step, the season, and the season's next steps."""
        season = self.season
        ahead = [season - k for k in range(1, min(horizon, season - 1, most) + 1)] if season > 1 else []
        return tuple(sorted({1, season, *ahead} - {0}))


def _shifted(kernel: Array) -> Array:
    """Column t holds the kernel for the window that ends t rows after the first one, [len(kernel) - 1 + TILE, TILE]."""
    around = np.concatenate([np.zeros(TILE), kernel, np.zeros(TILE)])
    return np.ascontiguousarray(sliding_window_view(around, TILE)[1 : len(kernel) + TILE][::-1])


def _weighted(past: Array, shifted: Array) -> Array:
    """sum_j kernel[j] past(t - j) at each value that has so many before it, [S, n]; see `_shifted`."""
    n = past.shape[1] - (len(shifted) - TILE)
    tiles = -(-n // TILE)
    padded = np.zeros((len(past), len(shifted) + (tiles - 1) * TILE))
    padded[:, : past.shape[1]] = past
    windows = sliding_window_view(padded, len(shifted), axis=1)[:, ::TILE]
    products: Array = windows.reshape(-1, len(shifted)) @ shifted
    return products.reshape(len(past), -1)[:, :n]
