"""Between sktime's pandas containers and long tables: one series for every instance and column."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recurra.data.frequency import Frequency
from recurra.errors import MissingColumnError, TableError

SERIES, STAMP, TARGET = "series", "ds", "y"


@dataclass(frozen=True)
class PandasRows:
    """The rows so far: targets, and covariates known in advance, under one index.

    Args:
        y: one column a target; the index is time, or ends in time where there are instances.
        X: covariates under the same index, or None.
    """

    y: pd.DataFrame
    X: pd.DataFrame | None = None

    @property
    def covariates(self) -> list[str]:
        """Names of the covariates' columns in a long table."""
        return [] if self.X is None else [f"x{i}" for i in range(self.X.shape[1])]

    def instances(self) -> Iterator[tuple[Hashable, pd.DataFrame]]:
        """Name and rows of each instance, by time alone; one without name where there are none."""
        yield from parts_of(self.y)

    def series(self) -> list[str]:
        """Names of the series in a long table, instance by instance and column by column."""
        return [series_name(name, column) for name, part in self.instances() for column in range(part.shape[1])]

    def frequency(self) -> str | None:
        """Code of the step between rows, or None to find it from the stamps."""
        _, first = next(self.instances())
        index = first.index
        if isinstance(index, pd.PeriodIndex):
            begun = pd.period_range(index[0], periods=8, freq=index.freq).to_timestamp()
            return Frequency.infer(begun.to_numpy()).code
        if isinstance(index, pd.DatetimeIndex):
            return index.freqstr
        return "1"

    def long(self) -> dict[str, Any]:
        """The rows as columns of a long table."""
        return _long(self.y, self.X, self.y.shape[1])

    def future(self, X: pd.DataFrame | None, steps: int) -> dict[str, Any] | None:
        """The covariates of the `steps` rows after each instance's last one, as columns of a long table.

        Raises:
            TableError: if they are not there.
        """
        if self.X is None:
            return None
        if X is None:
            raise TableError("this forecaster was fitted with X: hand in X for the steps to forecast")
        if X.shape[1] != self.X.shape[1]:
            raise MissingColumnError(f"X has {X.shape[1]} columns, at fit it had {self.X.shape[1]}")
        given = dict(parts_of(X))
        after = {}
        for name, part in self.instances():
            if name not in given:
                raise TableError(f"X has no rows of instance {name!r}")
            later = given[name][given[name].index > part.index[-1]].iloc[:steps]
            if len(later) < steps:
                raise TableError(f"X has {len(later)} rows after {part.index[-1]}; the forecast needs {steps}")
            after[name] = later
        joined = pd.concat(after.values(), keys=list(after)) if len(after) > 1 else next(iter(after.values()))
        if len(after) > 1 and isinstance(next(iter(after)), tuple):
            joined.index = pd.MultiIndex.from_tuples([(*key[:-1], key[-1]) for key in joined.index])
        return _long(None, joined, self.y.shape[1])

    def followed_by(self, y: pd.DataFrame, X: pd.DataFrame | None) -> "PandasRows":
        """These rows and new ones; of old rows at or after an instance's first new one nothing is kept.

        Raises:
            TableError: if covariates are missing that the old rows have.
        """
        if self.X is not None and X is None:
            raise TableError("this forecaster was fitted with X: hand in X with the new rows too")
        new_y = _joined(self.y, y)
        new_X = None
        if self.X is not None and X is not None:
            new_X = _joined(self.X, X.reindex(y.index) if not X.index.equals(y.index) else X)
        return PandasRows(new_y, new_X)


def series_name(instance: Hashable, column: int) -> str:
    """Name of a series in a long table."""
    return f"{'' if instance is None else instance}/{column}"


def parts_of(table: pd.DataFrame) -> Iterator[tuple[Hashable, pd.DataFrame]]:
    """Name and rows of each instance, by time alone."""
    levels = table.index.nlevels
    if levels == 1:
        yield None, table
        return
    for name, part in table.groupby(level=list(range(levels - 1)), sort=False):
        plain = name[0] if isinstance(name, tuple) and len(name) == 1 else name
        yield plain, part.droplevel(list(range(levels - 1)))


def _joined(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    first = {name: part.index[0] for name, part in parts_of(new)}
    kept = [part if name not in first else part[part.index < first[name]] for name, part in parts_of(old)]
    if old.index.nlevels == 1:
        joined: pd.DataFrame = pd.concat([kept[0], new])
        return joined
    names = list(old.index.names)
    whole = pd.concat(
        [pd.concat([part], keys=[name], names=names[:-1]) for (name, _), part in zip(parts_of(old), kept, strict=True)]
        + [new]
    )
    whole.index.names = names
    ordered: pd.DataFrame = whole.sort_index(level=list(range(len(names) - 1)), sort_remaining=True, kind="stable")
    return ordered


def _long(y: pd.DataFrame | None, X: pd.DataFrame | None, columns: int) -> dict[str, Any]:
    """Every instance's rows once for each target column."""
    frame = X if y is None else y
    assert frame is not None
    covariates = dict(parts_of(X)) if X is not None else {}
    found: dict[str, list[Any]] = {SERIES: [], STAMP: []}
    for name, part in parts_of(frame):
        stamps = _stamps(part.index)
        for column in range(columns):
            found[SERIES].append(np.full(len(part), series_name(name, column), dtype=object))
            found[STAMP].append(stamps)
            if y is not None:
                found.setdefault(TARGET, []).append(part.iloc[:, column].to_numpy(np.float64))
            for i in range(0 if X is None else X.shape[1]):
                found.setdefault(f"x{i}", []).append(_values(covariates[name].iloc[:, i]))
    return {name: np.concatenate(values) for name, values in found.items()}


def _stamps(index: "pd.Index[Any]") -> np.ndarray[Any, Any]:
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp().to_numpy()
    return index.to_numpy()


def _values(column: "pd.Series[Any]") -> np.ndarray[Any, Any]:
    """A covariate: numbers, or categories as text."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64)
    return column.map(lambda cell: cell if pd.isna(cell) else str(cell)).to_numpy(object)
