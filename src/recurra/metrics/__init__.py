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
from recurra.metrics.text import Bleu, bleu, wrong_answers
from recurra.metrics.trajectory import (
    ade,
    distances,
    error_by_step,
    fde,
    min_ade_per_person,
    min_ade_per_scene,
    min_fde_per_person,
    min_fde_per_scene,
    miss_rate,
    mixture_log_density,
    nll,
    person_ade,
    region_coverage,
)
from recurra.metrics.volatility import Kupiec, gaussian_nll, kupiec, qlike, uniformity, wilson_interval

__all__ = [
    "Bleu",
    "Kupiec",
    "ade",
    "bleu",
    "character_error_rate",
    "coverage",
    "crps_from_quantiles",
    "distances",
    "edits",
    "error_by_step",
    "fde",
    "gaussian_nll",
    "interval_width",
    "kupiec",
    "mae",
    "mase",
    "mase_scale",
    "min_ade_per_person",
    "min_ade_per_scene",
    "min_fde_per_person",
    "min_fde_per_scene",
    "miss_rate",
    "mixture_log_density",
    "nll",
    "person_ade",
    "pinball",
    "qlike",
    "quantile_loss",
    "region_coverage",
    "rmse",
    "smape",
    "uniformity",
    "weighted_quantile_loss",
    "wilson_interval",
    "word_error_rate",
    "wrong_answers",
]
