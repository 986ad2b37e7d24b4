"""What the layer benchmark measures: shapes, bars, a layer of torch.nn beside ours, and the operations of a call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

import recurra.nn

KINDS = ("LSTM", "GRU", "RNN")
MODES = ("train", "infer")
THREADS = 2
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class Shape(NamedTuple):
    """B rows, T steps, I inputs, H neurons."""

    batch: int
    steps: int
    inputs: int
    hidden: int

    @property
    def name(self) -> str:
        """The key of the shape in a result file."""
        return "x".join(map(str, self))

    @classmethod
    def named(cls, name: str) -> "Shape":
        """The shape of a key."""
        return cls(*map(int, name.split("x")))

    def __str__(self) -> str:
        return f"({', '.join(map(str, self))})"


SHAPES = tuple(
    Shape(*sizes)
    for sizes in (
        (1, 100, 16, 64),
        (32, 50, 1, 32),
        (32, 100, 16, 64),
        (32, 100, 64, 128),
        (64, 100, 128, 256),
        (32, 50, 256, 512),
    )
)
BARS: dict[str, dict[str, tuple[float, ...]]] = {
    "train": {
        "LSTM": (2.2, 2.0, 1.5, 1.25, 1.2, 1.1),
        "GRU": (10, 6, 4, 2, 1.3, 1.2),
        "RNN": (8, 4, 3, 2, 1.3, 1.2),
    },
    "infer": {
        "LSTM": (2.5, 2, 1.3, 1.1, 1.0, 1.0),
        "GRU": (8, 5, 3, 2, 1.5, 1.4),
        "RNN": (6, 4, 3, 2, 1.5, 1.5),
    },
}


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Args:
        kinds: of recurrence.
        budget_s: for one comparison, after the warm-up.
        cap_s: the longest call of torch.nn in the grid.
        again: whether figures that are there are made anew.
    """

    kinds: tuple[str, ...] = KINDS
    budget_s: float = 1.2
    cap_s: float = 0.5
    again: bool = False


class Layers(NamedTuple):
    """Two layers of the same weights, and what goes in, [B, T, I]."""

    torch: torch.nn.RNNBase
    ours: torch.nn.Module
    x: Tensor

    @property
    def backend(self) -> str:
        """Which backend serves ours; no figure of another than "native" is one of the kernels."""
        name: str = self.ours.explain_backend(self.x).name
        return name


def layers(kind: str, shape: Shape, **options: Any) -> Layers:
    """Both layers, batch first, float32, from a fixed seed.

    Args:
        kind: LSTM, GRU or RNN.
        shape: sizes.
        options: keywords of our layer alone.
    """
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(shape.inputs, shape.hidden, batch_first=True)
    ours = getattr(recurra.nn, kind)(shape.inputs, shape.hidden, batch_first=True, **options)
    ours.load_state_dict(theirs.state_dict())
    return Layers(theirs, ours, torch.randn(shape.batch, shape.steps, shape.inputs))


def call(mode: str, layer: torch.nn.Module, x: Tensor) -> Callable[[], None]:
    """What is timed: a training step of the layer alone (gradients of the weights), or a call without gradients."""

    def train() -> None:
        for parameter in layer.parameters():
            parameter.grad = None
        layer(x)[0].sum().backward()

    def infer() -> None:
        with torch.no_grad():
            layer(x)

    return train if mode == "train" else infer


def operations(mode: str, kind: str, shape: Shape) -> float:
    """Additions and multiplications of the products of a call; those of the activations are not counted.

    Forward: x W and h U. A training step adds dh from the gates, dW and dU; the input's gradient is not asked for.
    """
    wide = shape.inputs + shape.hidden
    if mode == "train":
        wide += shape.hidden + shape.inputs + shape.hidden
    return 2.0 * GATES[kind] * shape.hidden * wide * shape.batch * shape.steps
