"""The naive rules every forecaster is compared with: last value, last season, drift, a linear map."""

from recurra.baselines.linear import LinearWindow
from recurra.baselines.rule import Rule, forecast_many
from recurra.baselines.simple import Drift, Naive, SeasonalNaive, default_context, default_rules

__all__ = [
    "Drift",
    "LinearWindow",
    "Naive",
    "Rule",
    "SeasonalNaive",
    "default_context",
    "default_rules",
    "forecast_many",
]
