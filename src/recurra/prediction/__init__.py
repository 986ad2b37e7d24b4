"""A trained network as an answering object, in batch and as a stream; nothing here can train."""

from recurra.prediction.forecast import ForecastPredictor, Hindcast
from recurra.prediction.market import MarketForecast, MarketPredictor
from recurra.prediction.market_stream import MarketStream
from recurra.prediction.policy import ArrivalPolicy
from recurra.prediction.stream import ForecastStream

__all__ = [
    "ArrivalPolicy",
    "ForecastPredictor",
    "ForecastStream",
    "Hindcast",
    "MarketForecast",
    "MarketPredictor",
    "MarketStream",
]
