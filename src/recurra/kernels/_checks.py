"""Refuses arguments that do not fit each other, in PyTorch's words, before any backend sees them."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from recurra.errors import ConfigError, DeviceError, DtypeError, ShapeError
from recurra.kernels._call import Call, Weights
from recurra.kernels._lengths import as_lengths, check_batch_sizes


def checked(call: Call, gates: int) -> Call:
    """The call with its lengths read, or a refusal if its parts do not fit.

    Args:
        call: the call of a whole stack.
        gates: rows of w_ih per neuron: 1, 3 or 4.

    Raises:
        ShapeError: sizes that do not fit.
        DtypeError: the input's type is not the weights'.
        DeviceError: tensors on several devices.
        ConfigError: lengths for a packed batch, or not one set of weights a layer and direction.
    """
    stack, x = call.stack, call.x
    if call.lengths is not None and call.batch_sizes is not None:
        raise ConfigError("a packed batch knows its lengths; hand in either lengths or a packed batch")
    if len(call.weights) != stack.num_layers * stack.directions:
        raise ConfigError(
            f"expected weights for {stack.num_layers} layers x {stack.directions} directions, got {len(call.weights)}"
        )
    check_dtype(x, call.weights[0].w_ih)
    dim = 3 if call.batch_sizes is None else 2
    if x.dim() != dim:
        raise ShapeError(f"input must have {dim} dimensions, got {x.dim()}")
    if call.batch_sizes is not None:
        check_batch_sizes(call.batch_sizes, x.shape[0])
    input_size = call.weights[0].w_ih.shape[1]
    if x.shape[-1] != input_size:
        raise ShapeError(
            f"input.size(-1) must be equal to input_size. Expected {input_size}, got {x.shape[-1]}",
        )
    check_weights(call.weights, gates, stack.directions)
    _check_states(call, gates)
    _check_devices(call)
    if call.lengths is None:
        return call
    return replace(call, lengths=as_lengths(call.lengths, call.batch, call.steps, x.device))


def check_cell(call: Call, gates: int) -> None:
    """Refuse a single step whose parts do not fit; raises as `checked` does."""
    x, w = call.x, call.weights[0]
    check_dtype(x, w.w_ih)
    if x.shape[1] != w.w_ih.shape[1]:
        raise ShapeError(f"input has inconsistent input_size: got {x.shape[1]} expected {w.w_ih.shape[1]}")
    check_weights(call.weights, gates, 1)
    for k, part in enumerate(call.state):
        width = _width(w, k, gates)
        if part.dim() != 2:
            raise ShapeError(f"hidden{k} must be 2D beside a batched input, got {part.dim()}D")
        if part.shape[0] != x.shape[0]:
            raise ShapeError(f"Input batch size {x.shape[0]} doesn't match hidden{k} batch size {part.shape[0]}")
        if part.shape[1] != width:
            raise ShapeError(f"hidden{k} has inconsistent hidden_size: got {part.shape[1]}, expected {width}")
        check_state_dtype(part, x)
    _check_devices(call)


def check_dtype(x: Tensor, weight: Tensor) -> None:
    """Refuse an input of another type than the weights', unless autocast brings them together."""
    if x.dtype != weight.dtype and not torch._C._is_any_autocast_enabled():
        raise DtypeError(
            f"RNN input dtype ({x.dtype}) does not match weight dtype ({weight.dtype}). "
            f"Convert input: input.to({weight.dtype}), or convert model: model.to({x.dtype})"
        )


def check_state_dtype(part: Tensor, x: Tensor) -> None:
    """Refuse a state of another type than the input's, unless autocast brings them together."""
    if part.dtype != x.dtype and not torch._C._is_any_autocast_enabled():
        raise DtypeError(f"state dtype ({part.dtype}) does not match input dtype ({x.dtype}); use state.to({x.dtype})")


def check_weights(weights: Sequence[Weights], gates: int, directions: int) -> None:
    """Refuse weights whose sizes do not fit each other."""
    rows = weights[0].w_ih.shape[0]
    hidden, width = rows // gates, weights[0].w_hh.shape[1]
    for k, w in enumerate(weights):
        inputs = weights[0].w_ih.shape[1] if k < directions else width * directions
        wanted = ((rows, inputs), (rows, width), (rows,), (rows,), (width, hidden))
        for name, part, shape in zip(Weights._fields, w, wanted, strict=True):
            if part is not None and part.shape != shape:
                raise ShapeError(f"{name} of layer {k // directions} must be {list(shape)}, got {list(part.shape)}")
        if (w.b_ih is None) != (w.b_hh is None):
            raise ShapeError(f"layer {k // directions} has one bias; it takes both b_ih and b_hh or neither")


def _width(w: Weights, part: int, gates: int) -> int:
    """Width of the output (part 0: P) or of the cell (part 1: H)."""
    return w.w_hh.shape[1] if part == 0 else w.w_ih.shape[0] // gates


def _check_states(call: Call, gates: int) -> None:
    several = len(call.state) > 1
    for k, part in enumerate(call.state):
        wanted = (len(call.weights), call.batch, _width(call.weights[0], k, gates))
        if part.shape != wanted:
            name = f"hidden[{k}]" if several else "hidden"
            raise ShapeError(f"Expected {name} size {wanted}, got {list(part.shape)}")
        check_state_dtype(part, call.x)


def _check_devices(call: Call) -> None:
    device = call.x.device
    for part in (*call.state, call.weights[0].w_ih):
        if part.device != device:
            raise DeviceError(f"input is on {device}, but a state or weight is on {part.device}; move them together")
