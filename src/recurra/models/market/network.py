"""A recurrent network that corrects a log-HAR path: distributions of the next returns and of their log variance."""

from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import nn

from recurra.models.distributions import Normal, NormalMixture, ScaledDistribution, StudentT
from recurra.models.forecast import State
from recurra.models.forecast.layers import CELLS
from recurra.shapes import Float, Lengths, Tensor

Family = Literal["student_t", "normal", "mixture"]
OUTPUTS = 3
FIRST_DF = 8.0
"""Degrees of freedom that learning begins from, about those of daily returns divided by their volatility."""


@dataclass(frozen=True)
class MarketShape:
    """The sizes of a market network; enough to build it again.

    Args:
        n_inputs: inputs of a day.
        horizons: days ahead.
        distribution: of the returns.
        cell: "rnn", "lstm", "gru", or "none" for a linear correction without memory.
        hidden_size, num_layers, dropout: of the recurrent layer.
        components: of a mixture.
    """

    n_inputs: int
    horizons: tuple[int, ...]
    distribution: Family = "student_t"
    cell: str = "gru"
    hidden_size: int = 16
    num_layers: int = 1
    dropout: float = 0.0
    components: int = 2


@dataclass(frozen=True)
class PathTensors:
    """The log-HAR path that is corrected, each [..., horizons].

    Args:
        log_variance: expected logarithm of the mean variance of the next days.
        spread: standard deviation of that logarithm.
        smearing: logarithm of the expected mean variance over exp(log_variance); spread² / 2 if normal.
        mean: expected sum of the next returns, in percent.
        scale: variance of that sum over the expected mean variance.
    """

    log_variance: Tensor
    spread: Tensor
    smearing: Tensor
    mean: Tensor
    scale: Tensor


@dataclass(frozen=True)
class MarketOutput:
    """What the network says of each horizon, [..., horizons].

    Args:
        log_variance: distribution of the logarithm of the mean variance of the next days.
        variance: its expectation, not in logarithms, in percent squared.
        returns: distribution of the sum of the next returns, in percent.
    """

    log_variance: Normal
    variance: Tensor
    returns: ScaledDistribution


class MarketNetwork(nn.Module):
    """From the state Y(t) of a recurrent layer and the inputs X(t), corrections of the path at every horizon.

    (a, b, d) = W_h Y(t) + W_x X(t) + c
    ln v ~ N(p + s a, (s e^b)²),  E v = exp(p + s a + κ e^2b)
    R ~ D(m + d sqrt(q E v), q E v)

    with p, s, κ, m and q the path's log variance, spread, smearing, mean and scale, and D the unit distribution of the
    returns. All three weights begin at zero: a fresh network is the path, with D around it. Where ln v is normal, κ is
    s² / 2 and E v the mean of that normal distribution; where it is not, κ keeps the mean variance right.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layer.
    """

    def __init__(self, shape: MarketShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.recurrent = None if shape.cell == "none" else CELLS[shape.cell](
            shape.n_inputs,
            shape.hidden_size,
            shape.num_layers,
            batch_first=True,
            dropout=shape.dropout if shape.num_layers > 1 else 0.0,
            backend=backend,
        )  # fmt: skip
        self.dropout = nn.Dropout(shape.dropout)
        n = OUTPUTS * len(shape.horizons)
        self.state = nn.Linear(self.width, n, bias=False) if self.width else None
        self.inputs = nn.Linear(shape.n_inputs, n)
        for layer in (self.state, self.inputs):
            for parameter in layer.parameters() if layer is not None else ():
                nn.init.zeros_(parameter)
        self.shapes = nn.Parameter(self._first_shapes())

    @property
    def width(self) -> int:
        """Numbers in the output of the recurrent layer; 0 without one."""
        return 0 if self.shape.cell == "none" else self.shape.hidden_size

    def states(
        self, x: Float[Tensor, "batch time input"], state: State | None = None, lengths: Lengths | None = None
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Outputs of every step and the last state, from `state` or from zero."""
        if self.recurrent is None:
            return x.new_zeros(*x.shape[:2], 0), zero_state(self, x.shape[0])
        output, last = self.recurrent(x, state, lengths=lengths)
        return output, last

    def step(self, x: Float[Tensor, "batch input"], state: State | None) -> tuple[Float[Tensor, "batch hidden"], State]:
        """One day: its output and the state after it."""
        if self.recurrent is None:
            return x.new_zeros(x.shape[0], 0), zero_state(self, x.shape[0])
        output, last = self.recurrent.step(x, cast("Any", state))
        return output, last

    def answer(
        self, h: Float[Tensor, "*days hidden"], x: Float[Tensor, "*days input"], path: PathTensors
    ) -> MarketOutput:
        """The corrected path after each day, from its output and inputs."""
        raw = self.inputs(x)
        if self.state is not None:
            raw = raw + self.state(self.dropout(h))
        level, widening, drift = raw.unflatten(-1, (len(self.shape.horizons), OUTPUTS)).unbind(-1)
        log_variance = Normal(path.log_variance + path.spread * level, path.spread * widening.exp())
        variance = (log_variance.mean + path.smearing * (2.0 * widening).exp()).exp()
        std = (path.scale * variance).sqrt()
        return MarketOutput(log_variance, variance, self._distribution(path.mean + drift * std.detach(), std))

    def _distribution(self, mean: Tensor, std: Tensor) -> ScaledDistribution:
        if self.shape.distribution == "student_t":
            return StudentT(mean, std, 2.0 + self.shapes.exp()[:, 0])
        if self.shape.distribution == "mixture":
            logits, offsets, spreads = self.shapes.unflatten(-1, (3, -1)).unbind(-2)
            return NormalMixture(mean, std, logits, offsets, spreads.exp())
        return Normal(mean, std)

    def _first_shapes(self) -> Tensor:
        """Parameters of the unit distribution, the same at every day, [horizons, parameters]."""
        n, components = len(self.shape.horizons), self.shape.components
        if self.shape.distribution == "student_t":
            return torch.full((n, 1), FIRST_DF - 2.0).log()
        if self.shape.distribution == "mixture":
            logits, spreads = torch.linspace(0.0, -1.0, components), torch.linspace(-0.25, 0.4, components)
            return torch.cat([logits, torch.zeros(components), spreads]).expand(n, -1).clone()
        return torch.zeros(n, 0)


def zero_state(network: MarketNetwork, batch: int) -> State:
    """The state before the first day: zeros, as the equations have it."""
    h = network.inputs.weight.new_zeros(network.shape.num_layers, batch, network.width)
    return (h, h.clone()) if network.shape.cell == "lstm" else h
