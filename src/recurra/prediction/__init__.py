"""A trained network as an answering object, in batch and as a stream; nothing here can train."""

from recurra.prediction.acoustic import ClassPredictor
from recurra.prediction.answers import Hindcast
from recurra.prediction.endpoint import Endpoint
from recurra.prediction.ensemble import AnyPredictor, EnsemblePredictor, EnsembleStream, saved_predictor
from recurra.prediction.forecast import ForecastPredictor
from recurra.prediction.market import MarketForecast, MarketPredictor
from recurra.prediction.market_stream import MarketStream
from recurra.prediction.policy import ArrivalPolicy
from recurra.prediction.speech import SpeechPredictor
from recurra.prediction.speech_decoding import Decoding
from recurra.prediction.speech_stream import Heard, SpeechStream
from recurra.prediction.stream import ForecastStream
from recurra.prediction.track_arrivals import TrackArrivalPolicy
from recurra.prediction.trajectory import TrajectoryPredictor
from recurra.prediction.trajectory_stream import TrajectoryStream
from recurra.prediction.transcript import Transcript, Word
from recurra.prediction.translation import Translation, TranslationPredictor

__all__ = [
    "AnyPredictor",
    "ArrivalPolicy",
    "ClassPredictor",
    "Decoding",
    "Endpoint",
    "EnsemblePredictor",
    "EnsembleStream",
    "ForecastPredictor",
    "ForecastStream",
    "Heard",
    "Hindcast",
    "MarketForecast",
    "MarketPredictor",
    "MarketStream",
    "SpeechPredictor",
    "SpeechStream",
    "TrackArrivalPolicy",
    "TrajectoryPredictor",
    "TrajectoryStream",
    "Transcript",
    "Translation",
    "TranslationPredictor",
    "Word",
    "saved_predictor",
]
