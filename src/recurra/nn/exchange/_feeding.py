"""The feed-forward parts of a model as ONNX operators."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import nn

from recurra.errors import ConfigError
from recurra.nn.exchange._arrays import as_array
from recurra.nn.exchange._flow import Flow
from recurra.nn.last_step import LastStep


def draw_feeding(flow: Flow, part: nn.Module) -> None:
    """Draw a part that keeps no state.

    Raises:
        ConfigError: if it is none of those that are known, or has an option that is not.
    """
    for known, draw in _PARTS.items():
        if isinstance(part, known) and type(part).forward is known.forward:
            draw(flow, part)
            return
    names = ", ".join(known.__name__ for known in _PARTS)
    raise ConfigError(f"{type(part).__name__} is not exported; known are the recurrent parts and {names}")


def _nothing(_flow: Flow, _part: Any) -> None:
    """Dropout in evaluation."""


def _embedding(flow: Flow, part: nn.Embedding) -> None:
    if flow.value != "x" or flow.entered is not None:
        raise ConfigError("takes whole numbers, which only the first part of a model can")
    if part.max_norm is not None:
        raise ConfigError("an Embedding with max_norm changes its weights as it is read; it is not exported")
    flow.entered, flow.width, flow.numbers = 0, part.embedding_dim, part.num_embeddings
    flow.value = flow.drawing.add("Gather", flow.drawing.put("weight", as_array(part.weight)), "x", axis=0)


def _linear(flow: Flow, part: nn.Linear) -> None:
    flow.takes(part.in_features)
    weight = flow.drawing.put("weight", as_array(part.weight).T)
    flow.value = flow.drawing.add("MatMul", flow.value, weight)
    if part.bias is not None:
        flow.value = flow.drawing.add("Add", flow.value, flow.drawing.put("bias", as_array(part.bias)))
    flow.width = part.out_features


def _layer_norm(flow: Flow, part: nn.LayerNorm) -> None:
    if len(part.normalized_shape) != 1:
        raise ConfigError(f"normalises {len(part.normalized_shape)} axes; exported is LayerNorm over the features")
    (width,) = part.normalized_shape
    flow.takes(width)
    ones = np.ones(width, flow.dtype)
    inputs = [flow.drawing.put("weight", ones if part.weight is None else as_array(part.weight))]
    if part.bias is not None:
        inputs.append(flow.drawing.put("bias", as_array(part.bias)))
    flow.value = flow.drawing.add("LayerNormalization", flow.value, *inputs, axis=-1, epsilon=part.eps)


def _of_each(operator: str) -> Callable[[Flow, Any], None]:
    def draw(flow: Flow, _part: Any) -> None:
        flow.value = flow.drawing.add(operator, flow.value)

    return draw


def _softmax(operator: str) -> Callable[[Flow, Any], None]:
    def draw(flow: Flow, part: Any) -> None:
        if part.dim is None:
            raise ConfigError("dim=None means another axis for other inputs; say dim=-1")
        if not -flow.axes <= part.dim < flow.axes:
            raise ConfigError(f"dim={part.dim} is none of the {flow.axes} axes of what comes in")
        if part.dim % flow.axes != flow.axes - 1:
            raise ConfigError(f"dim={part.dim} is not the features; exported is dim=-1")
        flow.value = flow.drawing.add(operator, flow.value, axis=-1)

    return draw


def _gelu(flow: Flow, part: nn.GELU) -> None:
    """The operator Gelu is younger than our version of ONNX's; x Phi(x), or with tanh: Hendrycks & Gimpel 2016."""
    add, x = flow.drawing.add, flow.value
    one, half = flow.number("one", 1), flow.number("half", 0.5)
    if part.approximate == "tanh":
        cube = add("Mul", add("Mul", x, x), add("Mul", x, flow.number("cubic", 0.044715)))
        inner = add("Tanh", add("Mul", add("Add", x, cube), flow.number("scale", math.sqrt(2 / math.pi))))
    elif np.dtype(flow.dtype) == np.float32:
        inner = add("Erf", add("Mul", x, flow.number("scale", math.sqrt(0.5))))
    else:
        raise ConfigError("onnxruntime's Erf is of float32 only: take GELU(approximate='tanh'), or write model.float()")
    flow.value = add("Mul", add("Mul", x, half), add("Add", inner, one))


def _softplus(flow: Flow, part: nn.Softplus) -> None:
    """max(bx, 0) / b + log(1 + exp(-|bx|)) / b, and x where bx is above the threshold; of every type."""
    add, x = flow.drawing.add, flow.value
    beta = flow.number("beta", part.beta)
    bx = add("Mul", x, beta)
    tail = add("Log", add("Add", add("Exp", add("Neg", add("Abs", bx))), flow.number("one", 1)))
    smooth = add("Div", add("Add", add("Relu", bx), tail), beta)
    flow.value = add("Where", add("Greater", bx, flow.number("threshold", part.threshold)), x, smooth)


def _last_step(flow: Flow, _part: LastStep) -> None:
    if flow.single_step:
        return
    drawing = flow.drawing
    if flow.lengths:
        rows_first = flow.value if flow.batch_first else drawing.transposed(flow.value, 1, 0, 2)
        one, none = drawing.put("one", np.int64(1)), drawing.put("none", np.int64(0))
        count = drawing.add("Unsqueeze", drawing.add("Cast", flow.lengths, to=7), drawing.whole_numbers(1))
        at = drawing.add("Max", drawing.add("Sub", count, one), none)
        last = drawing.add("GatherND", rows_first, at, batch_dims=1)
        flow.value = drawing.add("Where", drawing.add("Greater", count, none), last, flow.number("zero", 0))
    else:
        last_index = drawing.put("last", np.int64(-1))
        flow.value = drawing.add("Gather", flow.value, last_index, axis=1 if flow.batch_first else 0)
    flow.has_time = False


_PARTS: Mapping[type[nn.Module], Callable[[Flow, Any], None]] = MappingProxyType(
    {
        nn.Identity: _nothing,
        nn.Dropout: _nothing,
        nn.Embedding: _embedding,
        nn.Linear: _linear,
        nn.LayerNorm: _layer_norm,
        nn.ReLU: _of_each("Relu"),
        nn.Tanh: _of_each("Tanh"),
        nn.Sigmoid: _of_each("Sigmoid"),
        nn.GELU: _gelu,
        nn.Softplus: _softplus,
        nn.Softmax: _softmax("Softmax"),
        nn.LogSoftmax: _softmax("LogSoftmax"),
        LastStep: _last_step,
    }
)
"""The class whose forward a part has -> how it is drawn."""
