"""One loop for every model: batches, gradients, validation, early stop, best weights, resuming."""

import math
import time
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

import torch
from torch import nn

from recurra.errors import NonFiniteLossError
from recurra.shapes import Tensor
from recurra.training.best import BestWeights
from recurra.training.history import EpochRecord, History
from recurra.training.optimiser import build_optimiser, learning_rate_at
from recurra.training.options import TrainingOptions
from recurra.training.progress import NoProgress, Progress
from recurra.training.resume import RunFolder

Batch = TypeVar("Batch")


class Task(Protocol[Batch]):
    """What the loop asks of a learning task; it knows no table and no network."""

    @property
    def n_batches(self) -> int:
        """Batches of one epoch."""

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, in an order that is a pure function of seed and epoch."""

    def loss(self, batch: Batch) -> Tensor:
        """Mean loss of a batch; differentiable."""

    def validation_loss(self) -> float:
        """Loss on the validation part; lower is better."""


class _OutOfTime(Exception):  # noqa: N818  control flow, never seen outside
    """The wall-clock limit was reached."""


class Trainer(Generic[Batch]):
    """Trains a network on a task.

    The loop can be read top to bottom: `run` -> `_epoch` -> `_step`. Ctrl-C, the time limit and early
    stopping all end it with the best weights so far in the network.

    Args:
        network: the module that is trained, in place.
        task: batches, loss and validation.
        options: settings.
        progress: told of every batch and epoch.
        resume: a folder from which the run goes on if it was broken off, and that keeps it after each epoch.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task[Batch],
        options: TrainingOptions,
        progress: Progress | None = None,
        resume: RunFolder | None = None,
    ) -> None:
        self.network, self.task, self.options = network, task, options
        self.progress = progress or NoProgress()
        self.resume = resume
        self.optimiser = build_optimiser(network, options)
        self.best = BestWeights(network, options.average)
        self.history = History()
        self.steps, self.start_loss = 0, math.inf
        self._begun = 0.0

    def run(self) -> History:
        """Train to the end and leave the best weights in the network.

        Raises:
            NonFiniteLossError: the loss became NaN or infinite; the network keeps its best weights.
        """
        if self.resume is not None:
            self.resume.restore(self)
        self._begun = time.monotonic() - self.history.seconds
        self.progress.begin(self.options.max_epochs, self.task.n_batches)
        try:
            if self.options.offer_start and not self.history.epochs:
                self.start_loss = self._validate()
                self.best.offer(self.start_loss, 0)
            self._epochs()
        except KeyboardInterrupt:
            self.history.ending = "interrupted"
        except _OutOfTime:
            self.history.ending = "out of time"
        except NonFiniteLossError:
            self.history.ending = "loss not finite"
            raise
        finally:
            self._close()
        return self.history

    def _epochs(self) -> None:
        for epoch in range(len(self.history.epochs) + 1, self.options.max_epochs + 1):
            if self._has_stopped_improving(epoch - 1):
                return
            training_loss = self._epoch(epoch)
            validation_loss = self._validate()
            kept = self.best.offer(validation_loss, epoch)
            record = EpochRecord(epoch, training_loss, validation_loss, self._rate(), self._elapsed())
            self.history.epochs.append(record)
            self.progress.epoch(record, kept, self._seconds_left(epoch))
            if self.resume is not None:
                self.resume.keep(self)
        self._has_stopped_improving(self.options.max_epochs)

    def _has_stopped_improving(self, epoch: int) -> bool:
        stopped = epoch - self.best.epoch >= self.options.patience
        if stopped:
            self.history.ending = "no longer improving"
        return stopped

    def _epoch(self, epoch: int) -> float:
        self.network.train()
        total = count = 0.0
        for number, batch in enumerate(self.task.batches(epoch), start=1):
            loss = self._step(batch, epoch, number)
            self.progress.batch(epoch, number, loss)
            total, count = total + loss, count + 1
            if self.options.max_seconds is not None and self._elapsed() > self.options.max_seconds:
                self._last_chance(epoch, total / count)
        return total / max(count, 1.0)

    def _step(self, batch: Batch, epoch: int, number: int) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.task.loss(batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise NonFiniteLossError(
                f"epoch {epoch}, batch {number}: the loss is {value}; the best weights so far are kept. "
                "Lower learning_rate, or look for extreme values in the table"
            )
        loss.backward()
        if self.options.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.options.gradient_clip)
        self.optimiser.step()
        self.steps += 1
        return value

    def _validate(self) -> float:
        self.network.eval()
        with torch.no_grad():
            return self.task.validation_loss()

    def _last_chance(self, epoch: int, training_loss: float) -> None:
        """Out of time in the middle of an epoch: the present weights may still be the best."""
        validation_loss = self._validate()
        self.best.offer(validation_loss, epoch)
        self.history.epochs.append(EpochRecord(epoch, training_loss, validation_loss, self._rate(), self._elapsed()))
        raise _OutOfTime

    def _close(self) -> None:
        self.history.best_epoch, self.history.best_loss = self.best.epoch, self.best.loss
        if self.options.keep == "last" and self.history.epochs and self.history.ending != "loss not finite":
            last = self.history.epochs[-1]
            self.history.best_epoch, self.history.best_loss = last.epoch, last.validation_loss
        else:
            self.best.restore()
        self.network.eval()
        self.progress.end(self.history)

    def _elapsed(self) -> float:
        return time.monotonic() - self._begun

    def _rate(self) -> float:
        done = self.steps / (self.options.max_epochs * max(self.task.n_batches, 1))
        if self.options.max_seconds is not None:
            done = max(done, self._elapsed() / self.options.max_seconds)
        return learning_rate_at(min(done, 1.0), self.options)

    def _seconds_left(self, epoch: int) -> float:
        by_epochs = self._elapsed() / epoch * (self.options.max_epochs - epoch)
        if self.options.max_seconds is None:
            return by_epochs
        return min(by_epochs, max(self.options.max_seconds - self._elapsed(), 0.0))


def train(network: nn.Module, task: Task[Batch], options: TrainingOptions, progress: Progress | None = None) -> History:
    """Train `network` on `task` and leave its best weights in it; see `Trainer`."""
    return Trainer(network, task, options, progress).run()
