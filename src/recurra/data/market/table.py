"""The table of trading days that every market forecast is computed from: returns and variances of each asset."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.frequency import Stamps
from recurra.data.market._reading import read_assets
from recurra.data.market.columns import MarketColumns, MarketPolicy
from recurra.data.readers import TableKind, read_columns
from recurra.errors import TableError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Asset:
    """One asset, one row a trading day in time order.

    Attributes:
        id: its name.
        ds: trading days, datetime64[us], [rows].
        returns: log return from the close before, in percent, [rows]; NaN where there is none or it is masked.
        variance: the day's variance, in percent squared, [rows]; NaN where masked, never below `SMALLEST_VARIANCE`.
        close: closing price, [rows]; NaN where there is none.
        covariates: name -> [rows], without holes.
    """

    id: str | int
    ds: Stamps
    returns: Array
    variance: Array
    close: Array
    covariates: dict[str, Array]

    def __len__(self) -> int:
        return len(self.ds)

    def head(self, rows: int) -> "Asset":
        """Only the first rows."""
        return self.part(0, rows)

    def part(self, begin: int, end: int) -> "Asset":
        """Rows begin ... end - 1, as views."""
        rows = slice(begin, end)
        covariates = {name: values[rows] for name, values in self.covariates.items()}
        return Asset(
            self.id, self.ds[rows], self.returns[rows], self.variance[rows], self.close[rows], covariates
        )  # fmt: skip


@dataclass(frozen=True)
class MarketTable:
    """Trading days of one or several assets, ready to compute from.

    Attributes:
        assets: in order of first appearance, each named once.
        columns: the user's names of the columns.
        kind: the kind of table to give back.
        time_zone: zone to show days in; None where they have none.
        holes: places where trading days are missing, of all assets as they were read; the return across each is masked.
    """

    assets: tuple[Asset, ...]
    columns: MarketColumns
    kind: TableKind = "pandas"
    time_zone: str | None = None
    holes: int = 0

    @classmethod
    def from_table(
        cls,
        source: object,
        *,
        columns: MarketColumns | None = None,
        policy: MarketPolicy | None = None,
        carried: Mapping[str | int, Mapping[str, Array]] | None = None,
    ) -> "MarketTable":
        """Read and check a table of prices or returns.

        Args:
            source: whatever `SeriesTable.from_table` takes, or a MarketTable, which is given back.
            columns: names of the columns.
            policy: splits, gaps, missing values and unsorted rows; everything is refused by default.
            carried: covariates of the rows before, by asset; their last values stand in holes at the beginning.

        Raises:
            TableError: one of its leaves, with row, column and remedy.
        """
        if isinstance(source, MarketTable):
            return source
        columns = columns or MarketColumns()
        raw = read_columns(source)
        found, holes, zone = read_assets(raw, columns, policy or MarketPolicy(), carried or {})
        return cls(tuple(Asset(**each) for each in found), columns, raw.kind, zone, holes)

    def __len__(self) -> int:
        return sum(map(len, self.assets))

    @property
    def ids(self) -> tuple[str | int, ...]:
        """Names of the assets."""
        return tuple(asset.id for asset in self.assets)

    def asset(self, name: str | int) -> Asset:
        """The asset of that name.

        Raises:
            TableError: if there is none.
        """
        for asset in self.assets:
            if asset.id == name:
                return asset
        some = ", ".join(map(repr, self.ids[:5])) + (", ..." if len(self.ids) > 5 else "")
        raise TableError(f"there is no asset {name!r}; the assets are {some}")

    def before(self, day: Any) -> "MarketTable":
        """The rows before a day, of every asset that has some."""
        stop = np.datetime64(day, "us")
        heads = [asset.head(int(np.searchsorted(asset.ds, stop))) for asset in self.assets]
        return replace(self, assets=tuple(asset for asset in heads if len(asset)))
