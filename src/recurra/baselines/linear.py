"""One linear map from the last values of a series to its next ones, learned on all series together."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recurra.baselines._history import RESIDUAL_ORIGINS, filled_forward, naive_residuals
from recurra.baselines.rule import Rule
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError

Array = npt.NDArray[np.float64]

LinearWindowT = TypeVar("LinearWindowT", bound="LinearWindow")

TRAINING_WINDOWS = 100_000
"""The map is learned from at most this many windows, the most recent ones, shared out evenly among the series."""
RIDGE = 0.01
ROUNDS = 4
VALUES_AT_ONCE = 4_000_000
"""Windows are multiplied in chunks of about this many values: 32 MB, and few enough calls to be quick."""


class LinearWindow(Rule):
    """The last `context` values times one matrix, for all series the same.

    ŷ[T + k] = y[T] + s (Σ_j W[j, k] (y[T - j] - y[T]) / s + b[k]),  s = mean |y| of the window
    (but at least 0.001 of the series' mean |y|)

    Subtracting the last value keeps the map right when the level moves, dividing by s puts series of any size on one
    footing; the windows of a series that crosses zero count by their errors as they are. W and b have the smallest
    absolute error: least squares with a ridge (0.01 of the mean square of the inputs, none on b), reweighted 4 times by
    1 over each window's mean absolute error, which a few odd days (holidays) then cannot bend. On the CTA ridership
    (context 56) the MAE is 31.8 thousand riders where plain least squares has 39 thousand and the published linear
    model 37.9 thousand.

    Missing values in a window are filled with the last known one; a missing target takes no part. A series with
    fewer than `context` rows from its first known value on gets its last value, like `Naive`, and so does every
    series if no series has context + horizon rows. The in-sample errors are widened by sqrt(n / (n - context - 1)),
    at most by 2, because a fitted map misses its own n training windows by less than new ones.

    Args:
        context: rows the map looks at, at least 1.

    Source: Zeng et al. 2023 (NLinear) for the shift; Schlossmacher 1973 for the reweighting.
    """

    def __init__(self, context: int) -> None:
        super().__init__()
        if context < 1:
            raise ConfigError(f"context is {context}; it counts the rows the linear map looks at and is at least 1")
        self.context = context
        self.name = f"linear window ({context})"
        self._maps: dict[int, tuple[Array | None, float]] = {}

    def fit(self: LinearWindowT, history: SeriesTable) -> LinearWindowT:
        """Learn from this table, once; see `Rule.fit`."""
        self._maps = {}
        return super().fit(history)

    def weights(self, horizon: int) -> Array | None:
        """The fitted map, for use elsewhere: row j - 1 holds W[j], the last row b; None if there was no window.

        Args:
            horizon: steps ahead.

        Returns:
            [context, horizon], in the order of look-backs j = 1 ... context - 1.
        """
        if self._history is None:
            raise ConfigError("a LinearWindow has weights only after fit(history)")
        coefficients, _ = self._map(self._history, horizon)
        if coefficients is None:
            return None
        return np.concatenate([coefficients[: self.context - 1][::-1], coefficients[-1:]])

    def values(self, history: SeriesTable, horizon: int) -> Array:
        """The map applied to the last window of each series, shape [series, horizon]."""
        coefficients, _ = self._map(history, horizon)
        filled = [filled_forward(history.series(i).y) for i in range(history.n_series)]
        value = np.repeat(np.array([y[-1] for y in filled], dtype=np.float64)[:, None], horizon, axis=1)
        long = [i for i, y in enumerate(filled) if len(y) >= self.context and not np.isnan(y[-self.context])]
        if coefficients is not None and long:
            windows = np.stack([filled[i][-self.context :] for i in long])
            floors = np.array([_scale_floor(filled[i]) for i in long])[:, None]
            inputs, shift, scale = _scaled(windows, floors)
            value[long] = shift + scale * (inputs @ coefficients)
        return value

    def residuals(self, y: Array, horizon: int) -> Array:
        """What the fitted map misses by on the windows of y [rows], shape [horizon, origin]."""
        if self._history is None:
            raise ConfigError("a LinearWindow has residuals only after fit(history)")
        coefficients, widening = self._map(self._history, horizon)
        windows, targets = _windows(y, self.context, horizon)
        if coefficients is None or not len(windows):
            return naive_residuals(y, horizon)
        windows, targets = windows[-RESIDUAL_ORIGINS:], targets[-RESIDUAL_ORIGINS:]
        inputs, shift, scale = _scaled(windows, _scale_floor(y))
        return np.asarray((widening * (targets - shift - scale * (inputs @ coefficients))).T)

    def _map(self, history: SeriesTable, horizon: int) -> tuple[Array | None, float]:
        """Coefficients [context + 1, horizon], and by how much in-sample errors are to be widened."""
        if self._history is None:
            return _least_absolute(history, self.context, horizon)
        if horizon not in self._maps:
            self._maps[horizon] = _least_absolute(self._history, self.context, horizon)
        return self._maps[horizon]


def _least_absolute(history: SeriesTable, context: int, horizon: int) -> tuple[Array | None, float]:
    """Reweighted ridge regression over the windows of all series, and the widening; None if there is no window."""
    series = [history.series(i).y for i in range(history.n_series)]
    each = _fair_share(np.array([max(len(y) - context - horizon + 1, 0) for y in series]), TRAINING_WINDOWS)
    coefficients: Array = np.zeros((context + 1, horizon))
    floor: float | None = None
    n = 0
    for _ in range(ROUNDS + 1):
        coefficients, misses = _one_round(_training_windows(series, context, horizon, each), coefficients, floor)
        floor, n = _weight_floor(misses), len(misses)
        if n == 0:
            return None, 1.0
    return coefficients, min(2.0, float(np.sqrt(n / max(n - context - 1, 1))))


def _one_round(chunks: Iterator[tuple[Array, Array]], current: Array, floor: float | None) -> tuple[Array, Array]:
    """The next coefficients [context + 1, horizon], and what the current ones miss by in each window [window].

    (X'WX + R) B = X'WY, with W the inverse of each window's mean absolute error, but not above 1 / floor; without a
    floor W = 1. A missing target is taken to be what the current coefficients say.
    """
    gram: Array = np.zeros((len(current), len(current)))
    cross: Array = np.zeros_like(current)
    misses: list[Array] = [np.empty(0)]
    for inputs, targets in chunks:
        value = np.asarray(inputs @ current)
        known = ~np.isnan(targets)
        error = np.where(known, targets - value, 0.0)
        some = np.asarray(known.any(axis=1))
        miss = np.sum(np.abs(error), axis=1) / np.maximum(np.sum(known, axis=1), 1)
        weighted = inputs * np.asarray(some if floor is None else some / np.maximum(miss, floor))[:, None]
        gram += weighted.T @ inputs
        cross += weighted.T @ (value + error)
        misses.append(miss[some])
    size = float(gram.trace() - gram[-1, -1]) / (len(current) - 1) or 1.0
    ridge = np.diag(np.append(np.full(len(current) - 1, RIDGE), 1e-9)) * size
    return np.asarray(np.linalg.solve(gram + ridge, cross), dtype=np.float64), np.concatenate(misses)


def _weight_floor(misses: Array) -> float:
    """Errors below 0.3 of the median count alike, so that no window is weighed without bound."""
    if not len(misses):
        return 1.0
    return max(0.3 * float(np.median(misses)) or float(np.mean(misses)), 1e-9)


def _training_windows(series: list[Array], context: int, horizon: int, each: int) -> Iterator[tuple[Array, Array]]:
    """Inputs [window, context + 1] (the last column is s) and targets [window, horizon] in one unit, in chunks.

    The unit is s, so that windows of any size count alike; in a series that crosses zero s says nothing about size,
    and the unit is the series' own mean |y|.
    """
    kept: list[tuple[Array, Array]] = []
    rows, chunk = 0, max(VALUES_AT_ONCE // (context + 1 + horizon), 1)
    for y in series:
        windows, targets = _windows(y, context, horizon)
        windows, targets = windows[max(len(windows) - each, 0) :], targets[max(len(targets) - each, 0) :]
        floor = _scale_floor(y) if len(windows) else 1.0
        size = _mean_size(y) if np.any(y < 0.0) and np.any(y > 0.0) else None
        for start in range(0, len(windows), chunk):
            inputs, shift, scale = _scaled(windows[start : start + chunk], floor)
            unit = scale if size is None else size
            kept.append((inputs * (scale / unit), (targets[start : start + chunk] - shift) / unit))
            rows += len(inputs)
            if rows >= chunk:
                yield np.concatenate([x for x, _ in kept]), np.concatenate([t for _, t in kept])
                kept, rows = [], 0
    if kept:
        yield np.concatenate([x for x, _ in kept]), np.concatenate([t for _, t in kept])


def _windows(y: Array, context: int, horizon: int) -> tuple[Array, Array]:
    """All windows of one series with their targets, from the first known value on; holes only among the targets."""
    filled = filled_forward(y)
    first = int(np.argmin(np.isnan(filled))) if len(y) and not np.isnan(filled[-1]) else len(y)
    if len(y) - first < context + horizon:
        return np.empty((0, context)), np.empty((0, horizon))
    inputs = np.lib.stride_tricks.sliding_window_view(filled[first : len(y) - horizon], context)
    return inputs, np.lib.stride_tricks.sliding_window_view(y[first + context :], horizon)


def _mean_size(y: Array) -> float:
    return float(np.nanmean(np.abs(y)))


def _scale_floor(y: Array) -> float:
    """A thousandth of the series' mean size, so that a window of next to nothing does not blow up what follows it."""
    return 1e-3 * _mean_size(y) or 1.0


def _scaled(windows: Array, floor: Array | float) -> tuple[Array, Array, Array]:
    """Inputs [window, context + 1] with a last column of 1; shift [window, 1]; scale [window, 1], never 0."""
    shift = windows[:, -1:]
    scale = np.maximum(np.mean(np.abs(windows), axis=1, keepdims=True), floor)
    return np.concatenate([(windows - shift) / scale, np.ones_like(shift)], axis=1), shift, scale


def _fair_share(counts: npt.NDArray[np.int64], total: int) -> int:
    """The largest number of windows per series such that all series together stay within `total`."""
    low, high = 1, max(int(counts.max(initial=1)), 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if int(np.minimum(counts, middle).sum()) <= total else (low, middle - 1)
    return low
