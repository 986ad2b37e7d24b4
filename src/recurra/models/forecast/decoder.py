"""A recurrent decoder: a second layer that runs over the steps ahead, reading what is known of each."""

from collections.abc import Sequence

import torch
from torch import nn

from recurra.models.forecast.layers import State, build_layer
from recurra.shapes import Float, Tensor

N_POSITION = 8


class RecurrentDecoder(nn.Module):
    """Numbers for the next `horizon` steps, each from the state after the step before it.

    s_0 = tanh(A h(t));  s_k = phi([f(t+k), p_k], s_{k-1});  r_k = C s_k + c

    with f what is known in advance of a step and p_k a learned vector for its place. C begins at zero and c at `start`,
    so that a network begins as the rule that it corrects.

    Args:
        n_hidden: width of the state h.
        n_future: number of inputs known of each future step; 0 for none.
        horizon: steps ahead.
        start: the numbers of a step to begin with.
        cell: "rnn", "lstm" or "gru".
        width: width of the decoder's own state.
        backend: who computes it.

    Source: Sutskever et al. 2014 (an encoder and a decoder); Wen et al. 2017 (positions and known inputs).
    """

    def __init__(
        self, n_hidden: int, n_future: int, horizon: int, start: Sequence[float], cell: str, width: int, backend: str
    ) -> None:
        super().__init__()
        self.horizon, self.cell = horizon, cell
        self.first = nn.Linear(n_hidden, width)
        self.positions = nn.Parameter(torch.randn(horizon, N_POSITION))
        self.recurrent = build_layer(cell, n_future + N_POSITION, width, backend=backend)
        self.last = nn.Linear(width, len(start))
        nn.init.zeros_(self.last.weight)
        with torch.no_grad():
            self.last.bias.copy_(torch.tensor(start))

    def forward(
        self,
        h: Float[Tensor, "*origins hidden"],
        future: Float[Tensor, "*origins horizon future"] | None = None,
    ) -> Float[Tensor, "*origins horizon number"]:
        """The numbers of each step ahead.

        Args:
            h: the latest states.
            future: f(t+k), if there are known-future inputs.
        """
        origins = h.shape[:-1]
        begin = torch.tanh(self.first(h)).reshape(1, -1, self.first.out_features)
        x = self.positions.expand(begin.shape[1], -1, -1)
        if future is not None:
            x = torch.cat([future.reshape(-1, self.horizon, future.shape[-1]), x], -1)
        state: State = (begin, torch.zeros_like(begin)) if self.cell == "lstm" else begin
        output, _ = self.recurrent(x, state)
        raw: Tensor = self.last(output)
        return raw.reshape(*origins, self.horizon, -1)
