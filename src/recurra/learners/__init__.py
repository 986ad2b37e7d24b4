"""The learners, one for each problem, and the way back to them from a model folder; imported on first use.

Their settings, in `recurra.learners.schema`, can so be read without torch: `recurra fit --help` is quick.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recurra.learners.forecaster import Forecaster
    from recurra.learners.loading import TASKS, load
    from recurra.learners.market import MarketForecaster
    from recurra.learners.sequence_classifier import SequenceClassifier
    from recurra.learners.speech import SpeechRecognizer
    from recurra.learners.trajectory import TrajectoryForecaster
    from recurra.learners.translator import Translator

__all__ = [
    "TASKS",
    "Forecaster",
    "MarketForecaster",
    "SequenceClassifier",
    "SpeechRecognizer",
    "TrajectoryForecaster",
    "Translator",
    "load",
]

_PLACES = {
    "Forecaster": "forecaster",
    "MarketForecaster": "market",
    "SequenceClassifier": "sequence_classifier",
    "SpeechRecognizer": "speech",
    "TASKS": "loading",
    "TrajectoryForecaster": "trajectory",
    "Translator": "translator",
    "load": "loading",
}


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(importlib.import_module(f"recurra.learners.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'recurra.learners' has no attribute {name!r}")
