"""Networks for one problem each, built from `recurra.nn`; they know no table and no trainer."""

from recurra.models.forecast import ForecastNetwork, ForecastShape
from recurra.models.market import MarketNetwork, MarketShape
from recurra.models.trajectory import TrajectoryNetwork, TrajectoryShape
from recurra.models.translation import TranslationNetwork, TranslationShape

__all__ = [
    "ForecastNetwork",
    "ForecastShape",
    "MarketNetwork",
    "MarketShape",
    "TrajectoryNetwork",
    "TrajectoryShape",
    "TranslationNetwork",
    "TranslationShape",
]
