"""A whole model being drawn, part by part: the value that is handed on, and what is known of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, InputError, StreamingUnsupported
from recurra.nn.exchange._drawing import Drawing, Shape, Value


@dataclass
class Flow:
    """What is handed from part to part.

    Attributes:
        drawing: what is drawn into.
        dtype: of all numbers.
        batch_first: of the parts that read over time.
        single_step: whether there is one observation, without an axis of time.
        with_states: whether states are inputs.
        lengths: the name of the lengths, or "".
        layout: of the recurrent operators.
        native: whether the recurrent operators may be used, which onnxruntime has in float32 only.
        value: the name of what is handed on.
        width: its last size; None while it is the input of a model whose parts have not yet said how wide it is.
        entered: the width of the input; 0 for whole numbers, which have no such axis.
        numbers: how many there are of the whole numbers that the input holds.
        has_time: whether there are steps; no longer after `LastStep`.
        states: each part of a state: the name of its input ("" if it is none), what it is in the end, and its width.
    """

    drawing: Drawing
    dtype: npt.DTypeLike
    batch_first: bool
    single_step: bool = False
    with_states: bool = False
    lengths: str = ""
    layout: int = 0
    native: bool = True
    value: str = "x"
    width: int | None = None
    entered: int | None = None
    numbers: int = 0
    has_time: bool = True
    states: list[tuple[Value, str]] = field(default_factory=list)

    @contextmanager
    def part(self, name: str, kind: str) -> Iterator[None]:
        """Draw the part at a position: its names begin with it, and so does what refuses it."""
        self.drawing.scope = f"{name}." if name else ""
        try:
            yield
        except (InputError, StreamingUnsupported) as error:
            if not name:
                raise
            raise type(error)(f"{name} ({kind}): {error}") from error
        finally:
            self.drawing.scope = ""

    def takes(self, width: int) -> None:
        """Note, or check, the width of what comes in.

        Raises:
            ConfigError: if another one comes in.
        """
        if self.width is None:
            self.entered = width
        elif self.width != width:
            raise ConfigError(f"takes {width} features, but {self.width} come in")
        self.width = width

    @property
    def leading(self) -> Shape:
        """The sizes before the width."""
        if self.single_step or not self.has_time:
            return ["batch"]
        return ["batch", "time"] if self.batch_first else ["time", "batch"]

    @property
    def axes(self) -> int:
        """How many axes the value has."""
        return len(self.leading) + 1

    def number(self, name: str, value: float) -> str:
        """A fixed number of the model's type."""
        return self.drawing.put(name, np.asarray(value, self.dtype))
