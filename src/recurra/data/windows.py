"""Training windows over a table of series: which rows, in which order, and what comes after them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, TooShortError

Ints = npt.NDArray[np.int64]


class WindowIndex:
    """All windows of `context` consecutive rows of one series that have a row to predict after them.

    Windows of a series lie `stride` rows apart, counted back from the latest one; where rows are left over at the
    beginning, one more window starts at the first row. A series too short for a whole window gives one shorter window
    of all its rows but the last. Windows never cross from one series into another.

    Attributes:
        series: series of each window, [W].
        starts: its first row within the series, [W].
        lengths: its rows, [W]: `context`, or fewer in a short series.

    Args:
        table: the series.
        context: rows of a window.
        stride: rows between the starts of two windows.
        horizon: steps ahead to be predicted from each row (see `future_targets`).
        min_history: the fewest rows that a window of a short series may have.

    Raises:
        ConfigError: if a number is below 1.
        TooShortError: if no series gives a window.
    """

    def __init__(self, table: SeriesTable, context: int, stride: int, horizon: int, min_history: int = 1) -> None:
        numbers = {"context": context, "stride": stride, "horizon": horizon, "min_history": min_history}
        for name, value in numbers.items():
            if value < 1:
                raise ConfigError(f"{name}={value} must be at least 1")
        self.context, self.stride, self.horizon = context, stride, horizon
        self._offsets = table.offsets
        self._ends = np.repeat(table.offsets[1:], table.lengths)
        found = [_windows(int(length), context, stride, min_history) for length in table.lengths]
        self.series = np.repeat(np.arange(table.n_series), [len(starts) for starts, _ in found])
        self.starts = np.concatenate([starts for starts, _ in found]).astype(np.int64)
        self.lengths = np.concatenate([lengths for _, lengths in found]).astype(np.int64)
        if len(self.starts) == 0:
            raise TooShortError(
                f"no series is long enough to train on: {min_history + 1} rows are needed, the longest has "
                f"{int(table.lengths.max(initial=0))}; give more rows"
            )

    def __len__(self) -> int:
        return len(self.starts)

    def order(self, seed: int, epoch: int) -> Ints:
        """The windows in the order of one epoch, [W]: a function of `seed` and `epoch` alone."""
        return np.random.default_rng(np.random.SeedSequence([seed, epoch])).permutation(len(self))

    def rows(self, indices: npt.ArrayLike) -> tuple[Ints, Ints]:
        """The table's rows that windows consist of.

        Args:
            indices: windows, [B].

        Returns:
            Rows [B, context], -1 after a shorter window's end, and lengths [B].
        """
        chosen = np.asarray(indices, np.int64)
        lengths = self.lengths[chosen]
        begin = self._offsets[self.series[chosen]] + self.starts[chosen]
        step = np.arange(self.context)
        return np.where(step < lengths[:, None], begin[:, None] + step, -1), lengths

    def gather(
        self, array_per_row: npt.NDArray[Any], indices: npt.ArrayLike, fill: float = 0
    ) -> tuple[npt.NDArray[Any], Ints]:
        """What an array holds for the rows of windows.

        Args:
            array_per_row: [rows, ...].
            indices: windows, [B].
            fill: stands after a shorter window's end.

        Returns:
            [B, context, ...] and lengths [B].
        """
        rows, lengths = self.rows(indices)
        gathered = array_per_row[rows]
        if np.any(lengths < self.context):
            gathered[rows < 0] = fill
        return gathered, lengths

    def future_targets(self, values: npt.NDArray[Any], rows: npt.ArrayLike, horizon: int | None = None) -> Any:
        """The next values of the same series after each row; see the function of this name.

        Args:
            values: one per row of the table, float, [rows].
            rows: rows of the table, [...]; -1 gives NaN.
            horizon: how many; None for that of the index.
        """
        return _after(values, np.asarray(rows, np.int64), self._ends, self.horizon if horizon is None else horizon)


def future_targets(table: SeriesTable, values: npt.NDArray[Any], rows: npt.ArrayLike, horizon: int) -> Any:
    """The next `horizon` values of the same series after each row.

    Args:
        table: the series.
        values: one per row of the table, float, [rows].
        rows: rows of the table, [...]; -1 gives NaN.
        horizon: how many.

    Returns:
        [..., horizon], of the dtype of `values`; NaN past the end of a series.
    """
    return _after(values, np.asarray(rows, np.int64), np.repeat(table.offsets[1:], table.lengths), horizon)


def _windows(length: int, context: int, stride: int, min_history: int) -> tuple[Ints, Ints]:
    """Starts and lengths of the windows of one series."""
    last = length - 1 - context
    if last < 0:
        usable = length - 1
        return (np.zeros(1, np.int64), np.full(1, usable)) if usable >= min_history else (np.zeros(0, np.int64),) * 2
    starts = np.arange(last, -1, -stride)[::-1]
    if starts[0] > 0:
        starts = np.concatenate([[0], starts])
    return starts, np.full(len(starts), context)


def _after(values: npt.NDArray[Any], rows: Ints, ends: Ints, horizon: int) -> npt.NDArray[Any]:
    ahead = rows[..., None] + np.arange(1, horizon + 1)
    inside = (rows >= 0)[..., None] & (ahead < ends[np.maximum(rows, 0)][..., None])
    return np.where(inside, values[np.where(inside, ahead, 0)], values.dtype.type(np.nan))
