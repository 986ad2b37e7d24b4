"""Layers to and from ONNX: the operators RNN, LSTM and GRU, whole sequences or one step at a time."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError
from recurra.nn._recurrent import Recurrent
from recurra.nn.exchange._arrays import Layer, arrays_of, as_array, kind_of, layer_from
from recurra.nn.exchange._conventions import import_onnx
from recurra.nn.exchange._drawing import Drawing, Shape, Value
from recurra.nn.exchange._model import Model
from recurra.nn.exchange._operator import layer_arguments, read_operator
from recurra.nn.exchange._scanning import draw_scans, needs_scan
from recurra.nn.exchange._writing import draw_stack

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto


def to_onnx(
    layer: Recurrent,
    path: str | Path | None = None,
    *,
    single_step: bool = False,
    state: bool = False,
    lengths: bool = False,
    layout: int = 0,
) -> "ModelProto":
    """A layer as an ONNX model, a chain of one operator for each layer; batch and time stay free.

    A layer with an option that ONNX's operators lack (a projection, the clip of cell or projection, coupling="forget",
    layer normalisation, zoneout) becomes a chain of Scan operators over its own step.

    | name | sizes | |
    |---|---|---|
    | x | [T, B, I], [B, T, I] if the layer is batch_first, [B, I] for a single step | input |
    | lengths | [B], int32 | input, if asked for |
    | h_0, c_0 | [L*D, B, H] | inputs, if asked for; c_0 of an LSTM |
    | output | as x, with width D*H | output |
    | h_n, c_n | [L*D, B, H] | outputs; c_n of an LSTM |

    The model computes what the layer does in evaluation, without dropout, in the type of the layer's parameters;
    onnxruntime's operators are those of float32. A learned state is where the model begins, if the state is no input.

    Args:
        layer: an RNN, LSTM or GRU.
        path: where to write the model too, if given.
        single_step: one observation, with the state as inputs and outputs: feed h_n and c_n back as h_0 and c_0.
        state: whether the initial state is an input; without it, it is zeros, or the learned one.
        lengths: whether the valid steps of each row are an input. A row of length 0 keeps its initial state, here too.
        layout: the operators' attribute: 0 (time first inside) or 1 (batch first inside; onnxruntime lacks it).

    Returns:
        The model, checked by ONNX.

    Raises:
        ConfigError: (a ValueError) if an activation is a callable that ONNX has not, lengths are asked for with a
            single step, or layout 1 where a Scan is written.
        DtypeError: if the parameters are of a type that NumPy has not.
        StreamingUnsupported: if a single step of a layer is asked for that is bidirectional or runs in reverse.
        MissingExtraError: if onnx is not installed.

    Source: ONNX operators RNN, LSTM and GRU of opset 14.
    """
    kind, onnx, drawing = kind_of(layer), import_onnx(), Drawing()
    scans = needs_scan(layer)
    _check(layer, single_step, lengths, layout, scans)
    inside = _into_the_operators(drawing, layer, single_step, layout)
    parts = ("h", "c")[: len(layer._state_widths)]
    given = [f"{part}_0" for part in parts] if state or single_step else []
    before, ends = given, "lengths" if lengths else ""
    if not given and (scans or layer.learned_state):
        before = _first_state(drawing, layer, inside, layout)
    draw = draw_scans if scans else partial(draw_stack, layout=layout)
    output, last = draw(drawing, layer, inside, before, ends)
    output = _out_of_the_operators(drawing, output, layer, single_step, layout)

    directions = 2 if layer.bidirectional else 1
    dtype = arrays_of(layer)[0].w_ih.dtype
    leading: Shape = ["batch"] if single_step else ["batch", "time"] if layer.batch_first else ["time", "batch"]
    kept: list[Shape] = [[layer.num_layers * directions, "batch", width] for width in layer._state_widths]
    inputs = [Value("x", dtype, [*leading, layer.input_size])]
    inputs += [Value("lengths", np.int32, ["batch"])] if lengths else []
    inputs += [Value(name, dtype, shape) for name, shape in zip(given, kept, strict=False)]
    outputs = {output: Value("output", dtype, [*leading, directions * layer._output_width])}
    outputs |= {value: Value(f"{part}_n", dtype, shape) for part, value, shape in zip(parts, last, kept, strict=True)}
    model: ModelProto = drawing.model(f"recurra_{kind}", inputs, outputs)
    if path is not None:
        onnx.save(model, path)
    return model


def from_onnx(
    source: "ModelProto | NodeProto | str | Path",
    initialisers: "Mapping[str, npt.ArrayLike] | Iterable[TensorProto] | None" = None,
    *,
    batch_first: bool | None = None,
) -> Layer:
    """A layer from an ONNX operator RNN, LSTM or GRU, or from several that make one stack.

    A model's other operators are left aside, but for what lies between two recurrent ones: that is run on numbers, and
    must only put the outputs of both directions side by side. What the operators are given in a call (X,
    sequence_lens, initial_h, initial_c) is handed to the layer's calls.

    Args:
        source: a model, the path of one, or one operator's node.
        initialisers: of a node: its W, R, B by the names that the node gives them.
        batch_first: as in the constructor; None takes it from the attribute layout.

    Returns:
        An RNN, LSTM or GRU of the weights' type.

    Raises:
        ConfigError: (a ValueError) if there is no such operator, several do not make one stack, or one uses what our
            layer does not have: its attribute is named.
        ShapeError, DtypeError: if the weights do not fit each other.
        MissingExtraError: if onnx is not installed.
    """
    onnx = import_onnx()
    if isinstance(source, str | Path):
        source = onnx.load(source)
    if isinstance(source, onnx.NodeProto):
        operators = [read_operator(source, _by_name(onnx, initialisers or {}).get)]
    elif isinstance(source, onnx.ModelProto):
        if initialisers is not None:
            raise ConfigError("a model holds its initialisers; give them with a node only")
        model = Model(source)
        operators = model.operators()
        model.check_stack(operators)
    else:
        raise ConfigError(f"expected an ONNX model, a node or a path, got: {type(source).__name__}")
    first = operators[0]
    return layer_from(
        first.kind,
        [arrays for operator in operators for arrays in operator.weights],
        bidirectional=first.direction == "bidirectional",
        batch_first=first.batch_first if batch_first is None else batch_first,
        **layer_arguments(first),
    )


def _check(layer: Recurrent, single_step: bool, lengths: bool, layout: int, scans: bool) -> None:
    if layout not in (0, 1):
        raise ConfigError(f"layout should be 0 or 1, got: {layout!r}")
    if layout and scans:
        raise ConfigError(f"layout=1 is an attribute of ONNX's operators, which lack options of {layer!r}")
    if single_step and lengths:
        raise ConfigError("a single step has no lengths: leave out the rows that have ended")
    if single_step:
        layer._check_streams()


def _first_state(drawing: Drawing, layer: Recurrent, x: str, layout: int) -> list[str]:
    """The parts of the first state [L*D, B, width], learned or zero, with as many rows as x has."""
    first, dtype = layer._expected().first, arrays_of(layer)[0].w_ih.dtype
    rows = drawing.add("Gather", drawing.add("Shape", x), drawing.whole_numbers(0 if layout else 1))
    names = []
    for k, width in enumerate(layer._state_widths):
        count = len(layer._names)
        numbers = np.zeros((count, 1, width), dtype) if first is None else as_array(first[k])[:, None]
        sizes = drawing.add("Concat", drawing.whole_numbers(count), rows, drawing.whole_numbers(width), axis=0)
        names.append(drawing.add("Expand", drawing.put(f"first_{k}", numbers), sizes))
    return names


def _by_name(onnx: Any, initialisers: Any) -> dict[str, npt.NDArray[Any]]:
    if isinstance(initialisers, Mapping):
        return {name: np.asarray(numbers) for name, numbers in initialisers.items()}
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in initialisers}


def _into_the_operators(drawing: Drawing, layer: Recurrent, single_step: bool, layout: int) -> str:
    if single_step:
        return drawing.add("Unsqueeze", "x", drawing.whole_numbers(layout))
    return drawing.transposed("x", 1, 0, 2) if layer.batch_first != (layout == 1) else "x"


def _out_of_the_operators(drawing: Drawing, output: str, layer: Recurrent, single_step: bool, layout: int) -> str:
    if single_step:
        return drawing.add("Squeeze", output, drawing.whole_numbers(layout))
    return drawing.transposed(output, 1, 0, 2) if layer.batch_first != (layout == 1) else output
