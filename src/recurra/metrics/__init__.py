"""Scores of a forecast against what happened: pure functions on numpy arrays, missing targets left out."""

from recurra.metrics.point import mae, mase, mase_scale, rmse, smape
from recurra.metrics.probabilistic import (
    coverage,
    crps_from_quantiles,
    interval_width,
    pinball,
    quantile_loss,
    weighted_quantile_loss,
)
from recurra.metrics.volatility import Kupiec, gaussian_nll, kupiec, qlike, uniformity, wilson_interval

__all__ = [
    "Kupiec",
    "coverage",
    "crps_from_quantiles",
    "gaussian_nll",
    "interval_width",
    "kupiec",
    "mae",
    "mase",
    "mase_scale",
    "pinball",
    "qlike",
    "quantile_loss",
    "rmse",
    "smape",
    "uniformity",
    "weighted_quantile_loss",
    "wilson_interval",
]
