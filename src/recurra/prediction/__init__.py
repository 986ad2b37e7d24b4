"""A trained network as an answering object, in batch and as a stream; nothing here can train."""

from recurra.prediction.forecast import ForecastPredictor, Hindcast
from recurra.prediction.policy import ArrivalPolicy
from recurra.prediction.stream import ForecastStream

__all__ = ["ArrivalPolicy", "ForecastPredictor", "ForecastStream", "Hindcast"]
