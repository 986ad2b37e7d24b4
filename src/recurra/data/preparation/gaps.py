"""How long something has been missing, and how long rows lie apart: the gaps of a table as inputs of a network."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.preparation.reference import Array

Rows = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def missing_cells(values: npt.NDArray[Any]) -> Bools:
    """Which cells of a column of numbers or categories are missing, same shape."""
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values))
    return np.array([cell is None or cell != cell for cell in values.tolist()], bool)  # noqa: PLR0124  NaN


def steps_since(known: Bools, offsets: Rows) -> Rows:
    """Rows since the last known value: 0 where it is known; counted from the first row where none was yet, [rows].

    Args:
        known: whether the value is there, [rows].
        offsets: first row of each series and the end, [series + 1].

    >>> steps_since(np.array([False, False, True, False, True]), np.array([0, 5])).tolist()
    [1, 2, 0, 1, 0]
    """
    row = np.arange(len(known), dtype=np.int64)
    before = np.repeat(offsets[:-1], np.diff(offsets)) - 1
    since: Rows = row - np.maximum(np.maximum.accumulate(np.where(known, row, -1)), before)
    return since


def steps_on(since: Rows, known: Bools) -> Rows:
    """The same count some rows further, from its present value.

    Args:
        since: count at the row before, [n].
        known: whether the value is there in the next rows, [n, steps].

    Returns:
        [n, steps].
    """
    result = np.empty(known.shape, np.int64)
    for k in range(known.shape[1]):
        since = np.where(known[:, k], 0, since + 1)
        result[:, k] = since
    return result


def gap_input(since: Rows) -> Array:
    """The count as an input: log(1 + count), so that a long gap stays small."""
    return np.log1p(since.astype(np.float64))


def log_gaps(ds: npt.NDArray[Any], before: npt.NDArray[Any], begun: Bools) -> Array:
    """Logarithm of the time between rows and the rows before them, NaN where there is none, [n].

    Args:
        ds: time stamps, [n].
        before: those of the rows before, [n].
        begun: whether there is a row before, [n].
    """
    units = np.where(begun, (ds - before).astype(np.int64), 1).astype(np.float64)
    return np.where(begun, np.log(np.maximum(units, 1.0)), np.nan)


def table_gaps(ds: npt.NDArray[Any], offsets: Rows) -> Array:
    """`log_gaps` of every row of a table, NaN at the first row of each series, [rows]."""
    begun = np.ones(len(ds), bool)
    begun[offsets[:-1]] = False
    return log_gaps(ds, np.concatenate([ds[:1], ds[:-1]]), begun)
