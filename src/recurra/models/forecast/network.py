"""A recurrent network that is shown one observation at a time and forecasts all steps ahead from its latest state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from recurra.models.forecast.heads import QuantileHead
from recurra.nn import GRU, LSTM, RNN
from recurra.shapes import Float, Lengths, Tensor

State = Tensor | tuple[Tensor, Tensor]
CELLS: dict[str, type[RNN] | type[LSTM] | type[GRU]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


@dataclass(frozen=True)
class ForecastShape:
    """The sizes of a forecasting network; enough to build it again."""

    n_inputs: int
    n_future: int
    horizon: int
    levels: tuple[float, ...]
    cell: str = "gru"
    hidden_size: int = 32
    num_layers: int = 1
    dropout: float = 0.0


class ForecastNetwork(nn.Module):
    """Y(t) = phi(X(t) W_x + Y(t-1) W_y + b), and quantiles of steps t+1 ... t+horizon from Y(t).

    Every forecast is made from the latest state, so that it has seen every observation up to its origin.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layer.
    """

    def __init__(self, shape: ForecastShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.recurrent = CELLS[shape.cell](
            shape.n_inputs,
            shape.hidden_size,
            shape.num_layers,
            batch_first=True,
            dropout=shape.dropout if shape.num_layers > 1 else 0.0,
            initialization="keras",
            backend=backend,
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.head = QuantileHead(shape.hidden_size, shape.n_future, shape.horizon, shape.levels)

    def states(
        self, x: Float[Tensor, "batch time input"], state: State | None = None, lengths: Lengths | None = None
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Outputs of every step and the last state, from `state` or from zero."""
        output, last = self.recurrent(x, state, lengths=lengths)
        return output, last

    def step(self, x: Float[Tensor, "batch input"], state: State | None) -> tuple[Float[Tensor, "batch hidden"], State]:
        """One observation: its output and the state after it."""
        output, last = self.recurrent.step(x, cast("Any", state))
        return output, last

    def quantiles(
        self,
        h: Float[Tensor, "*origins hidden"],
        future: Float[Tensor, "*origins horizon future"] | None = None,
    ) -> Float[Tensor, "*origins horizon quantile"]:
        """Quantiles of the steps after each origin, relative to the rule that is corrected; see `QuantileHead`."""
        quantiles: Tensor = self.head(self.dropout(h), future)
        return quantiles


def zero_state_like(network: ForecastNetwork, batch: int) -> State:
    """The state before the first observation: zeros, as the equations have it."""
    weight = next(network.recurrent.parameters())
    h = weight.new_zeros(network.shape.num_layers, batch, network.shape.hidden_size)
    return (h, h.clone()) if network.shape.cell == "lstm" else h


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
