"""Recurrent layers by name for the forecasting networks, with their options, and the states they carry."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch

from recurra.errors import ConfigError
from recurra.nn import GRU, LSTM, RNN
from recurra.shapes import Tensor

State = Tensor | tuple[Tensor, Tensor]
CELLS: dict[str, type[RNN] | type[LSTM] | type[GRU]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
CAUSAL = ("bidirectional", "reverse")
OWN = ("input_size", "hidden_size", "num_layers", "batch_first", "dropout", "device", "dtype", "backend")


def build_layer(
    cell: str,
    n_inputs: int,
    hidden_size: int,
    num_layers: int = 1,
    dropout: float = 0.0,
    backend: str = "auto",
    options: Mapping[str, Any] = MappingProxyType({}),
) -> RNN | LSTM | GRU:
    """The layer of this name; its kernels begin as in Keras unless the options say otherwise.

    Args:
        cell: "rnn", "lstm" or "gru".
        n_inputs: inputs at each step.
        hidden_size: neurons of each layer.
        num_layers: layers on top of each other.
        dropout: between layers.
        backend: who computes it.
        options: further keywords of the layer in `recurra.nn`.

    Raises:
        ConfigError: if the layer has no such option, or it would read the future.
    """
    check_options(cell, options, hidden_size)
    keywords = {"initialization": "keras", **options}
    return CELLS[cell](
        n_inputs,
        hidden_size,
        num_layers,
        batch_first=True,
        dropout=dropout if num_layers > 1 else 0.0,
        backend=backend,
        **keywords,
    )


def check_options(cell: str, options: Mapping[str, Any], hidden_size: int) -> None:
    """Refuse options that a forecasting network's layer cannot have.

    Raises:
        ConfigError: naming the option.
    """
    for name in options:
        if name in CAUSAL:
            raise ConfigError(f"cell_options: {name} would let the network read the future, and it could not stream")
        if name in OWN:
            raise ConfigError(f"cell_options: {name} is set by the forecaster's own keywords; leave it out")
    try:
        with torch.random.fork_rng(devices=[]):
            CELLS[cell](1, hidden_size, **dict(options))
    except (TypeError, ValueError) as error:
        known = "see the keywords of recurra.nn." + CELLS[cell].__name__
        raise ConfigError(f"cell_options: {str(error).splitlines()[0]}; {known}") from None


def layer_width(hidden_size: int, options: Mapping[str, Any]) -> int:
    """Width of a layer's output."""
    return int(options.get("proj_size", 0)) or hidden_size


def first_state(layer: RNN | LSTM | GRU, batch: int) -> State:
    """The state before the first observation: zeros, or what the layer has learned for it."""
    weight = next(layer.parameters())
    wide = layer.proj_size or layer.hidden_size
    parts = []
    for name, width in (("h", wide), ("c", layer.hidden_size))[: 2 if isinstance(layer, LSTM) else 1]:
        if layer.learned_state:
            rows = [getattr(layer, f"state_{name}_l{k}").detach() for k in range(layer.num_layers)]
            parts.append(torch.stack(rows)[:, None].repeat(1, batch, 1))
        else:
            parts.append(weight.new_zeros(layer.num_layers, batch, width))
    return (parts[0], parts[1]) if len(parts) == 2 else parts[0]


def select_state(state: State, rows: Sequence[int] | Tensor) -> State:
    """The states of some rows of a batch."""
    if isinstance(state, tuple):
        return state[0][:, rows], state[1][:, rows]
    return state[:, rows]


def join_states(states: Sequence[State]) -> State:
    """The states of several batches as those of one."""
    if len(states) == 1:
        return states[0]
    h = torch.cat([state[0] if isinstance(state, tuple) else state for state in states], 1)
    c = [state[1] for state in states if isinstance(state, tuple)]
    return (h, torch.cat(c, 1)) if c else h
