"""Market forecasts as dated columns: returns by their distribution, and the prices that follow from them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.forecasts import Forecasts, check_levels, quantile_name
from recurra.data.market import MarketTable, next_trading_days
from recurra.errors import TableError
from recurra.models.forecast import mean_weights
from recurra.prediction.market import MarketForecast

MARKET_LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Quantiles of the returns that are given."""

Columns = dict[str, npt.NDArray[Any]]


def return_columns(table: MarketTable, forecasts: Sequence[MarketForecast], levels: Sequence[float]) -> Columns:
    """One row per asset and horizon: day, days ahead, and the distribution of the sum of returns, in percent.

    Args:
        table: the rows so far.
        forecasts: one for each asset, made after its last row.
        levels: quantiles to give.
    """
    names = table.columns
    n = len(forecasts[0].horizons)
    columns: Columns = {}
    if names.unique_id is not None:
        ids = np.array(table.ids) if all(isinstance(name, int) for name in table.ids) else np.array(table.ids, object)
        columns[names.unique_id] = np.repeat(ids, n)
    columns[names.ds] = np.concatenate(
        [next_trading_days(asset.ds, f.horizons) for asset, f in zip(table.assets, forecasts, strict=True)]
    )
    columns["days"] = np.tile(forecasts[0].horizons, len(forecasts))
    columns["mean"] = np.concatenate([f.returns.mean[0].numpy() for f in forecasts])
    columns["std"] = np.concatenate([f.returns.std[0].numpy() for f in forecasts])
    columns["up"] = np.concatenate([f.probability_up[0] for f in forecasts])
    columns["volatility"] = np.concatenate([np.sqrt(f.variance[0]) for f in forecasts])
    quantiles = np.concatenate([f.quantiles(levels)[0] for f in forecasts])
    columns |= {quantile_name(level): quantiles[:, i] for i, level in enumerate(levels)}
    return columns


def price_fan(table: MarketTable, forecasts: Sequence[MarketForecast], levels: Sequence[float]) -> Forecasts:
    """Quantiles of the price at every horizon: the last close times e^(R / 100), with R the sum of the returns.

    Quantiles of R are those of the price too, since one rises with the other. The mean is that of the quantiles by the
    trapezoid rule: under Student's t the price itself has none.

    Raises:
        TableError: if an asset has no closing price.
        ConfigError: if the levels do not increase between 0 and 1.
    """
    check_levels(levels)
    for asset in table.assets:
        if np.isnan(asset.close[-1]):
            raise TableError(f"asset {asset.id!r} has no closing prices to derive prices from; name the column close")
    last = np.array([asset.close[-1] for asset in table.assets])
    returns = np.stack([f.quantiles(levels)[0] for f in forecasts])
    ds = np.stack([next_trading_days(asset.ds, forecasts[0].horizons) for asset in table.assets])
    prices = last[:, None, None] * np.exp(returns / 100.0)
    return Forecasts(table.ids, ds, tuple(levels), prices, prices @ mean_weights(levels))
