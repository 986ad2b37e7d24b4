"""Several targets in one table: each series stands once for every target, under a name that tells both."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recurra.data.readers import is_whole_number

Ints = npt.NDArray[np.int64]
SEPARATOR = " / "
TARGET_COLUMN = "target"


def target_id(series: str | int, target: str, named: bool = True) -> str:
    """The name of a series' target, "north / sales"; the target alone where series have no names.

    Args:
        series: the series.
        target: the column.
        named: whether the table names its series.
    """
    return f"{series}{SEPARATOR}{target}" if named else target


def split_id(name: str | int) -> tuple[str, str]:
    """Series and target of a name that `target_id` made; the series is empty where series have no names.

    >>> split_id("north / sales")
    ('north', 'sales')
    """
    series, _, target = str(name).rpartition(SEPARATOR)
    return series, target


def series_ids(names: Sequence[str | int]) -> list[str | int]:
    """The series of such names, as a table calls them: whole numbers if all of them are."""
    series = [split_id(name)[0] for name in names]
    return [int(name) for name in series] if all(map(is_whole_number, series)) else list(series)


def stacked_rows(offsets: Ints, n_targets: int) -> tuple[Ints, Ints]:
    """Rows of a table that holds every series once for each target, one after the other.

    Args:
        offsets: first row of each series and the end, [N + 1].
        n_targets: T.

    Returns:
        The row of the plain table behind each row, [rows * T], and the new offsets, [N * T + 1].
    """
    bounds = list(pairwise(offsets))
    rows = np.concatenate([np.arange(begin, end) for begin, end in bounds for _ in range(n_targets)])
    lengths = np.repeat(np.diff(offsets), n_targets)
    return rows, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def find_peers(names: Sequence[str | int], targets: Sequence[str]) -> Ints:
    """Where the targets of each series' own kin stand, itself among them, [N, T]; -1 for one that is not there."""
    place = {str(name): i for i, name in enumerate(names)}
    kin = [[place.get(target_id(split_id(n)[0], t, SEPARATOR in str(n)), -1) for t in targets] for n in names]
    return np.array(kin, np.int64).reshape(len(names), len(targets))
