"""Tracks on an even grid of times: positions between two fixes on the straight way from one to the other."""

import numpy as np
import numpy.typing as npt

from recurra.data.tracks.table import TrackTable
from recurra.errors import ConfigError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ROUNDING = 1e-6
"""Of a step: a time this near to a fix counts as its own."""


def position_at(table: TrackTable, rows: Ints, time: Floats) -> Floats:
    """Positions at times between fixes, [n, 2].

    Args:
        table: the tracks.
        rows: row of the fix at or before each time, which has a next fix of the same track unless the time is its own.
        time: seconds, [n].
    """
    after = np.minimum(rows + 1, len(table) - 1)
    span = np.where(after > rows, table.time[after] - table.time[rows], 1.0)
    share = np.clip((time - table.time[rows]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
    space = table.space
    way = space.offset(table.position[rows], table.position[after])
    return np.where(share[:, None] > 0.0, space.place(table.position[rows], share[:, None] * way), table.position[rows])


def positions_ahead(table: TrackTable, step_s: float, horizon: int, max_gap_s: float) -> Floats:
    """Where each object was at `horizon` steps after each fix, [rows, horizon, 2]; NaN where that is not known.

    A position is known at a fix, and between two fixes of one piece of a track: these are targets to learn from and
    to score, never inputs.

    Args:
        table: the tracks.
        step_s: seconds between two steps.
        horizon: how many.
        max_gap_s: longest time between two fixes of one piece.
    """
    piece = table.pieces(max_gap_s)
    last = np.searchsorted(piece, piece, side="right") - 1
    ahead = np.full((len(table), horizon, 2), np.nan)
    row = np.arange(len(table))
    at = row.copy()
    for k in range(1, horizon + 1):
        time = table.time + k * step_s
        while True:  # each pass moves to the next fix where that lies at or before the time
            onward = (at < last) & (table.time[np.minimum(at + 1, len(table) - 1)] <= time + ROUNDING * step_s)
            if not onward.any():
                break
            at = at + onward
        known = (at < last) | (np.abs(time - table.time[at]) <= ROUNDING * step_s)
        ahead[known, k - 1] = position_at(table, at[known], time[known])
    return ahead


def resample(table: TrackTable, step_s: float, max_gap_s: float) -> TrackTable:
    """Every piece of a track at even times from its first fix on, up to its last.

    A resampled position lies between the fix before and the fix after it: it is not known before the latter has
    come, so a table of what is known at a moment must be cut there before it is resampled. Features are those of the
    fix before.

    Args:
        table: the tracks.
        step_s: seconds between two rows of the result.
        max_gap_s: nothing is filled in between two fixes further apart than this.

    Raises:
        ConfigError: if the step is not above 0, or would make more than 10,000,000 rows.
    """
    if not step_s > 0:
        raise ConfigError(f"a step of {step_s} seconds cannot be; it must be above 0")
    piece = table.pieces(max_gap_s)
    first = np.flatnonzero(np.diff(piece, prepend=-1))
    end = np.append(first[1:], len(table))
    counts = np.floor((table.time[end - 1] - table.time[first]) / step_s + ROUNDING).astype(np.int64) + 1
    total = int(counts.sum())
    if total > 10_000_000:
        raise ConfigError(f"steps of {step_s} seconds make {total} rows; choose a longer step, or correct the times")
    number = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    time = np.repeat(table.time[first], counts) + number * step_s
    before = _rows_before(table, np.repeat(first, counts), np.repeat(end, counts), time + ROUNDING * step_s)
    owner = table.owner[before]
    offsets = np.searchsorted(owner, np.arange(table.n_tracks + 1)).astype(np.int64)
    resampled = table.rows(before, table.ids, offsets)
    exact = np.abs(table.time[before] - time) <= ROUNDING * step_s
    file_rows = np.where(exact, np.array([table.row_number(int(row)) for row in before], np.int64), 0)
    return _with(resampled, time, position_at(table, before, time), exact & table.jumps[before], file_rows)


def _rows_before(table: TrackTable, first: Ints, end: Ints, time: Floats) -> Ints:
    """The last row from `first` up to `end` whose time is at or before each time, by bisection."""
    low, high = first.copy(), end.copy()
    while np.any(high - low > 1):
        middle = (low + high) // 2
        later = table.time[np.minimum(middle, len(table) - 1)] > time
        high = np.where(later & (high - low > 1), middle, high)
        low = np.where(~later & (high - low > 1), middle, low)
    return low


def _with(table: TrackTable, time: Floats, position: Floats, jumps: Bools, file_rows: Ints) -> TrackTable:
    from dataclasses import replace

    return replace(table, time=time, position=position, jumps=jumps, file_rows=file_rows)
