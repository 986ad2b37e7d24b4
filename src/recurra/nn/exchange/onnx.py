"""Layers and whole models to ONNX, and layers from it: whole sequences or one step at a time."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from torch.nn import Module

from recurra.errors import ConfigError
from recurra.nn._construction import check_flag
from recurra.nn._recurrent import Recurrent
from recurra.nn.exchange._arrays import Layer, layer_from
from recurra.nn.exchange._conventions import import_onnx
from recurra.nn.exchange._model import Model
from recurra.nn.exchange._operator import layer_arguments, read_operator
from recurra.nn.exchange._running import check_against_onnxruntime
from recurra.nn.exchange._whole import Drawn, draw_whole

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto


def to_onnx(
    model: Module,
    path: str | Path | None = None,
    *,
    single_step: bool = False,
    state: bool = False,
    lengths: bool = False,
    layout: int = 0,
    check: bool = True,
) -> "ModelProto":
    """A layer or a whole model as an ONNX model; batch and time stay free.

    A whole model is a `recurra.nn.Chain` or torch.nn.Sequential, nested too, of layers, ours or torch.nn's, `Loop`
    over an RNNCell, LSTMCell or GRUCell, `Bidirectional`, `LastStep`, and torch.nn's Identity, Dropout, Embedding,
    Linear, LayerNorm, ReLU, Tanh, Sigmoid, GELU, Softplus, Softmax and LogSoftmax. As in a Chain, of a recurrent part
    the output alone is handed on, and every recurrent part and LastStep gets the lengths.

    A layer becomes a chain of one operator for each layer of its stack; one with an option that ONNX's operators lack
    (a projection, the clip of cell or projection, coupling="forget", layer normalisation, zoneout), or of float64 in a
    whole model, becomes a chain of Scan operators over its own step.

    | name | sizes | |
    |---|---|---|
    | x | [T, B, I], [B, T, I] if batch_first, [B, I] for a single step; without I, int64, for an Embedding | input |
    | lengths | [B], int32 | input, if asked for |
    | h_0, c_0 | [L*D, B, H] | inputs, if asked for; c_0 of an LSTM |
    | output | as x, with the width of the last part; [B, width] after LastStep | output |
    | h_n, c_n | [L*D, B, H] | outputs; c_n of an LSTM |

    In a whole model the names of a part's states begin with its position, "1.h_0" or "encoder.h_0", in a Bidirectional
    "1.forward_layer.h_0" and "1.backward_layer.h_0"; of a Loop they are [1, B, H].

    The export computes what the model does in evaluation, without dropout, in the type of its parameters. A learned
    state is where it begins, if the state is no input. It is run by onnxruntime with random numbers, at three sizes of
    batch and time, beside the model; only a layer alone in layout 1, or of another type than float32, which the
    operators of onnxruntime lack, is not.

    Args:
        model: a layer or a whole model.
        path: where to write it too, if given.
        single_step: one observation, with the states as inputs and outputs: feed h_n and c_n back as h_0 and c_0.
        state: whether the initial states are inputs; without, they are zeros, or the learned ones.
        lengths: whether the valid steps of each row are an input. A row of length 0 keeps its initial state, here too.
        layout: the operators' attribute: 0 (time first inside) or 1 (batch first inside; of a layer alone).
        check: whether the export is run beside the model; False does without onnxruntime.

    Returns:
        The model, checked by ONNX.

    Raises:
        ConfigError: (a ValueError) with the position and name of a part, option or callable that is not exported;
            if widths or layouts of parts do not fit each other, a container has hooks or a forward of its own, lengths
            are asked for with a single step, layout 1 where a Scan is written, or the export does not compute what the
            model does, or overflows in onnxruntime where the model does not.
        DtypeError: (a TypeError) if the parameters are of several types, or one that NumPy has not, or a flag is no
            bool.
        StreamingUnsupported: if a single step is asked for and a part is bidirectional or runs in reverse.
        MissingExtraError: if onnx is not installed, or onnxruntime for the check.

    Source: ONNX operators RNN, LSTM and GRU of opset 14.
    """
    onnx = import_onnx()
    for name, flag in (("single_step", single_step), ("state", state), ("lengths", lengths), ("check", check)):
        check_flag(name, flag)
    if isinstance(layout, bool) or layout not in (0, 1):
        raise ConfigError(f"layout should be 0 or 1, got: {layout!r}")
    if layout and not isinstance(model, Recurrent):
        raise ConfigError("layout=1 is for a layer that stands alone; onnxruntime lacks it")
    if single_step and lengths:
        raise ConfigError("a single step has no lengths: leave out the rows that have ended")
    drawn = draw_whole(model, single_step=single_step, state=state, lengths=lengths, layout=layout)
    if check and _runs_in_onnxruntime(drawn):
        check_against_onnxruntime(model, drawn)
    if path is not None:
        onnx.save(drawn.proto, path)
    made: ModelProto = drawn.proto
    return made


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


def _by_name(onnx: Any, initialisers: Any) -> dict[str, npt.NDArray[Any]]:
    if isinstance(initialisers, Mapping):
        return {name: np.asarray(numbers) for name, numbers in initialisers.items()}
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in initialisers}


def _runs_in_onnxruntime(drawn: Drawn) -> bool:
    """Whether it should: not a layer that stands alone in layout 1 or in another type than float32, which it lacks."""
    return not drawn.flow.layout and (drawn.flow.dtype == np.float32 or not drawn.flow.native)
