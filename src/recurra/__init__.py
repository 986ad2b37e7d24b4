"""Recurra learns the pattern in sequences and predicts what comes next, with recurrent networks.

Everything is imported on first use, so that `import recurra` costs next to nothing.

    recurra.nn            RNN, LSTM, GRU and their cells: drop-in for torch.nn's
    recurra.Forecaster    a table of time series in, dated forecasts out
    recurra.MarketForecaster   trading days in, the distribution of the next returns and variances out
    recurra.TrajectoryForecaster  a table of fixes of moving objects in, possible paths out
    recurra.Translator    pairs of texts in, a translator out
    recurra.SequenceClassifier   a sequence in, a label out
    recurra.SpeechRecognizer     a recording in, a text out
    recurra.load          a saved model, whatever its task
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recurra import baselines, data, evaluation, metrics, nn, plots, prediction, training
    from recurra.learners import (
        Forecaster,
        MarketForecaster,
        SequenceClassifier,
        SpeechRecognizer,
        TrajectoryForecaster,
        Translator,
        load,
    )

__version__ = "0.1.0"

_ROOMS = ("baselines", "data", "errors", "evaluation", "metrics", "nn", "plots", "prediction", "training")
_LEARNERS = (
    "Forecaster",
    "MarketForecaster",
    "SequenceClassifier",
    "SpeechRecognizer",
    "TrajectoryForecaster",
    "Translator",
    "load",
)

__all__ = [
    "Forecaster",
    "MarketForecaster",
    "SequenceClassifier",
    "SpeechRecognizer",
    "TrajectoryForecaster",
    "Translator",
    "__version__",
    "baselines",
    "data",
    "errors",
    "evaluation",
    "load",
    "metrics",
    "nn",
    "plots",
    "prediction",
    "training",
]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return importlib.import_module(f"recurra.{name}")
    if name in _LEARNERS:
        return getattr(importlib.import_module("recurra.learners"), name)
    raise AttributeError(f"module 'recurra' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
