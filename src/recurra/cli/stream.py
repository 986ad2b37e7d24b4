"""recurra stream: one JSON row a line in, one forecast a line out, the network's state carried in between."""

import inspect
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import check_output_file, print_json, say, write_atomically
from recurra.cli.app import FAILED, INTERRUPTED, OK
from recurra.errors import BadValueError, ConfigError, RecurraError


class _Stopped(BaseException):
    """A signal came while the stream was waiting for its next line."""


class _Signals:
    """Ends the stream at SIGTERM or Ctrl-C, between two rows and never inside one."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._waiting = False

    def note(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        if self._waiting:
            raise _Stopped

    def lines(self) -> Iterator[bytes]:
        """The lines of standard input, until it ends or a signal comes."""
        while self.received is None:
            try:
                self._waiting = True
                line = sys.stdin.buffer.readline()
                self._waiting = False
            except _Stopped:
                return
            if not line:
                return
            yield line


def stream(
    model: Path,
    /,
    *,
    history: str | None = None,
    snapshot: Path | None = None,
    late: Literal["refuse", "ignore"] = "refuse",
    repeated: Literal["refuse", "ignore"] = "refuse",
    skipped: Literal["refuse", "mask"] = "refuse",
    common: Common = NO_FLAGS,  # noqa: ARG001  a stream always speaks JSON
) -> int:
    """One JSON row a line on standard input, one forecast a line on standard output.

    Args:
        model: Folder of a model that `recurra fit` saved.
        history: Table of rows that came before.
        snapshot: File that keeps the state: restored if it is there (then history is not read), written at the end.
        late: Rows before the last one seen.
        repeated: Rows with the time of the last one seen.
        skipped: Rows missing since the last one seen; mask takes them as missing targets.
        common: Flags that every verb has.
    """
    import recurra

    check_output_file(snapshot)
    learner = recurra.load(model)
    if snapshot is not None and snapshot.exists():
        live = learner.restore(snapshot.read_bytes())
        say(f"restored {live.described} from {snapshot}")
    else:
        live = learner.stream(history, **_policy(learner, {"late": late, "repeated": repeated, "skipped": skipped}))
    try:
        with _caught() as signals:
            bad = sum(not _answer(live, line, number) for number, line in enumerate(signals.lines(), start=1))
    except BrokenPipeError:
        _keep(live, snapshot)
        raise
    _keep(live, snapshot)
    if signals.received == signal.SIGINT:
        return INTERRUPTED
    return FAILED if bad else OK


def _policy(learner: Any, words: dict[str, str]) -> dict[str, str]:
    """The choices that were made, which this model's streams must have."""
    chosen = {name: word for name, word in words.items() if word != "refuse"}
    for name in chosen:
        if name not in inspect.signature(learner.stream).parameters:
            raise ConfigError(f"--{name} is no choice of this model's streams; leave it out")
    return chosen


def _keep(live: Any, snapshot: Path | None) -> None:
    if snapshot is not None:
        write_atomically(snapshot, live.snapshot())


def _answer(live: Any, line: bytes, number: int) -> bool:
    """Print the answer to one line; whether the line could be used. An empty line asks nothing."""
    if not line.strip():
        return True
    try:
        row = _row(line)
        future = row.pop("future", None)
        forecasts = live.update(row) if future is None else live.update(row, future)
    except RecurraError as error:
        print_json({"line": number, "error": " ".join(str(error).split())})
        return False
    print_json({"line": number, "forecasts": live.to_rows(forecasts)})
    return True


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode(), parse_constant=float)
    except (ValueError, RecursionError) as error:
        raise BadValueError(f"the line is not JSON in UTF-8: {error}; write one object a line") from None
    if not isinstance(row, dict):
        raise BadValueError(f"the line holds a {type(row).__name__}, not an object; write one object a line")
    return row


@contextmanager
def _caught() -> Iterator[_Signals]:
    """SIGTERM and Ctrl-C are noted, and the old handlers restored at the end."""
    signals = _Signals()
    before = {number: signal.signal(number, signals.note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
