"""The way back from a model folder to the learner that wrote it."""

import os
from typing import TYPE_CHECKING, Any

from recurra.checkpoints import load_checkpoint
from recurra.errors import DamagedModelError
from recurra.learners.forecaster import TASK, Forecaster
from recurra.learners.market import MARKET_TASK, MarketForecaster

if TYPE_CHECKING:
    from collections.abc import Mapping

TASKS: "Mapping[str, type[Forecaster] | type[MarketForecaster]]" = {TASK: Forecaster, MARKET_TASK: MarketForecaster}


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
