"""The causal scaler: at each row it knows only the rows so far, and a row-by-row update gives the very same floats."""

from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from recurra.data.series import SeriesTable
from recurra.errors import ConfigError

Floats = npt.NDArray[np.float64]
RunningKind: TypeAlias = Literal["standard", "mean_abs", "none"]

_ROUNDING: Final = 1e-14  # a variance below this share of the mean square is cancellation, not variation


class RunningState(NamedTuple):
    """What has been seen of N series; plain arrays, so that it can be stored.

    Attributes:
        origin: the first value seen, from which sums are taken, [N]; NaN before it.
        seen: number of values seen, [N].
        total: sum of (y - origin), or of |y| for "mean_abs", [N].
        square: sum of (y - origin) squared, [N].
    """

    origin: Floats
    seen: Floats
    total: Floats
    square: Floats


class RunningScaler:
    """Shift and scale from the rows up to and including the current one.

    With n values seen, d = y - origin, S = sum of d, Q = sum of d squared:

        standard: shift = origin + S / n, scale = sqrt(Q / n - (S / n) squared)
        mean_abs: shift = 0, scale = (sum of |y|) / n

    Before the first value shift is 0; while nothing has varied yet (or all is 0) scale is 1. Masked rows change
    nothing.
    `run` over a whole series and `update` row by row add in the same order, so they give identical floats.

    Args:
        kind: "standard", "mean_abs" or "none".

    Raises:
        ConfigError: for an unknown kind, and for "robust", whose quartiles cannot be kept in constant memory.
    """

    def __init__(self, kind: RunningKind = "standard") -> None:
        if kind not in get_args(RunningKind):
            raise ConfigError(f"a running scaler is one of {', '.join(map(repr, get_args(RunningKind)))}, not {kind!r}")
        self.kind = kind

    def start(self, n: int) -> RunningState:
        """The state of `n` series before their first row."""
        return RunningState(np.full(n, np.nan), np.zeros(n), np.zeros(n), np.zeros(n))

    def update(self, state: RunningState, y: npt.ArrayLike) -> tuple[RunningState, Floats, Floats]:
        """One more row of every series.

        Args:
            state: of N series.
            y: [N]; NaN where masked.

        Returns:
            The new state, and shift [N] and scale [N] that hold from this row on.
        """
        state, shift, scale = self.run(state, np.asarray(y, np.float64)[:, None])
        return state, shift[:, 0], scale[:, 0]

    def run(self, state: RunningState, y: npt.ArrayLike) -> tuple[RunningState, Floats, Floats]:
        """Several more rows of every series.

        Args:
            state: of N series.
            y: [N, T]; NaN where masked.

        Returns:
            The state after the last row, and shift [N, T] and scale [N, T] at each row.
        """
        values = np.asarray(y, np.float64)
        seen = ~np.isnan(values)
        if values.shape[1] == 0:
            return state, values, values
        first = np.take_along_axis(values, seen.argmax(1)[:, None], 1)[:, 0]
        origin = np.where(np.isnan(state.origin), first, state.origin)
        d = np.where(seen, values - origin[:, None], 0.0)
        summed = np.where(seen, np.abs(values), 0.0) if self.kind == "mean_abs" else d
        count = _carry_on(state.seen, seen.astype(np.float64))
        total = _carry_on(state.total, summed)
        square = _carry_on(state.square, d * d)
        shift, scale = self._parameters(origin[:, None], count, total, square)
        return RunningState(origin, count[:, -1].copy(), total[:, -1].copy(), square[:, -1].copy()), shift, scale

    def over(self, table: SeriesTable) -> tuple[Floats, Floats]:
        """Shift and scale at every row of a table, each from its own series' rows so far: two arrays [rows]."""
        shift, scale = np.empty(len(table)), np.empty(len(table))
        for i in range(table.n_series):
            part = slice(int(table.offsets[i]), int(table.offsets[i + 1]))
            _, shift_i, scale_i = self.run(self.start(1), table.y[None, part])
            shift[part], scale[part] = shift_i[0], scale_i[0]
        return shift, scale

    def _parameters(self, origin: Floats, count: Floats, total: Floats, square: Floats) -> tuple[Floats, Floats]:
        n = np.maximum(count, 1.0)
        if self.kind == "none":
            return np.zeros_like(count), np.ones_like(count)
        if self.kind == "mean_abs":
            mean = total / n
            return np.zeros_like(count), np.where(mean > 0, mean, 1.0)
        mean, mean_square = total / n, square / n
        variance = mean_square - mean * mean
        varied = variance > _ROUNDING * mean_square
        scale = np.sqrt(np.where(varied, variance, 1.0))
        return np.where(count > 0, origin + mean, 0.0), scale


def _carry_on(before: Floats, added: Floats) -> Floats:
    """Running sums along the last axis, continuing from `before`, added one after the other; [N, T]."""
    return np.asarray(np.cumsum(np.concatenate([before[:, None], added], axis=1), axis=1)[:, 1:])
