"""Networks for one problem each, built from `recurra.nn`; they know no table and no trainer."""

from recurra.models.forecast import ForecastNetwork, ForecastShape
from recurra.models.market import MarketNetwork, MarketShape

__all__ = ["ForecastNetwork", "ForecastShape", "MarketNetwork", "MarketShape"]
