"""The naive rules every learner is compared with: last value, last season, drift, a linear map; and those of tracks."""

from recurra.baselines.linear import LinearWindow
from recurra.baselines.rule import Rule, forecast_many
from recurra.baselines.simple import Drift, Naive, SeasonalNaive, default_context, default_rules
from recurra.baselines.tracks import (
    ConstantVelocity,
    Histories,
    LinearMap,
    MeanVelocity,
    StandStill,
    TrackRule,
    track_rules,
)

__all__ = [
    "ConstantVelocity",
    "Drift",
    "Histories",
    "LinearMap",
    "LinearWindow",
    "MeanVelocity",
    "Naive",
    "Rule",
    "SeasonalNaive",
    "StandStill",
    "TrackRule",
    "default_context",
    "default_rules",
    "forecast_many",
    "track_rules",
]
