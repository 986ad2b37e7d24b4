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
from recurra.metrics.text import Bleu, bleu, wrong_answers

__all__ = [
    "Bleu",
    "bleu",
    "coverage",
    "crps_from_quantiles",
    "interval_width",
    "mae",
    "mase",
    "mase_scale",
    "pinball",
    "quantile_loss",
    "rmse",
    "smape",
    "weighted_quantile_loss",
    "wrong_answers",
]
