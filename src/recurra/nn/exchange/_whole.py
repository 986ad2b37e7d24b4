"""A layer or a whole model drawn as one ONNX model."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import Module, Sequential

from recurra.errors import ConfigError, DtypeError
from recurra.nn._recurrent import Recurrent
from recurra.nn.chain import (
    check_parts,
    check_takes_lengths,
    has_hooks,
    is_plain,
    is_recurrent,
    parts_of,
    reads_over_time,
)
from recurra.nn.exchange._arrays import arrays_of, kind_of
from recurra.nn.exchange._drawing import Drawing, Value
from recurra.nn.exchange._feeding import draw_feeding
from recurra.nn.exchange._flow import Flow
from recurra.nn.exchange._recurring import draw_recurrent
from recurra.nn.exchange._scanning import needs_scan


class Drawn(NamedTuple):
    """A model that was drawn.

    Attributes:
        proto: the ModelProto, checked by ONNX.
        inputs: in order.
        flow: what is known of it.
    """

    proto: Any
    inputs: tuple[Value, ...]
    flow: Flow


def draw_whole(module: Module, *, single_step: bool, state: bool, lengths: bool, layout: int) -> Drawn:
    """Draw a layer or a model; the arguments are those of `to_onnx`.

    Raises:
        ConfigError, DtypeError, StreamingUnsupported: as `to_onnx`.
    """
    parts, dtype = _checked_parts(module, lengths), _type_of(module)
    flow = Flow(
        Drawing(), dtype, _batch_first(parts), single_step, state or single_step,
        "lengths" if lengths else "", layout, dtype == np.float32 or _stands_alone(module, dtype),
    )  # fmt: skip
    for name, part in parts:
        with flow.part(name, type(part).__name__):
            (draw_recurrent if is_recurrent(part) else draw_feeding)(flow, part)
    leading: list[Any] = ["batch"] if single_step else ["batch", "time"] if flow.batch_first else ["time", "batch"]
    x = Value("x", flow.dtype, [*leading, flow.entered]) if flow.entered else Value("x", np.int64, leading)
    given = [value._replace(name=f"{value.name}_0") for value, _ in flow.states] if flow.with_states else []
    inputs = (x, *([Value("lengths", np.int32, ["batch"])] if lengths else []), *given)
    outputs = {flow.value: Value("output", flow.dtype, [*flow.leading, flow.width])}
    for value, last in flow.states:
        outputs[last] = value._replace(name=f"{value.name}_n")
    title = kind_of(module) if isinstance(module, Recurrent) else "model"
    return Drawn(flow.drawing.model(f"recurra_{title}", inputs, outputs), inputs, flow)


def _stands_alone(module: Module, dtype: Any) -> bool:
    """Whether a layer keeps ONNX's operators, to be read back, in a type that onnxruntime has them not in."""
    return isinstance(module, Recurrent) and not (needs_scan(module) and dtype == np.float64)


def _checked_parts(module: Module, lengths: bool) -> list[tuple[str, Module]]:
    """The parts with their names.

    Raises:
        ConfigError: if it is no model, none is recurrent, a container has a forward of its own or hooks, the parts do
            not follow each other, or a torch.nn layer is to be handed lengths.
    """
    if not isinstance(module, Sequential) and not is_recurrent(module):
        raise ConfigError(
            "expected an RNN, LSTM or GRU of recurra.nn, or a Chain or torch.nn.Sequential of such parts, got: "
            f"{type(module).__name__}"
        )
    _check_containers(module)
    parts = list(parts_of(module))
    if not any(is_recurrent(part) for _, part in parts):
        raise ConfigError("no part of the model is recurrent; torch.onnx.export writes it")
    check_parts(parts)
    if lengths:
        check_takes_lengths(parts)
    return parts


def _check_containers(module: Module) -> None:
    for name, inner in module.named_modules():
        if isinstance(inner, Sequential):
            where = f"{name or 'the model'} ({type(inner).__name__})"
            if not is_plain(inner):
                raise ConfigError(f"{where} is a Sequential with a forward of its own")
            if has_hooks(inner):
                raise ConfigError(f"{where} has hooks, which are not exported; remove them first")


def _batch_first(parts: list[tuple[str, Module]]) -> bool:
    """Where the rows stand, which all parts agree on."""
    return any(bool(part.batch_first) for _, part in parts if reads_over_time(part))


def _type_of(module: Module) -> Any:
    """The one type of all parameters, as NumPy's.

    Raises:
        DtypeError: if there are several, or it is one that NumPy or, for a whole model, onnxruntime has not.
    """
    if isinstance(module, Recurrent):
        return arrays_of(module)[0].w_ih.dtype
    first: torch.dtype | None = None
    for name, parameter in module.named_parameters():
        if first is not None and parameter.dtype != first:
            raise DtypeError(f"{name} is of {parameter.dtype}, but parameters before it are of {first}")
        first = parameter.dtype
    known = {torch.float32: np.float32, torch.float64: np.float64}
    if first not in known:
        raise DtypeError(f"a model is exported in float32 or float64, got {first}; convert it")
    return np.dtype(known[first])
