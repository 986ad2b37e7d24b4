"""A market network that runs live: one trading day in, its new forecast out, constant work and memory."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from recurra.data.frames import to_native
from recurra.data.market import (
    LOOKBACK,
    Asset,
    Calendar,
    MarketColumns,
    MarketPolicy,
    MarketTable,
    find_holes,
    find_splits,
    squared_return,
)
from recurra.errors import LateRowError, StreamError
from recurra.models.forecast import State
from recurra.models.market import PathTensors, zero_state
from recurra.prediction.market import MarketForecast, MarketPredictor
from recurra.prediction.market_answers import MARKET_LEVELS, return_columns
from recurra.prediction.snapshot import pack_snapshot, unpack_snapshot


@dataclass(frozen=True)
class _Live:
    """One asset's stream: its last 22 days, the state after them, and how many days it has seen."""

    asset: Asset
    state: State
    seen: int


class MarketStream:
    """One or several assets, each a stream; after every row the forecast equals `predict` on the rows so far.

    It keeps the last 22 days of each asset and the recurrent state. A row of a day that has been seen is refused; so
    is, as in a table, a row after missing trading days, unless gaps="mask"; which days are missing is told from the
    days that are kept, of this asset and the others. A masked covariate takes the last value seen.

    Args:
        predictor: the trained model.
        columns: names of the columns of the rows.
        policy: splits, gaps and missing numbers, as for a table.
        table: rows that came before, if any.
    """

    def __init__(
        self, predictor: MarketPredictor, columns: MarketColumns, policy: MarketPolicy, table: MarketTable | None = None
    ) -> None:
        self._predictor, self._columns, self._policy = predictor, columns, policy
        self._live: dict[str | int, _Live] = {}
        for asset in table.assets if table is not None else ():
            kept = asset.part(max(len(asset) - LOOKBACK, 0), len(asset))
            self._live[asset.id] = _Live(kept, predictor.last_state(asset), len(asset))

    @property
    def described(self) -> str:
        """How many streams there are, in words."""
        return f"{len(self._live)} assets"

    @property
    def assets(self) -> tuple[str | int, ...]:
        """Names of the streams so far."""
        return tuple(self._live)

    def fork(self) -> "MarketStream":
        """An independent copy."""
        other = copy.copy(self)
        other._live = dict(self._live)
        return other

    def update(self, row: Mapping[str, Any]) -> MarketForecast:
        """One trading day in, the forecast made after it out.

        Args:
            row: values by column name.

        Raises:
            TableError: the row is wrong; nothing has changed.
            LateRowError: its day has been seen; nothing has changed.
            StreamError: the row's asset was not there at fit.
        """
        carried = {name: live.asset.covariates for name, live in self._live.items()}
        fresh = MarketTable.from_table([row], columns=self._columns, policy=self._policy, carried=carried).assets[0]
        name = self._name(fresh)
        before = self._live.get(name)
        asset = self._joined(before.asset, fresh, row) if before else replace(fresh, id=name)
        live = self._advance(name, asset, before)
        self._live[name] = live[0]
        return live[1]

    def to_rows(self, forecast: MarketForecast) -> list[dict[str, Any]]:
        """The forecast that `update` gave last, as one dict per horizon, with the columns of `predict`."""
        asset = self._live[forecast.asset].asset
        columns = return_columns(MarketTable((asset,), self._columns), [forecast], MARKET_LEVELS)
        rows: dict[str, list[Any]] = to_native(columns, "columns")
        return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]

    def snapshot(self) -> bytes:
        """The streams as bytes, a few kilobytes each, for `MarketForecaster.restore`."""
        arrays: dict[str, Any] = {}
        names = []
        for i, (name, live) in enumerate(self._live.items()):
            state = live.state if isinstance(live.state, tuple) else (live.state,)
            parts = {field: getattr(live.asset, field) for field in ("returns", "variance", "close")}
            parts |= {f"covariate.{key}": values for key, values in live.asset.covariates.items()}
            parts |= {f"state.{k}": part.numpy() for k, part in enumerate(state)}
            parts["ds"] = live.asset.ds.astype("datetime64[us]").astype(np.int64)
            arrays |= {f"{i}.{key}": values for key, values in parts.items()}
            names.append([name, live.seen])
        return pack_snapshot(self._predictor.fingerprint, {"assets": names}, arrays)

    @classmethod
    def restore(
        cls, snapshot: bytes, predictor: MarketPredictor, columns: MarketColumns, policy: MarketPolicy
    ) -> "MarketStream":
        """The streams that `snapshot` described.

        Raises:
            SnapshotError: if the bytes are damaged, or of another model.
        """
        header, arrays = unpack_snapshot(snapshot, predictor.fingerprint)
        stream = cls(predictor, columns, policy)
        for i, (name, seen) in enumerate(header["assets"]):
            own = {key.removeprefix(f"{i}."): values for key, values in arrays.items() if key.startswith(f"{i}.")}
            names = (*columns.covariates, *columns.log_covariates)
            covariates = {key: own[f"covariate.{key}"] for key in names}
            ds = own["ds"].astype("datetime64[us]")
            asset = Asset(name, ds, own["returns"], own["variance"], own["close"], covariates)
            h = torch.from_numpy(own["state.0"])
            state: State = (h, torch.from_numpy(own["state.1"])) if "state.1" in own else h
            stream._live[name] = _Live(asset, state, seen)
        return stream

    def _name(self, fresh: Asset) -> str | int:
        if fresh.id not in self._predictor.scales:
            raise StreamError(f"asset {fresh.id!r} was not there at fit; a stream knows {list(self._predictor.scales)}")
        return fresh.id

    def _joined(self, asset: Asset, fresh: Asset, row: Mapping[str, Any]) -> Asset:
        """The asset's last days with the new one, whose return follows from the close before."""
        if fresh.ds[0] <= asset.ds[-1]:
            raise LateRowError(
                f"day {fresh.ds[0].astype('M8[D]')} has been seen already, or comes late; leave the row out"
            )
        returns, variance = fresh.returns, fresh.variance
        hole = self._is_hole(asset, fresh)
        if hole and self._policy.gaps == "refuse":
            gap = int((fresh.ds[0] - asset.ds[-1]).astype("timedelta64[D]").astype(np.int64))
            raise StreamError(
                f"day {fresh.ds[0].astype('M8[D]')} comes {gap} days after the last one seen; hand in the days "
                "between, or fit with gaps='mask', or with the days on which the exchange was closed"
            )
        asset = self._without_split(asset, fresh, row)
        if self._columns.returns is None:
            returns = 100.0 * (np.log(fresh.close) - np.log(asset.close[-1:]))
        if hole:
            returns = np.full(1, np.nan)
        if self._columns.measure == "squared return":
            variance = squared_return(returns)
        parts = {name: (getattr(asset, name), getattr(fresh, name)) for name in ("ds", "close")}
        joined = {name: np.concatenate(pair)[-LOOKBACK:] for name, pair in parts.items()}
        covariates = {
            name: np.concatenate([values, fresh.covariates[name]])[-LOOKBACK:]
            for name, values in asset.covariates.items()
        }
        return Asset(
            asset.id, joined["ds"], np.concatenate([asset.returns, returns])[-LOOKBACK:],
            np.concatenate([asset.variance, variance])[-LOOKBACK:], joined["close"], covariates,
        )  # fmt: skip

    def _is_hole(self, asset: Asset, fresh: Asset) -> bool:
        """Whether trading days are missing before the new day."""
        others = Calendar.of([live.asset.ds for name, live in self._live.items() if name != asset.id])
        days = np.concatenate([asset.ds, fresh.ds])
        return bool(find_holes(days, self._policy.longest_gap, others, self._policy.closed)[-1])

    def _opening(self, row: Mapping[str, Any]) -> Any:
        """The opening price of a row, [1], read as a table reads its closes; None where there is no such column."""
        if self._columns.open is None:
            return None
        columns = MarketColumns(self._columns.unique_id, self._columns.ds, self._columns.open)
        policy = replace(self._policy, splits="ignore")
        columns = replace(columns, date_format=self._columns.date_format)
        return MarketTable.from_table([row], columns=columns, policy=policy).assets[0].close

    def _without_split(self, asset: Asset, fresh: Asset, row: Mapping[str, Any]) -> Asset:
        """The last days with closes of the same shares as the new day's: refused, adjusted or left, as in a table."""
        if self._columns.returns is not None or self._columns.adjusted_close is not None:
            return asset
        closes = np.concatenate([asset.close[-1:], fresh.close])
        _, ratios = find_splits(closes)
        if len(ratios) and (opening := self._opening(row)) is not None:
            _, ratios = find_splits(closes, np.concatenate([[np.nan], opening]))
        if not len(ratios) or self._policy.splits == "ignore":
            return asset
        if self._policy.splits == "refuse":
            raise StreamError(
                f"day {fresh.ds[0].astype('M8[D]')}: the close looks like a stock split of {float(ratios[0]):g}; fit "
                "with splits='adjust', or splits='ignore' if the change is real"
            )
        return replace(asset, close=asset.close / ratios[0])

    @torch.inference_mode()
    def _advance(self, name: str | int, asset: Asset, before: _Live | None) -> tuple[_Live, MarketForecast]:
        network, scale = self._predictor.network, self._predictor.scale_of(name)
        state = zero_state(network, 1) if before is None else before.state
        seen = 1 if before is None else before.seen + 1
        x = torch.from_numpy(scale.inputs(asset)[-1:])
        h, after = network.step(x, state)
        path = PathTensors(*(value[-1:] for value in vars(scale.path(asset)).values()))
        forecast = self._predictor.as_forecast(name, network.answer(h, x, path), np.array([seen - 1]))
        return _Live(asset, after, seen), forecast
