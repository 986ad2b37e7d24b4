"""One visible training loop for every model."""

from recurra.training.best import average_weights
from recurra.training.history import EpochRecord, History
from recurra.training.loop import Task, Trainer, train
from recurra.training.options import TrainingOptions
from recurra.training.progress import Progress, ProgressKind, build_progress
from recurra.training.resume import RunFolder

__all__ = [
    "EpochRecord",
    "History",
    "Progress",
    "ProgressKind",
    "RunFolder",
    "Task",
    "Trainer",
    "TrainingOptions",
    "average_weights",
    "build_progress",
    "train",
]
