"""A layer drawn as a chain of ONNX operators: RNN, LSTM or GRU."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from recurra.errors import ConfigError
from recurra.kernels import USUAL, Activation, as_function
from recurra.nn._recurrent import Recurrent
from recurra.nn.exchange._arrays import Array, Arrays, arrays_of, kind_of, refuse_options, reordered
from recurra.nn.exchange._conventions import ORDERS, PEEPHOLES, SPELLED
from recurra.nn.exchange._drawing import Drawing

_OF_ALL = frozenset({"clip", "recurrent_dropout", "learned_state", "reverse"})
_FUNCTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "RNN": ("nonlinearity",),
        "LSTM": ("gate_activation", "cell_activation", "output_activation"),
        "GRU": ("gate_activation", "candidate_activation"),
    }
)
"""The keywords of f, g, h of ONNX's equations."""

EXPRESSED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "RNN": _OF_ALL.union(_FUNCTIONS["RNN"]),
        "LSTM": _OF_ALL.union(_FUNCTIONS["LSTM"], {"peephole", "coupling"}),
        "GRU": _OF_ALL.union(_FUNCTIONS["GRU"], {"reset_after"}),
    }
)
"""The constructor's keywords that are written as attributes and inputs, or do nothing in evaluation; another one that
is set is refused by name."""


def _attributes(kind: str, layer: Any) -> dict[str, object]:
    """What the operator says of a layer, besides sizes.

    Raises:
        ConfigError: with the value of an option that the operator does not have.
    """
    direction = "bidirectional" if layer.bidirectional else "reverse" if layer.reverse else "forward"
    said: dict[str, object] = {"hidden_size": layer.hidden_size, "direction": direction}
    functions = [getattr(layer, name) for name in _FUNCTIONS[kind]]
    if kind == "RNN" or tuple(map(as_function, functions)) != USUAL[kind.lower()]:
        said |= _activations(functions, 2 if layer.bidirectional else 1)
    if layer.clip is not None:
        said["clip"] = float(layer.clip)
    if kind == "GRU":
        said["linear_before_reset"] = int(layer.reset_after)
    if kind == "LSTM" and layer.coupling is not None:
        if layer.coupling != "input":
            raise ConfigError(f"the ONNX operator LSTM ties f = 1 - i and cannot express coupling={layer.coupling!r}")
        said["input_forget"] = 1
    return said


_PEEPHOLES_AT = 7
"""Where P stands among the inputs of the operator LSTM."""


def draw_stack(
    drawing: Drawing, layer: Recurrent, x: str, states: Sequence[str], lengths: str, layout: int
) -> tuple[str, list[str]]:
    """Draw every layer, one operator each.

    Args:
        drawing: what to draw into.
        layer: an RNN, LSTM or GRU.
        x: [T, B, I], or [B, T, I] in layout 1.
        states: parts [L*D, B, H], or none for zeros.
        lengths: [B], or "" if all steps are valid.
        layout: the operators' attribute.

    Returns:
        The outputs [T, B, D*H], or [B, T, D*H] in layout 1, and the parts of the last state [L*D, B, H].

    Raises:
        ConfigError: with the name of an option that the operator does not have.
    """
    kind = kind_of(layer)
    refuse_options(layer, f"the ONNX operator {kind}", EXPRESSED[kind])
    directions = 2 if layer.bidirectional else 1
    attributes = _attributes(kind, layer) | ({"layout": 1} if layout else {})
    arrays = arrays_of(layer)
    parts = 2 if kind == "LSTM" else 1
    after: list[list[str]] = [[] for _ in range(parts)]
    for k in range(layer.num_layers):
        rows = slice(k * directions, (k + 1) * directions)
        before = [_rows_of(drawing, state, rows, layer.num_layers) for state in states]
        inputs = [x, *_put_weights(drawing, kind, k, arrays[rows]), lengths]
        inputs += [drawing.transposed(state, 1, 0, 2) if layout else state for state in before]
        if arrays[0].w_p is not None:
            peepholes = [reordered(each.w_p, PEEPHOLES) for each in arrays[rows] if each.w_p is not None]
            inputs += [""] * (_PEEPHOLES_AT - len(inputs)) + [drawing.put(f"P_l{k}", np.stack(peepholes))]
        y, *last = drawing.add_many(kind, inputs, 1 + parts, f"{kind}_l{k}", **attributes)
        x = _side_by_side(drawing, y, directions * layer.hidden_size, layout)
        for kept, part, old in zip(after, last, before or [""] * parts, strict=True):
            new = drawing.transposed(part, 1, 0, 2) if layout else part
            kept.append(_kept_without_steps(drawing, lengths, old, new) if lengths and old else new)
    return x, [each[0] if len(each) == 1 else drawing.add("Concat", *each, axis=0) for each in after]


def _put_weights(drawing: Drawing, kind: str, k: int, arrays: Sequence[Arrays]) -> list[str]:
    """Names of W [D, G*H, I], R [D, G*H, H] and B [D, 2*G*H]; "" for B if there are no biases."""

    def stacked(part: Callable[[Arrays], Array | None]) -> Array:
        return np.stack([reordered(found, ORDERS[kind]) for each in arrays if (found := part(each)) is not None])

    names = [
        drawing.put(f"W_l{k}", stacked(lambda each: each.w_ih)),
        drawing.put(f"R_l{k}", stacked(lambda each: each.w_hh)),
    ]
    if arrays[0].b_ih is None:
        return [*names, ""]
    biases = [stacked(lambda each: each.b_ih), stacked(lambda each: each.b_hh)]
    return [*names, drawing.put(f"B_l{k}", np.concatenate(biases, axis=1))]


def _rows_of(drawing: Drawing, state: str, rows: slice, layers: int) -> str:
    """A layer's part [D, B, H] of a state [L*D, B, H]."""
    if layers == 1:
        return state
    ends = [drawing.whole_numbers(end) for end in (rows.start, rows.stop, 0)]
    return drawing.add("Slice", state, *ends)


def _side_by_side(drawing: Drawing, y: str, width: int, layout: int) -> str:
    """[T, B, D*H] of [T, D, B, H], or [B, T, D*H] of [B, T, D, H] in layout 1."""
    rows_before_directions = y if layout else drawing.transposed(y, 0, 2, 1, 3)
    return drawing.add("Reshape", rows_before_directions, drawing.whole_numbers(0, 0, width))


def _kept_without_steps(drawing: Drawing, lengths: str, old: str, new: str) -> str:
    """The new state [D, B, H], but the old one in rows of length 0, where onnxruntime gives zeros."""
    zero = drawing.put("no_steps", np.zeros(1, np.int32))
    empty = drawing.add("Unsqueeze", drawing.add("Equal", lengths, zero), drawing.whole_numbers(1))
    return drawing.add("Where", empty, old, new)


def _activations(functions: Sequence[Any], directions: int) -> dict[str, object]:
    """The attributes activations, activation_alpha and activation_beta; alpha and beta are always said."""
    read = []
    for phi in map(as_function, functions):
        if not isinstance(phi, Activation):
            raise ConfigError(f"ONNX has no activation like the callable {phi!r}; its names: {', '.join(SPELLED)}")
        read.append(phi)
    read *= directions
    attributes: dict[str, object] = {"activations": [SPELLED[each.name] for each in read]}
    alphas = [each.alpha for each in read if each.alpha is not None]
    betas = [each.beta for each in read if each.beta is not None]
    return attributes | ({"activation_alpha": alphas} if alphas else {}) | ({"activation_beta": betas} if betas else {})
