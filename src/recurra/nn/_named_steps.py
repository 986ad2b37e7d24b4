"""One step of each recurrence in plain PyTorch, every gate, cell and output by its name.

Source of the equations: `RNN`, `LSTM` and `GRU` beside this file. A step takes what the input adds, x W + b_ih, the
state before and the weights; the parts that bear the state's names are the state after it.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import linear

from recurra.errors import ConfigError
from recurra.kernels import State, Weights, resolve_activation
from recurra.nn._recurrent import Recurrent
from recurra.nn.gru import GRU
from recurra.nn.lstm import LSTM
from recurra.nn.rnn import RNN
from recurra.shapes import Float

Parts: TypeAlias = dict[str, Tensor]
NamedStep: TypeAlias = Callable[[Tensor, State, Weights], Parts]

STATE_NAMES = ("h", "c")
"""What a state is made of, as many of them as it has parts."""


def rnn_step(X_Wx: Float[Tensor, "batch hidden"], state: State, w: Weights, phi: Callable[[Tensor], Tensor]) -> Parts:
    """The preactivation a = X(t) Wx + Y(t-1) Wy + b, and h = Y(t) = phi(a)."""
    (Y,) = state
    a = X_Wx + linear(Y, w.w_hh, w.b_hh)
    return {"a": a, "h": phi(a)}


def lstm_step(X_W: Float[Tensor, "batch 4*hidden"], state: State, w: Weights) -> Parts:
    """The gates i, f, o after sigma, the candidate g after tanh, the cell c and the output h."""
    h, c = state
    i, f, g, o = (X_W + linear(h, w.w_hh, w.b_hh)).chunk(4, -1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * c + i * g
    h = o * torch.tanh(c)
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h if w.w_hr is None else linear(h, w.w_hr)}


def gru_step(X_W: Float[Tensor, "batch 3*hidden"], state: State, w: Weights, reset_after: bool) -> Parts:
    """The gates r and z after sigma, the candidate n after tanh, and the output h."""
    (h,) = state
    hidden = h.shape[-1]
    U_rz, U_n = w.w_hh.split([2 * hidden, hidden])
    b_rz, b_n = (None, None) if w.b_hh is None else w.b_hh.split([2 * hidden, hidden])
    x_rz, x_n = X_W.split([2 * hidden, hidden], -1)
    r, z = torch.sigmoid(x_rz + linear(h, U_rz, b_rz)).chunk(2, -1)
    n = torch.tanh(x_n + (r * linear(h, U_n, b_n) if reset_after else linear(r * h, U_n, b_n)))
    return {"r": r, "z": z, "n": n, "h": z * h + (1 - z) * n}


def named_step(layer: Recurrent) -> NamedStep:
    """The step that a layer takes.

    Raises:
        ConfigError: if it is of another kind, or has an option whose equations are not written here.
    """
    name = type(layer).__name__
    if not layer._has_plain_equations:
        raise ConfigError(f"{name}: its parts cannot be shown with its options: {layer.extra_repr()}")
    if isinstance(layer, LSTM):
        return lstm_step
    if isinstance(layer, GRU):
        reset_after = bool(getattr(layer, "reset_after", True))
        return lambda X_W, state, w: gru_step(X_W, state, w, reset_after)
    if isinstance(layer, RNN):
        phi = resolve_activation(layer.nonlinearity)
        return lambda X_Wx, state, w: rnn_step(X_Wx, state, w, phi)
    raise ConfigError(f"expected an RNN, LSTM or GRU of recurra.nn, got: {name}")
