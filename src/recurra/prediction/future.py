"""Covariates known in advance: any table of them, held against the very steps that are to be forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.columns import Columns, TablePolicy
from recurra.data.frequency import show_stamp
from recurra.data.preparation import PreparationSpec
from recurra.data.readers import read_columns
from recurra.data.series import SeriesTable
from recurra.errors import BadValueError, MissingColumnError, TableError

Covariates = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class FutureReader:
    """Reads tables of future covariates.

    Args:
        spec: of the model.
        columns: names of the columns.
        tables: what to do about the blemishes of a table.
    """

    spec: PreparationSpec
    columns: Columns = Columns()  # noqa: RUF009  a frozen value
    tables: TablePolicy = TablePolicy()  # noqa: RUF009  a frozen value

    def read(self, source: object, names: Sequence[str | int], ds: npt.NDArray[Any]) -> Covariates:
        """The future covariates of the steps to forecast.

        Args:
            source: any table that `fit` takes, or None; further series and later rows are passed over. Where one
                series is forecast its column of names may be left out.
            names: the series, [n].
            ds: their steps, [n, horizon].

        Returns:
            name -> [n * horizon]; empty if the model was trained without.

        Raises:
            TableError: if the table is not there, does not have these steps, or is wrong in itself.
        """
        if not self.spec.future:
            return {}
        if source is None:
            raise TableError(
                f"this model needs the columns {', '.join(map(repr, self.spec.future))} of the next "
                f"{ds.shape[1]} steps: hand them in as a second table (future=)"
            )
        table = self._table(source, names)
        absent = [name for name in self.spec.future if name not in table.covariates]
        if absent:
            raise MissingColumnError(f"the table of future covariates has no column {absent[0]!r}; add it")
        rows = self._rows(table, names, ds)
        return {name: table.covariates[name][rows] for name in self.spec.future}

    def _table(self, source: object, names: Sequence[str | int]) -> SeriesTable:
        if isinstance(source, SeriesTable):
            return source
        if isinstance(source, Sequence) and not isinstance(source, str) and not all(hasattr(r, "keys") for r in source):
            raise BadValueError("future must be a list of rows, one for each step ahead, or a table")
        raw, columns = read_columns(source), self.columns
        alone = columns.unique_id is not None and columns.unique_id not in raw.names and len(names) == 1
        table = SeriesTable.from_table(
            raw,
            columns=replace(columns, unique_id=None) if alone else columns,
            covariates=self.spec.future,
            freq=self.spec.frequency.partition("@")[0],
            policy=self.tables,
            require_y=False,
        )
        return replace(table, ids=(names[0],)) if alone else table

    def _rows(self, table: SeriesTable, names: Sequence[str | int], ds: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Rows of the table that are the series' next steps, [n * horizon]."""
        horizon = ds.shape[1]
        place = {str(name): i for i, name in enumerate(table.ids)}
        rows = []
        for name, wanted in zip(names, ds, strict=True):
            i = place.get(str(name))
            begin, end = (int(table.offsets[i]), int(table.offsets[i + 1])) if i is not None else (0, 0)
            given = table.ds[begin : min(end, begin + horizon)]
            if not np.array_equal(given, wanted):
                raise TableError(_not_these(table, self.spec, str(name), wanted, given))
            rows.append(np.arange(begin, begin + horizon))
        return np.concatenate(rows)


def _not_these(
    table: SeriesTable, spec: PreparationSpec, name: str, wanted: npt.NDArray[Any], given: npt.NDArray[Any]
) -> str:
    has = "none of them"
    if len(given):
        has = f"{len(given)} from {show_stamp(given[0], table.time_zone)}"
    return (
        f"series {name!r}: the table of future covariates (columns {', '.join(map(repr, spec.future))}) needs the "
        f"{len(wanted)} rows {show_stamp(wanted[0], spec.time_zone)} to {show_stamp(wanted[-1], spec.time_zone)}, "
        f"right after the series' last row; it has {has}"
    )
