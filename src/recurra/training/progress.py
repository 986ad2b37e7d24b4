"""How a training run shows itself: not at all, as a bar, as plain lines, or as JSON lines."""

import json
import math
import sys
from dataclasses import asdict
from typing import Literal, Protocol, TextIO

from recurra.errors import ConfigError
from recurra.training.history import EpochRecord, History

ProgressKind = Literal["none", "auto", "rich", "lines", "json"]


class Progress(Protocol):
    """What the training loop tells as it goes."""

    def begin(self, max_epochs: int, batches: int) -> None:
        """The run begins: at most so many epochs of so many batches."""

    def batch(self, epoch: int, batch: int, loss: float) -> None:
        """A batch was learned."""

    def epoch(self, record: EpochRecord, best: bool, seconds_left: float) -> None:
        """An epoch ended; `best` if its validation loss is the lowest so far."""

    def end(self, history: History) -> None:
        """The run ended."""


class NoProgress:
    """Silence."""

    def begin(self, max_epochs: int, batches: int) -> None:
        """Say nothing."""

    def batch(self, epoch: int, batch: int, loss: float) -> None:
        """Say nothing."""

    def epoch(self, record: EpochRecord, best: bool, seconds_left: float) -> None:
        """Say nothing."""

    def end(self, history: History) -> None:
        """Say nothing."""


class LinesProgress(NoProgress):
    """One plain line at growing distances: epochs 1-5, then every fifth, then every twenty-fifth."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def epoch(self, record: EpochRecord, best: bool, seconds_left: float) -> None:
        """A line for some of the epochs."""
        distance = 1 if record.epoch <= 5 else 5 if record.epoch <= 25 else 25
        if record.epoch % distance == 0:
            mark = "  best so far" if best else ""
            self._say(
                f"epoch {record.epoch:4d}  loss {record.training_loss:.4f}  validation {record.validation_loss:.4f}"
                f"  {record.seconds:5.0f} s, at most {seconds_left:.0f} s left{mark}"
            )

    def end(self, history: History) -> None:
        """The last line: how it ended, and which epoch is kept."""
        self._say(
            f"{history.ending} after {len(history.epochs)} epochs and {history.seconds:.1f} s; "
            f"best epoch {history.best_epoch} (validation {history.best_loss:.4f})"
        )

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class JsonProgress(NoProgress):
    """One JSON object an epoch, and one at the end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def epoch(self, record: EpochRecord, best: bool, seconds_left: float) -> None:
        """The record as one JSON line."""
        self._say({"event": "epoch", **asdict(record), "best": best, "seconds_left": round(seconds_left, 1)})

    def end(self, history: History) -> None:
        """The outcome as one JSON line."""
        self._say(
            {
                "event": "end",
                "ending": history.ending,
                "epochs": len(history.epochs),
                "best_epoch": history.best_epoch,
                "best_loss": history.best_loss if math.isfinite(history.best_loss) else None,
                "seconds": history.seconds,
            }
        )

    def _say(self, event: dict[str, object]) -> None:
        print(json.dumps(event), file=self._stream, flush=True)


def build_progress(kind: ProgressKind, stream: TextIO | None = None) -> Progress:
    """The reporter for a kind; "auto" draws a bar on a terminal and writes plain lines elsewhere.

    Raises:
        ConfigError: for an unknown kind.
    """
    stream = stream or sys.stderr
    if kind == "auto":
        kind = "rich" if stream.isatty() else "lines"
    if kind == "rich":
        from recurra.training.bar import BarProgress

        return BarProgress(stream)
    plain = {"none": NoProgress, "lines": LinesProgress, "json": JsonProgress}
    if kind not in plain:
        raise ConfigError(f"progress={kind!r} is unknown; choose from none, auto, rich, lines, json")
    return NoProgress() if kind == "none" else plain[kind](stream)  # type: ignore[call-arg]
