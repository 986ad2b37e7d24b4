"""From the state of a recurrent layer to the numbers of every step of the horizon, and quantiles that never cross."""

import math
from collections.abc import Sequence
from math import pi, sqrt
from statistics import NormalDist

import torch
from torch import nn
from torch.nn.functional import softplus

from recurra.shapes import Float, Tensor

MINIMUM_SPREAD = 1e-4


def middle_level(levels: Sequence[float]) -> int:
    """Position of the level nearest to one half: the quantile that the others are stacked on."""
    return min(range(len(levels)), key=lambda i: abs(levels[i] - 0.5))


def ordered_quantiles(raw: Float[Tensor, "... quantile"], middle: int) -> Float[Tensor, "... quantile"]:
    """Quantiles that never cross: q_m = raw_m, and each neighbour outwards lies a positive spread further.

    q_{m+i} = q_{m+i-1} + softplus(raw_{m+i});  q_{m-i} = q_{m-i+1} - softplus(raw_{m-i})

    Args:
        raw: unconstrained numbers.
        middle: position m of the middle level.

    Returns:
        The same shape, strictly increasing along the last axis.
    """
    if raw.shape[-1] == 1:
        return raw
    centre = raw[..., middle : middle + 1]
    spread = softplus(raw) + MINIMUM_SPREAD
    above = centre + spread[..., middle + 1 :].cumsum(-1)
    below = centre - spread[..., :middle].flip(-1).cumsum(-1).flip(-1)
    return torch.cat([below, centre, above], -1)


def inverse_softplus(distance: float) -> float:
    """The number whose quantile lies so far outwards of its neighbour; at least 0.001."""
    value = max(distance - MINIMUM_SPREAD, 1e-3)
    return value + math.log(-math.expm1(-value))


def normal_spreads(levels: Sequence[float], mean_absolute: float = 1.0) -> list[float]:
    """Raw values whose quantiles are those of a centred normal distribution with this mean absolute value."""
    sigma = mean_absolute * sqrt(pi / 2)
    normal = [sigma * NormalDist().inv_cdf(level) for level in levels]
    middle = middle_level(levels)
    raw = [0.0] * len(levels)
    for i in range(len(levels)):
        if i != middle:
            inwards = i - 1 if i > middle else i + 1
            raw[i] = inverse_softplus(abs(normal[i] - normal[inwards]))
    return raw


class DirectHead(nn.Module):
    """Numbers for the next `horizon` steps from the latest state and what is known of those steps, all at once.

    Step k reads e_k = tanh(A_k h(t) + B f(t+k)), with f what is known in advance of that step:

        r_k = C_k h(t) + D e_k + c_k

    C and D begin at zero and c_k at `start`: a fresh head says the same of every origin, so that a network begins as
    the rule that it corrects. Without known-future inputs the term with e_k falls away.

    Args:
        n_hidden: width of the state.
        n_future: number of inputs known of each future step; 0 for none.
        horizon: steps ahead.
        start: the numbers of a step to begin with.
        n_embedding: width of e_k.
    """

    def __init__(
        self, n_hidden: int, n_future: int, horizon: int, start: Sequence[float], n_embedding: int = 16
    ) -> None:
        super().__init__()
        self.horizon, self.n_parameters = horizon, len(start)
        self.state = nn.Linear(n_hidden, horizon * len(start))
        nn.init.zeros_(self.state.weight)
        with torch.no_grad():
            self.state.bias.copy_(torch.tensor(start).repeat(horizon))
        self.embedding = nn.Linear(n_hidden, horizon * n_embedding) if n_future else None
        self.future = nn.Linear(n_future, n_embedding, bias=False) if n_future else None
        self.mix = nn.Linear(n_embedding, len(start), bias=False) if n_future else None
        if self.mix is not None:
            nn.init.zeros_(self.mix.weight)

    def forward(
        self,
        h: Float[Tensor, "*origins hidden"],
        future: Float[Tensor, "*origins horizon future"] | None = None,
    ) -> Float[Tensor, "*origins horizon number"]:
        """The numbers of each step ahead.

        Args:
            h: the latest states.
            future: f(t+k), if the head has known-future inputs.
        """
        raw: Tensor = self.state(h).unflatten(-1, (self.horizon, self.n_parameters))
        if self.embedding is not None and self.future is not None and self.mix is not None:
            e = torch.tanh(self.embedding(h).unflatten(-1, (self.horizon, -1)) + self.future(future))
            raw = raw + self.mix(e)
        return raw
