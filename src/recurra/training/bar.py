"""A bar on the terminal: epochs, losses, and the time left."""

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recurra.training.history import EpochRecord, History


class BarProgress:
    """One bar for the run, with the losses of the last epoch beside it."""

    def __init__(self, stream: TextIO) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._bar = Progress(*columns, console=Console(file=stream), transient=False)
        self._task = self._bar.add_task("training", total=None, losses="", left="")

    def begin(self, max_epochs: int, batches: int) -> None:
        """Show the bar."""
        self._bar.update(self._task, total=max_epochs, left=f"{batches} batches an epoch")
        self._bar.start()

    def batch(self, epoch: int, batch: int, loss: float) -> None:
        """Batches are not shown one by one."""

    def epoch(self, record: EpochRecord, best: bool, seconds_left: float) -> None:
        """Move the bar by one epoch."""
        losses = f"loss {record.training_loss:.4f} validation {record.validation_loss:.4f}{' *' if best else ''}"
        self._bar.update(self._task, completed=record.epoch, losses=losses, left=f"<= {seconds_left:.0f} s left")

    def end(self, history: History) -> None:
        """Leave the bar with the outcome."""
        kept = f"best epoch {history.best_epoch} (validation {history.best_loss:.4f})"
        self._bar.update(self._task, losses=f"{history.ending}; {kept}", left="")
        self._bar.stop()
