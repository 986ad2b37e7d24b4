"""Splits by time: a validation part at the end of each series, and the origins of a rolling backtest."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from recurra.data.frequency import as_stamps
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, TooShortError

Ints = npt.NDArray[np.int64]


class Split(NamedTuple):
    """A table cut in two by time.

    Attributes:
        train: the rows before the cut.
        validation: the rows from the cut on; only the series that have any.
        ends: how many rows of each series lie before the cut, [N].
    """

    train: SeriesTable
    validation: SeriesTable
    ends: Ints


def split_by_time(
    table: SeriesTable, *, rows: int | None = None, share: float | None = None, at: npt.ArrayLike | None = None,
    min_train: int = 1,
) -> Split:  # fmt: skip
    """Cut each series in two: everything before the cut trains, everything after it validates.

    Args:
        table: the series.
        rows: rows after the cut, the same for each series; or
        share: their share of each series, rounded down, at least one; or
        at: the first stamp after the cut, the same for all series.
        min_train: a series that would keep fewer rows than this before a cut by `rows` or `share` is not cut, and has
            no validation part.

    Raises:
        ConfigError: if not exactly one of `rows`, `share` and `at` is given, or it is out of range.
        TooShortError: if no series has rows on both sides.
    """
    if sum(value is not None for value in (rows, share, at)) != 1:
        raise ConfigError("give exactly one of rows, share and at to split by time")
    lengths = table.lengths
    if at is not None:
        before = table.ds < as_stamps(at)
        ends = np.array([int(before[a:b].sum()) for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)])
    else:
        held = _held_rows(lengths, rows, share)
        ends = np.where(lengths - held >= max(min_train, 1), lengths - held, lengths)
    if not np.any((ends > 0) & (ends < lengths)):
        raise TooShortError(
            f"no series is long enough to be split: the longest has {int(lengths.max(initial=0))} rows; "
            "give longer series, or a smaller validation part"
        )
    ends = ends.astype(np.int64)
    return Split(table.truncate(ends), table.slice(ends, lengths), ends)


def rolling_origins(
    table: SeriesTable, horizon: int, folds: int = 5, stride: int | None = None, *, min_history: int = 1,
    align: Literal["time", "series"] | None = None,
) -> list[Ints]:  # fmt: skip
    """Where a backtest cuts each series, fold by fold, the oldest first.

    In fold k the first ends[i] rows of series i are history and the `horizon` rows after them are forecast. The last
    fold's forecasts end with the table.

    Args:
        table: the series.
        horizon: steps ahead.
        folds: number of cuts.
        stride: steps between two cuts; None for `horizon`, so that no row is forecast twice.
        min_history: rows that a series must have before a cut to take part in it.
        align: "time" cuts all series at the same moment, so that no series shows another one's future; one that has
            not all `horizon` rows after the cut takes no part. "series" cuts each series counted from its own end, for
            series whose clocks have nothing to do with each other. None is "time" for dates, "series" for an index.

    Returns:
        One array [N] per fold; 0 where the series takes no part.

    Raises:
        ConfigError: if horizon, folds or stride is below 1.
        TooShortError: if no series takes part in some fold; says how many rows are needed.
    """
    stride = horizon if stride is None else stride
    for name, value in {"horizon": horizon, "folds": folds, "stride": stride}.items():
        if value < 1:
            raise ConfigError(f"{name}={value} must be at least 1")
    align = align or ("series" if table.frequency.is_index else "time")
    origins = []
    for fold in range(folds):
        back = horizon + (folds - 1 - fold) * stride
        ends = table.lengths - back if align == "series" else _rows_until(table, back)
        takes_part = (ends >= max(min_history, 1)) & (ends + horizon <= table.lengths)
        if not takes_part.any():
            raise _too_short(int(table.lengths.max(initial=0)), max(min_history, 1) + back, folds, horizon)
        origins.append(np.where(takes_part, ends, 0).astype(np.int64))
    return origins


def _too_short(longest: int, needed: int, folds: int, horizon: int) -> TooShortError:
    if longest >= needed:
        return TooShortError(
            f"no series has {needed} rows up to the end of the table, as {folds} folds of {horizon} steps need; "
            "use fewer folds, or align='series' if the series' clocks have nothing to do with each other"
        )
    return TooShortError(
        f"no series is long enough for {folds} folds of {horizon} steps: {needed} rows are needed, the longest has "
        f"{longest}; use fewer folds, a shorter horizon or stride, or more rows"
    )


def _held_rows(lengths: Ints, rows: int | None, share: float | None) -> Ints:
    if rows is not None:
        if rows < 1:
            raise ConfigError(f"rows={rows} must be at least 1")
        return np.full(len(lengths), rows, np.int64)
    if share is None or not 0 < share < 1:
        raise ConfigError(f"share={share} must lie between 0 and 1")
    return np.maximum((lengths * share).astype(np.int64), 1)


def _rows_until(table: SeriesTable, back: int) -> Ints:
    """Rows of each series up to the moment `back` steps before the table's last one."""
    last = table.last_ds.max()
    origin = table.frequency.shift(last, -back)
    if table.frequency.irregular:  # steps are rows: those of the longest of the series that end last
        longest = max(np.flatnonzero(table.last_ds == last), key=lambda i: table.lengths[i])
        at = int(table.offsets[longest + 1]) - 1 - back
        if at < table.offsets[longest]:
            return np.zeros(table.n_series, np.int64)
        origin = table.ds[at]
    until = np.concatenate([[0], np.cumsum(table.ds <= origin)])
    return np.asarray(until[table.offsets[1:]] - until[table.offsets[:-1]], np.int64)
