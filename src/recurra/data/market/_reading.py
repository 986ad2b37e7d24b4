"""From a raw table to checked returns and variances: the steps behind `MarketTable.from_table`."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data._build import Request, Rows, read_sorted
from recurra.data._places import plain
from recurra.data.columns import Columns, TablePolicy
from recurra.data.frequency import show_stamp
from recurra.data.market.columns import MarketColumns, MarketPolicy
from recurra.data.market.ranges import floored, garman_klass, squared_return
from recurra.data.market.stock_splits import find_splits, refuse_splits, split_factors
from recurra.data.market.trading_days import Calendar, find_holes, refuse_gaps
from recurra.data.readers import RawTable
from recurra.errors import BadValueError, TimeStampError

Array = npt.NDArray[np.float64]
Carried = Mapping[str | int, Mapping[str, Array]]


def read_assets(
    raw: RawTable, columns: MarketColumns, policy: MarketPolicy, carried: Carried
) -> tuple[list[dict[str, Any]], int, str | None]:
    """The fields of every asset, how many holes there are in their trading days, and the time zone of the days."""
    first, *rest = columns.numbers
    names = Columns(columns.unique_id, columns.ds, first, columns.date_format)
    tables = TablePolicy(missing="mask", unsorted=policy.unsorted)
    rows, _ = read_sorted(raw, Request(names, tuple(rest), None, tables, True))
    if rows.ds.dtype.kind != "M":
        raise TimeStampError(f"column {columns.ds!r} holds whole numbers; trading days are dates")
    parts = [slice(int(begin), int(end)) for begin, end in pairwise(rows.offsets)]
    calendar = Calendar.of([rows.ds[part] for part in parts])
    readings = [_Reading(rows, part, columns, policy, carried) for part in parts]
    holes = [_holes(reading.ds, policy, calendar) for reading in readings]
    assets = [reading.fields(each) for reading, each in zip(readings, holes, strict=True)]
    return assets, int(sum(each.sum() for each in holes)), rows.time_zone


def _holes(ds: npt.NDArray[Any], policy: MarketPolicy, calendar: Calendar) -> npt.NDArray[np.bool_]:
    return find_holes(ds, policy.longest_gap, calendar.without(ds), policy.closed)


class _Reading:
    """One asset's rows on their way to returns and variances."""

    def __init__(self, rows: Rows, part: slice, columns: MarketColumns, policy: MarketPolicy, carried: Carried) -> None:
        self.rows, self.part = rows, part
        self.columns, self.policy = columns, policy
        self.ds = rows.ds[self.part]
        self.id = rows.ids[rows.codes[part.start]]
        self.carried = carried.get(self.id, {})
        self.number = {name: self._numbers(name) for name in columns.numbers}

    def fields(self, gaps: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """The arguments of an `Asset`; the return across a gap is refused, or masked."""
        if self.policy.gaps == "refuse":
            refuse_gaps(self.ds, gaps, lambda row: self.place(row, self.columns.ds))
        nothing = np.full(len(self.ds), np.nan)
        prices = self._prices() if self.columns.close is not None else {}
        close = prices.get("close", nothing)
        returns = self._returns(close, gaps)
        variance = self._variance(prices, returns)
        return {
            "id": self.id, "ds": self.ds, "returns": returns, "variance": variance, "close": close,
            "covariates": self._covariates(),
        }  # fmt: skip

    def place(self, row: int, column: str) -> str:
        """A row in words, counted in the user's table."""
        at = self.part.start + row
        stamp = show_stamp(self.rows.ds[at], self.rows.time_zone)
        return f"row {self.rows.file_rows[at]}, column {column!r} ({plain(self.id)!r}, {stamp})"

    def refuse(self, wrong: npt.NDArray[np.bool_], column: str, reason: str) -> None:
        """Refuse the first wrong row of a column."""
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BadValueError(f"{self.place(row, column)}: {reason}")

    def _numbers(self, name: str) -> Array:
        values = self.rows.y if name == self.columns.numbers[0] else self.rows.covariates[name]
        if values.dtype.kind != "f":
            raise BadValueError(f"column {name!r} holds text where numbers belong; convert it to numbers")
        return np.asarray(values[self.part], np.float64)

    def _prices(self) -> dict[str, Array]:
        """Prices by role, positive, consistent, and without the jumps of stock splits."""
        columns = self.columns
        for name in columns.prices:
            self.refuse(self.number[name] <= 0.0, name, "a price must be above 0; correct it, or remove the row")
            self._refuse_missing(name)
        prices = {"close": self.number[columns.close or ""]}
        if columns.open and columns.high and columns.low:
            prices |= {role: self.number[name] for role, name in zip(
                ("open", "high", "low"), (columns.open, columns.high, columns.low), strict=True)}  # fmt: skip
            slack = 1.0 + 1e-6
            highest = np.fmax(prices["open"], prices["close"])
            lowest = np.fmin(prices["open"], prices["close"])
            self.refuse(prices["high"] * slack < highest, columns.high, "the high is below open or close; correct it")
            self.refuse(prices["low"] > lowest * slack, columns.low, "the low is above open or close; correct it")
        if columns.adjusted_close is not None:
            factor = self.number[columns.adjusted_close] / prices["close"]
            return {role: values * factor for role, values in prices.items()}
        if self.policy.splits == "ignore":
            return prices
        rows, ratios = find_splits(prices["close"], prices.get("open"))
        if self.policy.splits == "refuse":
            refuse_splits(rows, ratios, lambda row: self.place(row, columns.close or ""))
        factors = split_factors(len(self.ds), rows, ratios)
        return {role: values / factors for role, values in prices.items()}

    def _returns(self, close: Array, gaps: npt.NDArray[np.bool_]) -> Array:
        """Log returns in percent; those across a gap are masked."""
        if self.columns.returns is not None:
            self._refuse_missing(self.columns.returns)
            returns = self.number[self.columns.returns]
        else:
            returns = 100.0 * np.diff(np.log(close), prepend=np.nan)
        return np.where(gaps, np.nan, returns)

    def _variance(self, prices: dict[str, Array], returns: Array) -> Array:
        """The day's variance in percent squared."""
        name = self.columns.realised
        if name is not None:
            self._refuse_missing(name)
            self.refuse(self.number[name] <= 0.0, name, "a variance must be above 0; correct it, or leave it empty")
            variance = self.number[name]
        elif "open" in prices:
            variance = garman_klass(prices["open"], prices["high"], prices["low"], prices["close"])
        else:
            variance = squared_return(returns)
        return floored(variance)

    def _covariates(self) -> dict[str, Array]:
        """Covariates with the last value carried over their holes, logarithms taken."""
        found = {}
        for name in (*self.columns.covariates, *self.columns.log_covariates):
            self._refuse_missing(name)
            values = self.number[name]
            if name in self.columns.log_covariates:
                self.refuse(values <= 0.0, name, "its logarithm is asked for, so it must be above 0")
                values = np.log(values)
            last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
            if name in self.carried:
                found[name] = np.where(last < 0, self.carried[name][-1], values[last])
                continue
            self.refuse(last < 0, name, "there is no value so far to carry on; begin the table later")
            found[name] = values[last]
        return found

    def _refuse_missing(self, name: str) -> None:
        if self.policy.missing == "refuse":
            self.refuse(np.isnan(self.number[name]), name, "the value is missing; fill it in, or use missing='mask'")
