"""Parts of a model that compute what one of our layers computes, as that layer."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import nn
from torch.nn import Module

from recurra.errors import ConfigError
from recurra.nn._recurrent import Recurrent
from recurra.nn.exchange._arrays import LAYERS
from recurra.nn.gru import GRU
from recurra.nn.gru_cell import GRUCell
from recurra.nn.loop import Loop
from recurra.nn.lstm import LSTM
from recurra.nn.lstm_cell import LSTMCell
from recurra.nn.rnn import RNN
from recurra.nn.rnn_cell import RNNCell

_CLASSES: Mapping[str, tuple[type[Module], ...]] = MappingProxyType(
    {
        "RNN": (RNN, RNNCell, nn.RNN, nn.RNNCell),
        "LSTM": (LSTM, LSTMCell, nn.LSTM, nn.LSTMCell),
        "GRU": (GRU, GRUCell, nn.GRU, nn.GRUCell),
    }
)


def as_layer(part: Module, *, reverse: bool | None = None) -> Recurrent:
    """A layer of ours with the weights of a layer, of torch.nn's layer, or of a loop over a cell.

    Args:
        part: a Recurrent, an RNNBase, or a Loop over an RNNCell, LSTMCell or GRUCell, ours or torch.nn's.
        reverse: True for a layer that runs from each row's last step to its first; None as the part does.

    Returns:
        The part itself if it is a layer of ours that runs that way, otherwise a copy in evaluation.

    Raises:
        ConfigError: if the loop's cell is none of them, or the loop hands out something else than the cell's state.
    """
    if isinstance(part, Recurrent) and (not reverse or part.reverse):
        return part
    kind, suffix = kind_of_part(part), ""
    source: Any = part
    arguments: dict[str, Any] = {"batch_first": getattr(part, "batch_first", False)}
    if isinstance(part, Loop):
        if part.separate_output:
            raise ConfigError("a Loop with separate_output=True is not exported; its cell gives more than its state")
        source, suffix = part.cell, "_l0"
        arguments["reverse"] = part.reverse
    if reverse:
        arguments["reverse"] = True
    known = inspect.signature(LAYERS[kind]).parameters
    options = {name: getattr(source, name) for name in known if hasattr(source, name)}
    options["bias"] = bool(source.bias)  # torch.nn's cells keep whatever they were given
    options |= arguments | {"dtype": next(source.parameters()).dtype, "device": "meta", "backend": "auto"}
    options = {name: value for name, value in options.items() if name in known}
    options |= {"dropout": 0.0} if "dropout" in known else {}
    layer: Any = LAYERS[kind](**options)
    weights = {name: getattr(source, name.removesuffix(suffix)).detach() for name in layer.state_dict()}
    layer.load_state_dict(weights, assign=True)
    made: Recurrent = layer.eval()
    return made


def kind_of_part(part: object) -> str:
    """The name in `LAYERS` of what a layer, a cell or a loop over one computes.

    Raises:
        ConfigError: if it is none of them.
    """
    core = part.cell if isinstance(part, Loop) else part
    for kind, classes in _CLASSES.items():
        if isinstance(core, classes):
            return kind
    if isinstance(part, Loop):
        raise ConfigError(
            f"the cell of this Loop is {type(core).__name__}; exported are RNNCell, LSTMCell and GRUCell, "
            "ours and torch.nn's"
        )
    raise ConfigError(f"expected an RNN, LSTM or GRU, or a Loop, got: {type(core).__name__}")
