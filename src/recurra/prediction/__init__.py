"""A trained network as an answering object, in batch and as a stream; nothing here can train."""

from recurra.prediction.forecast import ForecastPredictor, Hindcast
from recurra.prediction.policy import ArrivalPolicy
from recurra.prediction.stream import ForecastStream
from recurra.prediction.track_arrivals import TrackArrivalPolicy
from recurra.prediction.trajectory import TrajectoryPredictor
from recurra.prediction.trajectory_stream import TrajectoryStream
from recurra.prediction.translation import Translation, TranslationPredictor

__all__ = [
    "ArrivalPolicy",
    "ForecastPredictor",
    "ForecastStream",
    "Hindcast",
    "TrackArrivalPolicy",
    "TrajectoryPredictor",
    "TrajectoryStream",
    "Translation",
    "TranslationPredictor",
]
