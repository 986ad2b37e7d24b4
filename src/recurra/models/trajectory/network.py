"""A recurrent network that is shown the motion of an object fix by fix, and draws its path from the latest state."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from recurra.models.forecast import CELLS, State
from recurra.models.trajectory.outputs import PathOutput, read_output
from recurra.shapes import Float, Lengths, Tensor


@dataclass(frozen=True)
class TrajectoryShape:
    """The sizes of a trajectory network; enough to build it again.

    Attributes:
        n_inputs: numbers of one input.
        horizon: steps ahead.
        components: of the distribution: 0 for points, 1 for a normal distribution, K for a mixture.
        cell, hidden_size, num_layers, dropout: of the recurrent layers.
        lags: latest inputs that a linear map reads besides; 0 for none.
    """

    n_inputs: int
    horizon: int
    components: int = 0
    cell: str = "gru"
    hidden_size: int = 64
    num_layers: int = 1
    dropout: float = 0.1
    lags: int = 0


class TrajectoryNetwork(nn.Module):
    """Corrections of constant velocity.

    encoder   Y(t) = φ(X(t) W_x + Y(t-1) W_y + b) over the fixes so far
    decoder   D(k) = φ([X(t), k / horizon] W_x' + D(k-1) W_y' + b'), begun at D(0) = Y(t)
    output    displacement k is off by gain * (C D(k) + c) + (L U(t))_k, summed up over k; U(t) are the latest inputs

    With every weight at zero the path is that of constant velocity, and its distribution that of constant velocity's
    own misses. C begins near zero, L at zero.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layers.
    """

    spread: Tensor
    gain: Tensor

    def __init__(self, shape: TrajectoryShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        cell, width = CELLS[shape.cell], shape.hidden_size
        between = shape.dropout if shape.num_layers > 1 else 0.0
        self.encoder = cell(
            shape.n_inputs, width, shape.num_layers, batch_first=True, dropout=between, initialization="keras",
            backend=backend,
        )  # fmt: skip
        self.decoder = cell(shape.n_inputs + 1, width, batch_first=True, initialization="keras", backend=backend)
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(width, self.n_components * self.n_numbers)
        self.weights = nn.Linear(width, self.n_components)
        self.linear = nn.Linear(shape.lags * shape.n_inputs, 2 * shape.horizon) if shape.lags else None
        self.correlation = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("spread", torch.ones(shape.horizon, 2))
        self.register_buffer("gain", torch.ones(()))
        self._begin()

    @property
    def n_components(self) -> int:
        """Components of the output; points have one."""
        return max(self.shape.components, 1)

    @property
    def n_numbers(self) -> int:
        """Numbers of one component at one step."""
        return 5 if self.shape.components else 2

    def _begin(self) -> None:
        """Near constant velocity; the components of a mixture apart, or they would stay the same for ever."""
        with torch.no_grad():
            for layer in (self.head, self.weights):
                layer.weight.mul_(0.1 if self.shape.components < 2 else 0.3)
                nn.init.zeros_(layer.bias)
            if self.shape.components > 1:
                self.head.bias.view(self.n_components, self.n_numbers)[:, :2].normal_(0.0, 0.1)
        if self.linear is not None:
            nn.init.zeros_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def states(
        self, x: Float[Tensor, "batch time input"], state: State | None = None, lengths: Lengths | None = None
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """The encoder's outputs at every fix and its last state, from `state` or from zero."""
        output, last = self.encoder(x, state, lengths=lengths)
        return output, last

    def step(self, x: Float[Tensor, "batch input"], state: State | None) -> tuple[Float[Tensor, "batch hidden"], State]:
        """One fix of each object: the encoder's output and the state after it."""
        output, last = self.encoder.step(x, cast("Any", state))
        return output, last

    def paths(
        self,
        h: Float[Tensor, "n hidden"],
        x: Float[Tensor, "n input"],
        lagged: Float[Tensor, "n lagged"] | None = None,
    ) -> PathOutput:
        """The distribution of the path from an origin.

        Args:
            h: the encoder's outputs there.
            x: the inputs there.
            lagged: the latest inputs, the last one first, if the network has a linear map.
        """
        h = self.dropout(h)
        when = torch.arange(1, self.shape.horizon + 1, dtype=x.dtype, device=x.device) / self.shape.horizon
        inputs = torch.cat([x[:, None].expand(-1, len(when), -1), when[None, :, None].expand(len(x), -1, 1)], -1)
        first = h[None].contiguous()
        state: Any = (first, torch.zeros_like(first)) if self.shape.cell == "lstm" else first
        d, _ = self.decoder(inputs, state)
        raw = self.head(d).unflatten(-1, (self.n_components, self.n_numbers))
        moved = self.gain * raw[..., :2]
        if self.linear is not None and lagged is not None:
            moved = moved + self.linear(lagged).unflatten(-1, (self.shape.horizon, 1, 2))
        return read_output(torch.cat([moved, raw[..., 2:]], -1), self.weights(h), self.spread)

    @property
    def rho(self) -> Float[Tensor, ""]:
        """The correlation of standardised errors from one step to the next."""
        return torch.tanh(self.correlation)
