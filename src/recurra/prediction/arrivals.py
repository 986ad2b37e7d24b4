"""Rows that arrive one by one or as a table, checked before any is used."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recurra.data.columns import TablePolicy
from recurra.data.frequency import show_stamp
from recurra.data.preparation import Preparation
from recurra.data.preparation.covariates import CategoryColumn
from recurra.data.preparation.units import LOG, REMEDY
from recurra.data.readers import is_whole_number
from recurra.data.series import Columns, SeriesTable
from recurra.data.targets import target_id
from recurra.errors import BadValueError, MissingColumnError, TimeStampError
from recurra.prediction.stamps import parse_stamp, refuse_other_clock
from recurra.prediction.support import BOUNDED, outside_support

LARGEST = 1e30
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a row stands, for errors: its number, its series (None if there is only one) and its time."""

    number: int
    series: str | None
    ds: Any
    time_zone: str | None

    def __str__(self) -> str:
        return f"row {self.number}{self._known}"

    def column(self, name: str) -> str:
        """The row and one of its columns, as in "row 1, column 'y' (series 'a', 2024-01-31)"."""
        return f"row {self.number}, column {name!r}{self._known}"

    @property
    def _known(self) -> str:
        series = "" if self.series is None else f"series {self.series!r}, "
        return f" ({series}{show_stamp(self.ds, self.time_zone)})"


@dataclass(frozen=True)
class Arrival:
    """One row, checked: its series, its time, its target (NaN if missing) and its covariates."""

    name: str
    ds: Any
    y: float
    covariates: dict[str, Any]
    place: Place


class ArrivalReader:
    """Reads rows in the model's columns.

    Args:
        preparation: of the model; says which covariates a row must hold, and how far rows lie apart.
        columns: names of the columns.
        tables: what to do about the blemishes of a table.
        output: of the network; says which targets it can hold.
    """

    def __init__(
        self, preparation: Preparation, columns: Columns, tables: TablePolicy, output: str = "quantiles"
    ) -> None:
        self.columns, self.tables = columns, tables
        self.output = output if output in BOUNDED else None
        self.frequency, self.time_zone = preparation.spec.step, preparation.spec.time_zone
        self.mask_missing, self.log = preparation.spec.show_missing, preparation.spec.scaling == LOG
        self.static = tuple(preparation.static.columns)
        last = tables.missing_covariates == "last"
        self.carried = (*preparation.past.columns, *preparation.future.columns) if last else ()
        self.blank = frozenset({*preparation.masked, *self.carried})
        encoders = {**preparation.past.columns, **preparation.future.columns, **preparation.static.columns}
        self.categories = {name: c for name, c in encoders.items() if isinstance(c, CategoryColumn)}
        self.numeric = tuple(name for name in encoders if name not in self.categories)

    def read(self, rows: Iterable[Row] | object) -> list[Arrival]:
        """Check every row.

        Args:
            rows: mappings of column names to values, or any table that `fit` takes.

        Raises:
            TableError: naming row, column and remedy.
        """
        if isinstance(rows, SeriesTable) or not isinstance(rows, (Sequence, Iterator)) or isinstance(rows, str):
            return self._read_table(rows)
        return [arrival for number, row in enumerate(rows, start=1) for arrival in self.read_row(row, number)]

    def read_row(self, row: Row, number: int) -> list[Arrival]:
        """Check one row, which holds one observation of each target; `number` names it in errors.

        Static columns may be left out; `StaticValues` says when.
        """
        if not isinstance(row, Mapping):
            raise BadValueError(f"row {number}: {row!r} is not a row; hand in values by column name")
        where = f"row {number}"
        name = None
        if self.columns.unique_id is not None:
            name = series_name(_get(row, self.columns.unique_id, where), f"{where}, column {self.columns.unique_id!r}")
        ds = self._stamp(_get(row, self.columns.ds, where), f"{where}, column {self.columns.ds!r}")
        place = Place(number, name, ds, self.time_zone)
        values = [self._target(_get(row, column, place), column, place) for column in self.columns.targets]
        left_out = [column for column in self.static if column not in row]
        covariates: dict[str, Any] = {
            column: self._covariate(_get(row, column, place), column, place)
            for column in self.numeric
            if column not in left_out
        }
        for column in self.categories:
            if column not in left_out:
                covariates[column] = self._category(_get(row, column, place), column, place)
        if not self.columns.more_targets:
            return [Arrival(self.columns.y if name is None else name, ds, values[0], covariates, place)]
        names = [target_id(name or "", target, name is not None) for target in self.columns.targets]
        return [Arrival(one, ds, y, covariates, place) for one, y in zip(names, values, strict=True)]

    def _read_table(self, source: object) -> list[Arrival]:
        covariates = [name for name in (*self.numeric, *self.categories) if name not in self.static]
        table = SeriesTable.from_table(
            source, columns=self.columns, covariates=covariates, freq=self.frequency.code.partition("@")[0],
            policy=replace(self.tables, missing_covariates="mask") if self.carried else self.tables,
        )  # fmt: skip
        refuse_other_clock(self.time_zone, table.time_zone is not None, f"column {self.columns.ds!r}")
        arrivals = []
        for row, owner in enumerate(table.series_of_rows):
            name = str(table.ids[owner])
            values = {column: table.covariates[column][row] for column in (*covariates, *self.static)}
            place = Place(table.row_number(row), name, table.ds[row], table.time_zone)
            for column in self.categories:
                values[column] = self._category(values[column], column, place)
            self._check_size(float(table.y[row]), table.target_of(int(owner)), place)
            arrivals.append(Arrival(name, table.ds[row], float(table.y[row]), values, place))
        return arrivals

    def _target(self, value: object, column: str, place: Place) -> float:
        if type(value) is float and abs(value) <= LARGEST:
            self._check_size(value, column, place)
            return value
        missing = value is None or value != value  # noqa: PLR0124  NaN is unlike itself
        if missing and self.mask_missing:
            return float("nan")
        if missing:
            raise BadValueError(
                f"{place.column(column)}: the target is missing; "
                "leave the row out, or fit the model with missing='mask'"
            )
        number = _number(value, column, place)
        self._check_size(number, column, place)
        return number

    def _check_size(self, value: float, column: str, place: Place) -> None:
        if self.log and value < 0:
            raise BadValueError(f"{place.column(column)}: {value:g} is negative; {REMEDY}")
        for bad, words in () if self.output is None else outside_support(self.output, np.array([value])):
            if bad[0]:
                raise BadValueError(
                    f"{place.column(column)}: {value:g} {words}; correct the row, or fit with output='quantiles'"
                )

    def _covariate(self, value: object, column: str, place: Place) -> float:
        missing = value is None or value != value  # noqa: PLR0124  NaN is unlike itself
        return float("nan") if missing and column in self.blank else _number(value, column, place)

    def _category(self, value: object, column: str, place: Place) -> str | None:
        missing = value is None or value != value  # noqa: PLR0124  NaN is unlike itself
        if missing and column in self.blank:
            return None
        whole = isinstance(value, float) and value.is_integer()
        text = str(int(value)) if whole else str(value)  # type: ignore[call-overload]
        known = self.categories[column].vocabulary
        if value is None or (text not in known and self.categories[column].unseen == "refuse"):
            some = ", ".join(map(repr, known.values[:5])) + (", ..." if len(known) > 5 else "")
            raise BadValueError(
                f"{place.column(column)}: category {value!r} was not seen at fit ({some}); correct it, "
                "or fit with rows that have it"
            )
        return text

    def _stamp(self, value: Any, where: str) -> Any:
        if not self.frequency.is_index:
            return parse_stamp(value, where, self.columns.date_format, self.time_zone)
        if is_whole_number(value) or (isinstance(value, float) and value.is_integer()):
            return np.int64(value)
        raise TimeStampError(
            f"{where}: {value!r} is not a whole number, as the model's time stamps are; number the row"
        )


def _get(row: Row, column: str, place: object) -> Any:
    try:
        return row[column]
    except KeyError:
        has = ", ".join(map(repr, row)) or "nothing"
        raise MissingColumnError(f"{place}: column {column!r} is missing; the row has {has}") from None


def series_name(cell: object, where: str, noun: str = "series") -> str:
    """The series' name as text: 7, 7.0 and "7" are one series, as in a table.

    Args:
        cell: what the row has.
        where: names row and column in errors.
        noun: what is named.

    Raises:
        BadValueError: if nothing is there.
    """
    if type(cell) is str and cell:
        return cell
    if cell is None or cell == "" or cell != cell:  # noqa: PLR0124  NaN is unlike itself
        raise BadValueError(f"{where}: the {noun} is not named; fill it in")
    return str(int(cell)) if isinstance(cell, (float, np.floating)) and float(cell).is_integer() else str(cell)


def _number(value: Any, column: str, place: Place) -> float:
    try:
        result = float(value) if not isinstance(value, str) or "_" not in value else None
    except (TypeError, ValueError):
        result = None
    if result is None or not np.isfinite(result):
        raise BadValueError(f"{place.column(column)}: {value!r} is not a finite number; correct the row")
    if abs(result) > LARGEST:
        raise BadValueError(f"{place.column(column)}: {value!r} is larger than 1e30; use a larger unit, or correct it")
    return result
