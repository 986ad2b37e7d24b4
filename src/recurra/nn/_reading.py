"""Brings whatever a layer is handed (batched, unbatched, packed, ragged) into the one form the kernels take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.kernels import State, check_batch_sizes

Lengths: TypeAlias = Tensor | npt.NDArray[np.integer] | Sequence[int] | int
"""Valid steps of each row: a tensor, an array or a list; one number for a sequence without rows."""


@dataclass(frozen=True)
class Expected:
    """What a layer expects of its input.

    Attributes:
        name: of the layer's class.
        batch_first: whether batched input is [B, T, I].
        widths: of each part of the state: (H,), or (P, H) for an LSTM.
        states: L*D.
        first: the parts of the state that a row begins with where none is given, each [L*D, width]; None for zeros.
    """

    name: str
    batch_first: bool
    widths: tuple[int, ...]
    states: int
    first: State | None = None

    @property
    def batch_dim(self) -> int:
        """Where the rows are in padded input."""
        return 0 if self.batch_first else 1


@dataclass(frozen=True)
class Reading:
    """A layer's input as the kernels take it.

    Attributes:
        x: padded with three dimensions, or packed with two.
        state: parts [L*D, B, ...], in the order of x's rows.
        lengths: of the rows of a padded batch, or None.
        packed: the packed batch that x came from, or None.
        batched: whether there was a dimension for rows.
    """

    x: Tensor
    state: State
    lengths: Tensor | None
    packed: PackedSequence | None
    batched: bool


def read(input: Tensor | PackedSequence, hx: State | None, lengths: Lengths | None, expected: Expected) -> Reading:
    """Bring input, state and lengths into the form the kernels take.

    Raises:
        ShapeError: if input or state have the wrong number of dimensions.
        DtypeError: if one is no tensor.
        ConfigError: if lengths come with a PackedSequence, one is to be compiled or exported, or a state has the wrong
            number of parts.
    """
    check_types(expected.name, input, hx, len(expected.widths))
    if isinstance(input, PackedSequence):
        return _read_packed(input, hx, lengths, expected)
    if input.dim() not in (2, 3):
        raise ShapeError(f"{expected.name}: Expected input to be 2D or 3D, got {input.dim()}D tensor instead")
    batched = input.dim() == 3
    x = input if batched else input.unsqueeze(expected.batch_dim)
    if hx is not None:
        _check_dimensions(hx, batched)
        hx = hx if batched else tuple(part.unsqueeze(1) for part in hx)
    state = hx if hx is not None else _first_state(x, x.shape[expected.batch_dim], expected)
    return Reading(x, state, lengths_as_tensor(lengths, batched), None, batched)


def lengths_as_tensor(lengths: Lengths | None, batched: bool) -> Tensor | None:
    """Lengths as a tensor, whatever they came as; their values are looked at later."""
    if lengths is None or isinstance(lengths, Tensor):
        read = lengths
    else:
        read = torch.as_tensor(lengths)
        read = read if read.numel() else read.to(torch.int64)
    return read if batched or read is None else read.reshape(-1)


def check_types(name: str, input: object, hx: Sequence[object] | None, parts: int) -> None:
    """Refuse an input or a part of a state that is no tensor, and a state with other than its parts.

    Raises:
        DtypeError: (a TypeError) for what is no tensor.
        ConfigError: for another number of parts.
    """
    if not isinstance(input, Tensor | PackedSequence):
        raise DtypeError(f"{name}: input should be a tensor, got: {type(input).__name__}")
    if hx is not None and len(hx) != parts:
        raise ConfigError(f"{name}: the state should have {parts} parts, got {len(hx)}")
    for part in hx or ():
        if not isinstance(part, Tensor):
            raise DtypeError(f"{name}: the state should be made of tensors, got: {type(part).__name__}")


def _read_packed(packed: PackedSequence, hx: State | None, lengths: Lengths | None, expected: Expected) -> Reading:
    if lengths is not None:
        raise ConfigError("a PackedSequence knows its lengths; hand in either lengths= or a PackedSequence")
    if torch.compiler.is_compiling():
        raise ConfigError(
            f"{expected.name}: a PackedSequence cannot be compiled or exported, whose shapes would hang on the "
            "numbers in its batch_sizes; hand in the padded batch and lengths="
        )
    x, batch_sizes, order, _ = packed
    check_batch_sizes(batch_sizes, x.shape[0])
    state = hx if hx is not None else _first_state(x, int(batch_sizes[0]), expected)
    if hx is not None and order is not None:
        state = tuple(part.index_select(1, order) for part in state)
    return Reading(x, state, None, packed, True)


def _check_dimensions(hx: State, batched: bool) -> None:
    dim = 3 if batched else 2
    if any(part.dim() != dim for part in hx):
        kind = "batched 3-D" if batched else "unbatched 2-D"
        found = ", ".join(f"{part.dim()}-D" for part in hx)
        names = "hx" if len(hx) == 1 else "hx and cx"
        raise ShapeError(f"For {kind} input, {names} should also be {dim}-D but got {found} tensor")


def _first_state(x: Tensor, batch: int, expected: Expected) -> State:
    if expected.first is not None:
        return tuple(part.to(x.dtype).unsqueeze(1).expand(-1, batch, -1) for part in expected.first)
    return tuple(x.new_zeros(expected.states, batch, width) for width in expected.widths)


def restore(read: Reading, output: Tensor, state: State, batch_dim: int) -> tuple[Tensor | PackedSequence, State]:
    """Outputs and last states in the form that the input had."""
    if read.packed is not None:
        _, batch_sizes, order, back = read.packed
        if back is not None:
            state = tuple(part.index_select(1, back) for part in state)
        return PackedSequence(output, batch_sizes, order, back), state
    if not read.batched:
        return output.squeeze(batch_dim), tuple(part.squeeze(1) for part in state)
    return output, state
