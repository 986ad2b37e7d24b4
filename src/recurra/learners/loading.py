"""The way back from a model folder to the learner that wrote it."""

import os
from typing import TYPE_CHECKING, Any

from recurra.checkpoints import load_checkpoint
from recurra.errors import DamagedModelError
from recurra.learners import forecaster, market, sequence_classifier, speech, trajectory, translator

if TYPE_CHECKING:
    from collections.abc import Mapping

TASKS: "Mapping[str, type[Any]]" = {
    forecaster.TASK: forecaster.Forecaster,
    market.TASK: market.MarketForecaster,
    sequence_classifier.TASK: sequence_classifier.SequenceClassifier,
    speech.TASK: speech.SpeechRecognizer,
    trajectory.TASK: trajectory.TrajectoryForecaster,
    translator.TASK: translator.Translator,
}


def load(folder: str | os.PathLike[str]) -> Any:
    """The model that was saved in a folder, whatever its task.

    Raises:
        DamagedModelError: a file is missing, changed or of the wrong size, or the task is unknown.
        SchemaVersionError: the folder was written in a schema version that is not known here.
    """
    checkpoint = load_checkpoint(folder)
    task = checkpoint.config.get("task")
    if not isinstance(task, str) or task not in TASKS:
        raise DamagedModelError(f"{folder}: config.json names the task {task!r}; known are {', '.join(TASKS)}")
    return TASKS[task].from_checkpoint(checkpoint)
