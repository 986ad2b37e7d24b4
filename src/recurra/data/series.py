"""The table of time series that everything in Recurra computes from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data._build import Request, build
from recurra.data.columns import Columns, TablePolicy
from recurra.data.frequency import Frequency, Stamps
from recurra.data.readers import TableKind, read_columns
from recurra.data.targets import split_id, stacked_rows, target_id
from recurra.data.time_zones import to_wall
from recurra.errors import ConfigError, TableError

__all__ = ["Columns", "Series", "SeriesTable", "TablePolicy"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One series of a table: views, not copies.

    Attributes:
        id: its name.
        ds: stamps, [rows].
        y: target, [rows], NaN where masked.
        covariates: name -> [rows].
    """

    id: str | int
    ds: Stamps
    y: Floats
    covariates: dict[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        return len(self.ds)


@dataclass(frozen=True)
class SeriesTable:
    """Time series, one after the other, ready to compute from.

    Guarantees, for every table made by `from_table` and by the methods here:

    * Series stand in order of first appearance, each in one piece, named once.
    * Within a series the stamps increase strictly, each exactly one step of `frequency` after the one before.
    * Stamps are datetime64[us], in UTC where there is a time zone, or int64.
    * The target is finite and at most 1e30 in size, or NaN where it is missing; never NaN unless missing="mask" or
      the target was not required.
    * Covariates have a value in every row: numbers as float64, categories as text; or, under
      missing_covariates="mask", NaN or None. Static columns have one value in all rows of a series.
    * With several targets each series stands once for every target, under the name that `targets.target_id` gives it,
      one after the other.
    * Nothing is written to after it is made: every method gives a new table.

    Attributes:
        ids: name of each series, [N].
        offsets: where each series begins, and the end, [N + 1].
        ds: time stamps, [rows].
        y: target, [rows].
        covariates: name -> float64 [rows] or text (object) [rows].
        frequency: the step from one row to the next, the same for all series.
        columns: the user's names of the columns.
        kind: the kind of table to give back.
        time_zone: zone to show stamps in; None where they have none.
        file_rows: row number of each row in the user's table, from 1; 0 for an inserted row; [rows].
    """

    ids: tuple[str | int, ...]
    offsets: Ints
    ds: Stamps
    y: Floats
    covariates: dict[str, npt.NDArray[Any]]
    frequency: Frequency
    columns: Columns = field(default_factory=Columns)
    kind: TableKind = "pandas"
    time_zone: str | None = None
    file_rows: Ints | None = None

    @classmethod
    def from_table(
        cls, source: object, *, columns: Columns | None = None, covariates: Sequence[str] = (), freq: str | None = None,
        policy: TablePolicy | None = None, require_y: bool = True,
    ) -> "SeriesTable":  # fmt: skip
        """Read and check a table.

        Args:
            source: a path (.csv, .tsv, .parquet, .csv.gz, .tsv.gz), a pandas, polars, pyarrow or narwhals table, a
                mapping of columns, a sequence of rows, or a SeriesTable, which is given back.
            columns: names of the columns.
            covariates: names of further columns to read, numbers or categories.
            freq: the frequency (see `Frequency.parse`), or None to find it.
            policy: what to do about missing values, unsorted rows and gaps; everything is refused by default.
            require_y: whether the target must be there; without it a missing column, or value, is NaN.

        Raises:
            MissingColumnError: for a column that is not there; names those that are, and the closest.
            BadValueError: for text, NaN, infinity or a size above 1e30 where a number belongs; names row and column.
            TimeStampError: for stamps that are missing, unreadable, ambiguous, repeated, unsorted, irregular or in
                several time zones; names row and column.
            TableError: for a file or object that is no table, and a table without rows.
            ConfigError: for an unknown frequency or date format.
        """
        if isinstance(source, SeriesTable):
            return source
        columns = columns or Columns()
        if isinstance(covariates, str):
            raise ConfigError(f"covariates={covariates!r} must be a sequence of names, as in [{covariates!r}]")
        raw = read_columns(source)
        request = Request(columns, tuple(dict.fromkeys(covariates)), freq, policy or TablePolicy(), require_y)
        rows, frequency = build(raw, request)
        table = cls(
            ids=rows.ids, offsets=rows.offsets, ds=rows.ds, y=rows.y, covariates=rows.covariates, frequency=frequency,
            columns=columns, kind=raw.kind, time_zone=rows.time_zone, file_rows=rows.file_rows,
        )  # fmt: skip
        return table._stacked() if columns.more_targets else table

    def __len__(self) -> int:
        return len(self.ds)

    @property
    def n_series(self) -> int:
        """How many series there are."""
        return len(self.ids)

    @cached_property
    def lengths(self) -> Ints:
        """Rows of each series, [N]."""
        lengths = np.diff(self.offsets)
        lengths.flags.writeable = False
        return lengths

    @property
    def last_ds(self) -> Stamps:
        """The last stamp of each series, [N]."""
        return np.asarray(self.ds[self.offsets[1:] - 1])

    @property
    def wall_ds(self) -> Stamps:
        """The stamps as a clock in `time_zone` shows them, [rows]: what calendar features are made from."""
        return self.ds if self.time_zone is None else to_wall(self.ds, self.time_zone)

    @property
    def series_of_rows(self) -> Ints:
        """Index of the series that each row belongs to, [rows]."""
        return np.repeat(np.arange(self.n_series), self.lengths)

    def series(self, i: int) -> Series:
        """The series at index i, as views."""
        part = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        covariates = {name: values[part] for name, values in self.covariates.items()}
        return Series(self.ids[i], self.ds[part], self.y[part], covariates)

    def index_of(self, id: str | int) -> int:
        """The index of a series by its name.

        Raises:
            TableError: if there is no such series.
        """
        try:
            return self.ids.index(id)
        except ValueError:
            some = ", ".join(map(repr, self.ids[:5])) + (", ..." if len(self.ids) > 5 else "")
            raise TableError(f"there is no series {id!r}; the series are {some}") from None

    def truncate(self, ends: npt.ArrayLike) -> "SeriesTable":
        """Only the first ends[i] rows of series i; a series without rows is dropped."""
        return self.slice(np.zeros(self.n_series, np.int64), ends)

    def slice(self, starts: npt.ArrayLike, ends: npt.ArrayLike) -> "SeriesTable":
        """Rows starts[i] ... ends[i] - 1 of series i, as far as it has them; a series without rows is dropped."""
        first = np.clip(np.asarray(starts, np.int64), 0, self.lengths)
        count = np.maximum(np.clip(np.asarray(ends, np.int64), 0, self.lengths) - first, 0)
        return self._picked(np.flatnonzero(count), first, count)

    def select(self, series_indices: npt.ArrayLike) -> "SeriesTable":
        """The series at these indices, in this order, each at most once."""
        chosen = np.asarray(series_indices, np.int64)
        if len(np.unique(chosen)) != len(chosen):
            raise TableError("a series is selected twice; a table names each series once")
        return self._picked(chosen, np.zeros(self.n_series, np.int64), self.lengths)

    def without_target(self) -> "SeriesTable":
        """The same rows with every target masked: known-future covariates without the answers."""
        return replace(self, y=np.full(len(self), np.nan))

    def future_ds(self, horizon: int) -> Stamps:
        """The `horizon` stamps after the last row of each series, [N, horizon]."""
        return self.frequency.steps_after(self.last_ds, horizon)

    def row_number(self, row: int) -> int:
        """The number of a row in the user's table, from 1; 0 for an inserted row."""
        return row + 1 if self.file_rows is None else int(self.file_rows[row])

    def _stacked(self) -> "SeriesTable":
        """Every series once for each target."""
        columns, (rows, offsets) = self.columns, stacked_rows(self.offsets, len(self.columns.targets))
        more = {name: self.covariates[name] for name in columns.more_targets}
        by_target = np.stack([self.y, *more.values()])
        number = np.repeat(np.tile(np.arange(len(columns.targets)), self.n_series), np.diff(offsets))
        named = columns.unique_id is not None
        return replace(
            self, ids=tuple(target_id(i, t, named) for i in self.ids for t in columns.targets), offsets=offsets,
            ds=self.ds[rows], y=by_target[number, rows],
            covariates={name: values[rows] for name, values in self.covariates.items() if name not in more},
            file_rows=None if self.file_rows is None else self.file_rows[rows],
        )  # fmt: skip

    def target_of(self, series: int) -> str:
        """The name of the column that holds a series' target."""
        return split_id(self.ids[series])[1] if self.columns.more_targets else self.columns.y

    def _picked(self, chosen: Ints, first: Ints, count: Ints) -> "SeriesTable":
        """Rows first[i] ... first[i] + count[i] - 1 of each chosen series i."""
        lengths = count[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        begin = self.offsets[:-1][chosen] + first[chosen]
        rows = np.repeat(begin - offsets[:-1], lengths) + np.arange(offsets[-1])
        return replace(
            self, ids=tuple(self.ids[i] for i in chosen), offsets=offsets, ds=self.ds[rows], y=self.y[rows],
            covariates={name: values[rows] for name, values in self.covariates.items()},
            file_rows=None if self.file_rows is None else self.file_rows[rows],
        )  # fmt: skip
