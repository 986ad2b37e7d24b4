"""What every forecaster answers with: dated quantiles and means, one row per series and step ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data._places import plain
from recurra.data.columns import Columns
from recurra.data.frames import to_native
from recurra.data.frequency import Stamps
from recurra.data.readers import TableKind
from recurra.data.targets import TARGET_COLUMN, series_ids, split_id
from recurra.errors import ConfigError, ShapeError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of N series, `horizon` steps ahead, at Q quantile levels.

    Guarantees: shapes agree, and levels increase strictly between 0 and 1.

    Attributes:
        ids: name of each series, [N].
        ds: the stamps forecast, datetime64[us] (UTC where the table has a time zone) or int64, [N, horizon].
        levels: quantile levels, [Q].
        quantiles: [N, horizon, Q], in the units of the target.
        mean: [N, horizon], in the units of the target.

    Raises:
        ShapeError: if shapes disagree.
        ConfigError: if levels do not increase between 0 and 1.
    """

    ids: tuple[str | int, ...]
    ds: Stamps
    levels: tuple[float, ...]
    quantiles: Floats
    mean: Floats

    def __post_init__(self) -> None:
        check_levels(self.levels)
        n, horizon = len(self.ids), self.ds.shape[-1] if self.ds.ndim else 0
        wanted = {"ds": (n, horizon), "quantiles": (n, horizon, len(self.levels)), "mean": (n, horizon)}
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ShapeError(
                    f"{name} is {list(found)}, but {n} series and {len(self.levels)} levels want {list(shape)}"
                )

    @property
    def horizon(self) -> int:
        """How many steps ahead."""
        return int(self.ds.shape[1])

    @property
    def median(self) -> Floats:
        """The point forecast, [N, horizon]: level 0.5, else the straight line between its neighbours.

        Where all levels lie on one side of 0.5 it is the nearest quantile; without levels it is the mean.
        """
        return self.mean if not self.levels else self.quantile(0.5)

    def quantile(self, level: float) -> Floats:
        """The quantile at any level, [N, horizon]: on the straight line between its neighbours, flat beyond the ends.

        Raises:
            ConfigError: if there are no quantiles.
        """
        if not self.levels:
            raise ConfigError("these forecasts have no quantiles; ask for levels when forecasting")
        after = int(np.searchsorted(self.levels, level))
        if after < len(self.levels) and self.levels[after] == level:
            return np.asarray(self.quantiles[..., after])
        before, after = max(after - 1, 0), min(after, len(self.levels) - 1)
        if before == after:
            return np.asarray(self.quantiles[..., after])
        share = (level - self.levels[before]) / (self.levels[after] - self.levels[before])
        return np.asarray((1 - share) * self.quantiles[..., before] + share * self.quantiles[..., after])

    def to_columns(self, columns: Columns | None = None) -> dict[str, npt.NDArray[Any]]:
        """The forecasts as flat columns [N * horizon], a row per series and step: id, ds, "forecast", "mean", "q05" ...

        The id column is left out where `columns.unique_id` is None; a column "target" stands beside it where there are
        several.
        """
        columns = columns or Columns()
        flat = id_columns(self.ids, columns, self.horizon)
        flat[columns.ds] = self.ds.reshape(-1)
        flat["forecast"] = self.median.reshape(-1)
        flat["mean"] = self.mean.reshape(-1)
        for i, level in enumerate(self.levels):
            flat[quantile_name(level)] = self.quantiles[..., i].reshape(-1)
        return flat

    def to_table(self, columns: Columns | None = None, kind: TableKind = "pandas", time_zone: str | None = None) -> Any:
        """The forecasts as a table: id, ds, "forecast" (the median), "mean", and a column per level ("q05", "q2.5").

        Args:
            columns: the user's names of the id and time stamp columns.
            kind: "pandas", "polars", "pyarrow" or "columns".
            time_zone: zone to show stamps in; `ds` is then taken as UTC.
        """
        return to_native(self.to_columns(columns), kind, time_zone=time_zone)

    def to_rows(self, columns: Columns | None = None, time_zone: str | None = None) -> list[dict[str, Any]]:
        """The forecasts as one dict per series and step; stamps are datetime objects, or whole numbers."""
        table: dict[str, list[Any]] = to_native(self.to_columns(columns), "columns", time_zone=time_zone)
        return [
            {name: plain(value) for name, value in zip(table, row, strict=True)}
            for row in zip(*table.values(), strict=True)
        ]


def id_columns(ids: Sequence[str | int], columns: Columns, times: int) -> dict[str, npt.NDArray[Any]]:
    """The columns that say whose a row is, each entry so many times: the series' name, and the target if of several."""
    flat: dict[str, npt.NDArray[Any]] = {}
    if columns.unique_id is not None:
        names = series_ids(ids) if columns.more_targets else ids
        whole = np.array(names) if all(isinstance(i, int) for i in names) else np.array(names, object)
        flat[columns.unique_id] = np.repeat(whole, times)
    if columns.more_targets:
        flat[TARGET_COLUMN] = np.repeat(np.array([split_id(i)[1] for i in ids], object), times)
    return flat


def check_levels(levels: Sequence[float]) -> None:
    """Quantile levels must increase strictly between 0 and 1.

    Raises:
        ConfigError: if they do not.
    """
    bounded = [0.0, *levels, 1.0]
    if not all(a < b for a, b in pairwise(bounded)):
        raise ConfigError(f"quantile levels {list(levels)} must increase strictly between 0 and 1")


@lru_cache(maxsize=256)
def quantile_name(level: float) -> str:
    """Name of a quantile's column: "q" and the percentage, at least two digits before the point.

    >>> [quantile_name(level) for level in (0.05, 0.5, 0.025, 0.975)]
    ['q05', 'q50', 'q2.5', 'q97.5']
    """
    percent = round(100 * level, 6)
    return f"q{percent:02.0f}" if percent == int(percent) else f"q{percent:g}"
