"""One visible training loop for every model."""

from recurra.training.history import EpochRecord, History
from recurra.training.loop import Task, Trainer, train
from recurra.training.options import TrainingOptions
from recurra.training.progress import Progress, ProgressKind, build_progress

__all__ = [
    "EpochRecord",
    "History",
    "Progress",
    "ProgressKind",
    "Task",
    "Trainer",
    "TrainingOptions",
    "build_progress",
    "train",
]
