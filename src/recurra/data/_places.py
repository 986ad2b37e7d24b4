"""Where in the user's table a value stands, in words, for error messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.frequency import show_stamp


@dataclass(frozen=True)
class Places:
    """Names rows of one table as the user knows them: number, column, and series and time stamp as far as known.

    Attributes:
        ids: names of the series, or None where the table holds one series or ids are not read yet.
        codes: series of each row as an index into `ids`, [rows].
        ds: time stamp of each row [rows], or None while not read yet.
        zone: time zone to show stamps in.
        noun: what a row belongs to.
    """

    ids: Sequence[str | int] | None = None
    codes: npt.NDArray[np.int64] | None = None
    ds: npt.NDArray[Any] | None = None
    zone: str | None = None
    noun: str = "series"

    def at(self, index: int, column: str | None = None) -> str:
        """As in "row 17, column 'y' (series 'a', 2020-01-03)", for the row at `index`, counted from 0."""
        known = []
        if self.ids is not None and self.codes is not None:
            known.append(f"{self.noun} {plain(self.ids[self.codes[index]])!r}")
        if self.ds is not None:
            known.append(show_stamp(self.ds[index], self.zone))
        about = f" ({', '.join(known)})" if known else ""
        named = f", column {column!r}" if column is not None else ""
        return f"row {int(index) + 1}{named}{about}"


def plain(value: Any) -> Any:
    """A numpy scalar as Python's own."""
    return value.item() if hasattr(value, "item") else value
