"""Refuses arguments that do not fit each other, in PyTorch's words, before any backend sees them."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from recurra.errors import ConfigError, DeviceError, DtypeError, ShapeError
from recurra.kernels._call import Call, Weights
from recurra.kernels._lengths import as_lengths, check_batch_sizes
from recurra.kernels._options import COUPLINGS, LAYER_NORMS, PLAIN, USUAL, Masks, used_options

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
"""Rows of w_ih per neuron."""

_ONLY = {
    "reset_after": "gru",
    "coupling": "lstm",
    "cell_clip": "lstm",
    "projection_clip": "lstm",
    "layer_norm": "lstm",
}
"""Options that one recurrence alone has."""


def checked(call: Call, kind: str) -> Call:
    """The call with its lengths read, or a refusal if its parts do not fit.

    Args:
        call: the call of a whole stack.
        kind: of the recurrence: "rnn", "lstm" or "gru".

    Raises:
        ShapeError: sizes that do not fit.
        DtypeError: the input's type is not the weights'.
        DeviceError: tensors on several devices.
        ConfigError: lengths for a packed batch, not one set of weights a layer and direction, or options that do not
            fit the recurrence or each other.
    """
    stack, x, gates = call.stack, call.x, GATES[kind]
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
    check_options(call, kind)
    _check_states(call, gates)
    _check_devices(call)
    if call.lengths is None:
        return call
    return replace(call, lengths=as_lengths(call.lengths, call.batch, call.steps, x.device))


def check_cell(call: Call, kind: str) -> None:
    """Refuse a single step whose parts do not fit; raises as `checked` does."""
    x, w, gates = call.x, call.weights[0], GATES[kind]
    check_dtype(x, w.w_ih)
    if x.shape[1] != w.w_ih.shape[1]:
        raise ShapeError(f"input has inconsistent input_size: got {x.shape[1]} expected {w.w_ih.shape[1]}")
    check_weights(call.weights, gates, 1)
    check_options(call, kind)
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
        for name, part, shape in zip(Weights._fields, w, wanted, strict=False):
            if part is not None and part.shape != shape:
                raise ShapeError(f"{name} of layer {k // directions} must be {list(shape)}, got {list(part.shape)}")
        if (w.b_ih is None) != (w.b_hh is None):
            raise ShapeError(f"layer {k // directions} has one bias; it takes both b_ih and b_hh or neither")
        if w.w_p is not None or w.n_ih is not None:
            _check_more_weights(w, k // directions, hidden)


def _check_more_weights(w: Weights, layer: int, hidden: int) -> None:
    wanted = {"w_p": 3 * hidden, "n_ih": 4 * hidden, "n_hh": 4 * hidden, "n_c": hidden, "m_c": hidden}
    for name, size in wanted.items():
        part = getattr(w, name)
        if part is not None and part.shape != (size,):
            raise ShapeError(f"{name} of layer {layer} must be {[size]}, got {list(part.shape)}")


def check_options(call: Call, kind: str) -> None:
    """Refuse options, and weights for them, that do not fit the recurrence or each other.

    Raises:
        ConfigError: with the option's name.
        ShapeError: masks that do not fit the batch.
    """
    options, first = call.options, call.weights[0]
    if call.masks is not None:
        _check_masks(call, call.masks, kind)
    if options is PLAIN and first.w_p is None and first.n_ih is None:
        return
    used = used_options(options) + ["peephole"] * (first.w_p is not None)
    for name in used:
        if _ONLY.get(name, kind) != kind or (name == "peephole" and kind != "lstm"):
            raise ConfigError(f"the recurrence {kind} has no option {name}")
    if options.activations and len(options.activations) != len(USUAL[kind]):
        raise ConfigError(f"{kind} takes {len(USUAL[kind])} activations, got {len(options.activations)}")
    if options.coupling not in COUPLINGS or options.layer_norm not in LAYER_NORMS:
        raise ConfigError(f"unknown coupling {options.coupling!r} or layer_norm {options.layer_norm!r}")
    of_two_sums = options.layer_norm in ("ba", "fastrnns")
    if of_two_sums and first.w_p is not None:
        raise ConfigError(f"layer_norm {options.layer_norm!r} has no peephole")
    wanted = (options.layer_norm is not None, of_two_sums, of_two_sums, of_two_sums)
    for w in call.weights:
        if tuple(part is not None for part in w[6:]) != wanted or (w.w_p is None) != (first.w_p is None):
            raise ConfigError(f"the weights n_ih, n_hh, n_c, m_c or w_p do not fit layer_norm {options.layer_norm!r}")


def _check_masks(call: Call, masks: Masks, kind: str) -> None:
    layers, gates = len(call.weights), GATES[kind]
    widths = _width(call.weights[0], 0, gates), _width(call.weights[0], 1, gates)
    wanted = {
        "h_in": (layers, call.batch, widths[0]),
        "keep_h": (layers, call.steps, call.batch, widths[0]),
        "keep_c": (layers, call.steps, call.batch, widths[1]),
    }
    for name, shape in wanted.items():
        mask = getattr(masks, name)
        if isinstance(mask, Tensor) and mask.shape != shape:
            raise ShapeError(f"the mask {name} must be {list(shape)}, got {list(mask.shape)}")
    if masks.keep_c is not None and kind != "lstm":
        raise ConfigError(f"the recurrence {kind} has no cell to keep (keep_c)")


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
