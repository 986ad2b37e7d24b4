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
from recurra.data.targets import split_id
from recurra.errors import BadValueError, ConfigError, MissingColumnError, TableError

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
            ConfigError: if there is one although the model was trained without.
        """
        if not self.spec.future and source is not None:
            raise ConfigError(
                "this model knows no covariates in advance, so the table of future ones would not be read; leave it "
                "out, or fit with future_covariates="
            )
        if not self.spec.future:
            return {}
        if source is None:
            raise TableError(
                f"this model needs the columns {', '.join(map(repr, self.spec.future))} of the next "
                f"{ds.shape[1]} steps: hand them in as a second table (future=)"
            )
        if self.columns.more_targets and not isinstance(source, SeriesTable):
            names = [split_id(name)[0] or self.columns.y for name in names]
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
        raw, columns = read_columns(source), replace(self.columns, static=(), more_targets=())
        alone = columns.unique_id is not None and columns.unique_id not in raw.names and len(set(names)) == 1
        frequency = self.spec.step
        any_dates = "irregular:1" if frequency.is_index else "irregular:us"
        table = SeriesTable.from_table(
            raw,
            columns=replace(columns, unique_id=None) if alone else columns,
            covariates=self.spec.future,
            freq=frequency.code.partition("@")[0] if self.tables.gaps == "fill" else any_dates,
            policy=self.tables,
            require_y=False,
        )
        return replace(table, ids=(names[0],)) if alone else table

    def _rows(self, table: SeriesTable, names: Sequence[str | int], ds: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Rows of the table that are the series' next steps, [n * horizon]."""
        horizon, irregular = ds.shape[1], self.spec.step.irregular
        place = {str(name): i for i, name in enumerate(table.ids)}
        rows = []
        for name, wanted in zip(names, ds, strict=True):
            i = place.get(str(name))
            begin, end = (int(table.offsets[i]), int(table.offsets[i + 1])) if i is not None else (0, 0)
            if irregular:
                begin += int(np.sum(table.ds[begin:end] <= self.spec.step.shift(wanted[0], -1)))
            given = table.ds[begin : min(end, begin + horizon)]
            if len(given) < horizon or not (irregular or np.array_equal(given, wanted)):
                raise TableError(_not_these(table, self, str(name), wanted, begin, given))
            rows.append(np.arange(begin, begin + horizon))
        return np.concatenate(rows)


def _not_these(
    table: SeriesTable, reader: FutureReader, name: str, wanted: npt.NDArray[Any], begin: int, given: npt.NDArray[Any]
) -> str:
    """The first date that is wrong; or, where the dates are right as far as they go, which rows are needed."""
    zone, columns = reader.spec.time_zone, ", ".join(map(repr, reader.spec.future))
    wrong = np.flatnonzero(given != wanted[: len(given)])
    if reader.spec.step.irregular:
        last = show_stamp(reader.spec.step.shift(wanted[0], -1), zone)
        return (
            f"series {name!r}: the table of future covariates (columns {columns}) needs {len(wanted)} rows after the "
            f"series' last row, {last}; it has {len(given)}"
        )
    needed = (
        f"the table of future covariates (columns {columns}) needs the {len(wanted)} rows "
        f"{show_stamp(wanted[0], zone)} to {show_stamp(wanted[-1], zone)}, right after the series' last row"
    )
    if len(wrong):
        at = int(wrong[0])
        return (
            f"row {table.row_number(begin + at)}, column {reader.columns.ds!r} (series {name!r}): expected "
            f"{show_stamp(wanted[at], zone)}, found {show_stamp(given[at], zone)}; {needed}"
        )
    has = f"{len(given)} from {show_stamp(given[0], table.time_zone)}" if len(given) else "none of them"
    return f"series {name!r}: {needed}; it has {has}"
