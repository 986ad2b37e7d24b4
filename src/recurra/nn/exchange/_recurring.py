"""The recurrent parts of a model as ONNX operators: their states, and the way from the model's layout and back."""

import operator
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch.nn import Module, RNNBase

from recurra.errors import ConfigError
from recurra.nn._recurrent import Recurrent
from recurra.nn.chain import check_streams
from recurra.nn.exchange._arrays import as_array
from recurra.nn.exchange._as_layers import as_layer
from recurra.nn.exchange._drawing import Value
from recurra.nn.exchange._flow import Flow
from recurra.nn.exchange._scanning import draw_scans, needs_scan
from recurra.nn.exchange._writing import draw_stack
from recurra.nn.loop import Bidirectional

_MERGES: Mapping[Callable[..., Any], str] = MappingProxyType(
    {torch.add: "Add", operator.add: "Add", torch.mul: "Mul", operator.mul: "Mul"}
)
"""What `Bidirectional` may put two outputs together with, besides setting them side by side."""


def draw_recurrent(flow: Flow, part: Module) -> None:
    """Draw a layer, a loop over a cell, or both directions of a Bidirectional.

    Raises:
        ConfigError, DtypeError: if it has something that is not exported, which is named.
        StreamingUnsupported: if it needs the future and the model is a single step.
    """
    if flow.single_step:
        check_streams("", part)
    if isinstance(part, Bidirectional):
        _draw_both(flow, part)
    else:
        _draw_layer(flow, as_layer(part))


def _draw_both(flow: Flow, part: Bidirectional) -> None:
    if part.merge is not None and part.merge not in _MERGES:
        raise ConfigError(f"merge={part.merge!r} is not exported; exported are None, torch.add and torch.mul")
    for inner in (part.forward_layer, part.backward_layer):
        if isinstance(inner, RNNBase):
            raise ConfigError(f"torch.nn's {type(inner).__name__} takes no lengths, which a Bidirectional hands on")
    outer, came = flow.drawing.scope, flow.value
    flow.drawing.scope = f"{outer}forward_layer."
    ahead_layer = as_layer(part.forward_layer)
    _draw_layer(flow, ahead_layer)
    ahead, first = flow.value, flow.width or 0
    flow.drawing.scope, flow.value, flow.width = f"{outer}backward_layer.", came, ahead_layer.input_size
    _draw_layer(flow, as_layer(part.backward_layer, reverse=True))
    back, second = flow.value, flow.width or 0
    flow.drawing.scope = outer
    if part.merge is None:
        flow.value, flow.width = flow.drawing.add("Concat", ahead, back, axis=-1), first + second
    elif first != second:
        raise ConfigError(f"merges outputs of {first} and {second} features")
    else:
        flow.value = flow.drawing.add(_MERGES[part.merge], ahead, back)


def _draw_layer(flow: Flow, layer: Recurrent) -> None:
    drawing, scans = flow.drawing, needs_scan(layer) or not flow.native
    if flow.layout and scans:
        raise ConfigError(f"layout=1 is an attribute of ONNX's operators, which lack options of {layer!r}")
    flow.takes(layer.input_size)
    x = _into_the_operators(flow)
    parts = ("h", "c")[: len(layer._state_widths)]
    given = [f"{drawing.scope}{part}_0" for part in parts] if flow.with_states else []
    before = given
    if not given and (scans or layer.learned_state):
        before = _first_state(flow, layer, x)
    draw = draw_scans if scans else partial(draw_stack, layout=flow.layout)
    output, last = draw(drawing, layer, x, before, flow.lengths)
    flow.value = _out_of_the_operators(flow, output)
    flow.width = layer._output_width * (2 if layer.bidirectional else 1)
    for part, value, width in zip(parts, last, layer._state_widths, strict=True):
        shape: list[str | int | None] = [len(layer._names), "batch", width]
        flow.states.append((Value(f"{drawing.scope}{part}", flow.dtype, shape), value))


def _first_state(flow: Flow, layer: Recurrent, x: str) -> list[str]:
    """The parts of the first state [L*D, B, width], learned or zero, with as many rows as x has."""
    drawing, first = flow.drawing, layer._expected().first
    rows = drawing.add("Gather", drawing.add("Shape", x), drawing.whole_numbers(0 if flow.layout else 1))
    names = []
    for k, width in enumerate(layer._state_widths):
        count = len(layer._names)
        numbers = np.zeros((count, 1, width), flow.dtype) if first is None else as_array(first[k])[:, None]
        sizes = drawing.add("Concat", drawing.whole_numbers(count), rows, drawing.whole_numbers(width), axis=0)
        names.append(drawing.add("Expand", drawing.put(f"first_{k}", numbers), sizes))
    return names


def _into_the_operators(flow: Flow) -> str:
    if flow.single_step:
        return flow.drawing.add("Unsqueeze", flow.value, flow.drawing.whole_numbers(flow.layout))
    return flow.drawing.transposed(flow.value, 1, 0, 2) if flow.batch_first != (flow.layout == 1) else flow.value


def _out_of_the_operators(flow: Flow, output: str) -> str:
    if flow.single_step:
        return flow.drawing.add("Squeeze", output, flow.drawing.whole_numbers(flow.layout))
    return flow.drawing.transposed(output, 1, 0, 2) if flow.batch_first != (flow.layout == 1) else output
