"""What a market forecast may look at after each day's close: everything from the last 22 rows of the asset.

Averages over a week and a month are those of Corsi's heterogeneous autoregression (HAR): 5 and 22 trading days.
"""

import numpy as np
import numpy.typing as npt

from recurra.data.market.table import Asset

Array = npt.NDArray[np.float64]

WEEK, MONTH = 5, 22
LOOKBACK = MONTH
"""Rows that a row's inputs are computed from, itself among them."""
HAR = ("day", "week", "month")


def trailing_mean(values: Array, days: int) -> Array:
    """Mean of the known values among the last `days` rows, of fewer at the start; NaN if none is known, [rows]."""
    padded = np.concatenate([np.full(days - 1, np.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, days)
    known = ~np.isnan(windows)
    count = known.sum(axis=1)
    total = np.where(known, windows, 0.0).sum(axis=1)
    mean: Array = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def har_terms(values: Array) -> Array:
    """A day's value, the mean of its week and of its month, [rows, 3]; masked days count as their month's mean.

    NaN only while no day is known. Source: Corsi 2009, equation 9.
    """
    month = trailing_mean(values, MONTH)
    week = trailing_mean(values, WEEK)
    return np.stack([np.where(np.isnan(values), month, values), np.where(np.isnan(week), month, week), month], axis=1)


def path_terms(asset: Asset, leverage: bool = True) -> Array:
    """The inputs of the log-HAR path: HAR terms of ln variance, the day's negative return, covariates; [rows, terms].

    Args:
        asset: its rows.
        leverage: whether min(r, 0) is among them: falls raise the next days' variance more than rises do.
    """
    columns = [har_terms(np.log(asset.variance))]
    if leverage:
        columns.append(np.minimum(np.nan_to_num(asset.returns), 0.0)[:, None])
    columns += [values[:, None] for values in asset.covariates.values()]
    return np.concatenate(columns, axis=1)


def market_inputs(asset: Asset) -> Array:
    """The network's inputs before scaling, [rows, inputs]; `input_names` says what they are."""
    r, v = np.nan_to_num(asset.returns), asset.variance
    log_terms, terms = har_terms(np.log(v)), har_terms(v)
    size = np.sqrt(np.where(np.isnan(v), terms[:, 2], v))
    columns = [
        *log_terms.T,
        np.minimum(r, 0.0),
        r,
        r / size,
        np.minimum(r / size, 0.0),
        np.minimum(trailing_mean(r, WEEK), 0.0),
        np.minimum(trailing_mean(r, MONTH), 0.0),
        np.abs(r),
        np.log(terms[:, 1]) - log_terms[:, 1],
        *asset.covariates.values(),
    ]
    return np.stack(columns, axis=1)


def input_names(covariates: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of the columns of `market_inputs`."""
    return (
        "ln variance", "its week", "its month", "negative return", "return", "return / size", "negative of that",
        "negative week", "negative month", "absolute return", "unevenness of the week", *covariates,
    )  # fmt: skip
