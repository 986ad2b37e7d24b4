"""Scores against what happened: of forecasts (numpy arrays, missing targets left out), and of texts."""

from recurra.metrics.point import mae, mase, mase_scale, rmse, smape
from recurra.metrics.probabilistic import (
    coverage,
    crps_from_quantiles,
    interval_width,
    pinball,
    quantile_loss,
    weighted_quantile_loss,
)
from recurra.metrics.speech import character_error_rate, edits, word_error_rate

__all__ = [
    "character_error_rate",
    "coverage",
    "crps_from_quantiles",
    "edits",
    "interval_width",
    "mae",
    "mase",
    "mase_scale",
    "pinball",
    "quantile_loss",
    "rmse",
    "smape",
    "weighted_quantile_loss",
    "word_error_rate",
]
