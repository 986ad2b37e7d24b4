"""A recurrent layer over segments of the past, and all segments of the future at once: for long horizons."""

from typing import Any, cast

import torch
from torch import nn

from recurra.models.forecast.layers import State, build_layer, layer_width
from recurra.models.forecast.network import ForecastShape
from recurra.models.forecast.outputs import build_output
from recurra.shapes import Float, Lengths, Tensor

N_EMBEDDING = 16


class SegmentNetwork(nn.Module):
    """Numbers for the steps ahead from the last values of the target, cut into segments of w values.

    s_0 = 0;  s_i = phi(relu(E [y(t - L + (i-1) w + 1) ... y(t - L + i w)]), s_{i-1})  over the L / w segments
    z_j = phi(p_j + A X(t), s_{L/w})  for each segment j ahead, none waiting for another
    r_k = C_k z_j + D tanh(B f(t+k) + F z_j) + c,  with C_k the rows of C for the place of step k in its segment j

    y are values relative to the latest one, in units of the series' scale; p_j is a learned vector for the place of a
    segment, X(t) the inputs at the origin and f what is known in advance of a step. C and D begin at zero and c at the
    output's start, so that the network begins as the rule that it corrects. Nothing but the last L values is carried
    from one observation to the next.

    Args:
        shape: the sizes; `lookback` is a multiple of `segment`.
        backend: passed on to the recurrent layer.

    Source: in the spirit of Lin et al. 2023 (SegRNN).
    """

    def __init__(self, shape: ForecastShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.n_segments = -(-shape.horizon // shape.segment)
        width = layer_width(shape.hidden_size, shape.options)
        self.output = build_output(shape.output, shape.levels, shape.horizon, shape.components)
        self.embed = nn.Linear(shape.segment, shape.hidden_size)
        self.recurrent = build_layer(
            shape.cell,
            shape.hidden_size,
            shape.hidden_size,
            shape.num_layers,
            shape.dropout,
            backend,
            shape.options,
        )
        self.positions = nn.Parameter(torch.randn(self.n_segments, shape.hidden_size))
        self.inputs = nn.Linear(shape.n_inputs, shape.hidden_size, bias=False)
        self.dropout = nn.Dropout(shape.dropout)
        self.last = nn.Linear(width, shape.segment * len(self.output.start))
        nn.init.zeros_(self.last.weight)
        with torch.no_grad():
            self.last.bias.copy_(torch.tensor(self.output.start).repeat(shape.segment))
        self.embedding = nn.Linear(width, N_EMBEDDING) if shape.n_future else None
        self.future = nn.Linear(shape.n_future, N_EMBEDDING, bias=False) if shape.n_future else None
        self.mix = nn.Linear(N_EMBEDDING, len(self.output.start), bias=False) if shape.n_future else None
        if self.mix is not None:
            nn.init.zeros_(self.mix.weight)

    def states(
        self, x: Float[Tensor, "batch time input"], state: State | None = None, lengths: Lengths | None = None
    ) -> tuple[Float[Tensor, "batch time input"], State]:
        """The inputs themselves, and the last ones: nothing else is carried."""
        del state
        if lengths is None:
            return x, x[None, :, -1]
        last = torch.as_tensor(lengths, device=x.device) - 1
        return x, x[None, torch.arange(len(x), device=x.device), last]

    def step(self, x: Float[Tensor, "batch input"], state: State | None) -> tuple[Float[Tensor, "batch input"], State]:
        """One observation: its inputs, twice."""
        del state
        return x, x[None]

    def first_state(self, batch: int) -> State:
        """Zeros."""
        return self.positions.new_zeros(1, batch, self.shape.n_inputs)

    def raw(
        self,
        h: Float[Tensor, "*origins input"],
        future: Float[Tensor, "*origins horizon future"] | None = None,
        window: Float[Tensor, "*origins lookback"] | None = None,
    ) -> Float[Tensor, "*origins horizon number"]:
        """The numbers of the steps after each origin, as `output` reads them.

        Args:
            h: X(t) at the origins.
            future: what is known of the steps ahead.
            window: the last values, the latest one first.
        """
        assert window is not None
        origins, m, w = h.shape[:-1], self.n_segments, self.shape.segment
        past = window.reshape(-1, self.shape.lookback).flip(-1).unflatten(-1, (-1, w))
        _, state = self.recurrent(torch.relu(self.embed(past)))
        places = self.positions + self.inputs(h.reshape(-1, 1, h.shape[-1]))
        z = self._decode(places.flatten(0, 1), state, m)
        raw: Tensor = self.last(self.dropout(z)).reshape(len(past), m * w, -1)[:, : self.shape.horizon]
        if self.embedding is not None and self.future is not None and self.mix is not None:
            own = self.embedding(z).repeat_interleave(w, 1)[:, : self.shape.horizon]
            raw = raw + self.mix(torch.tanh(own + self.future(future).reshape(own.shape)))
        numbers: Tensor = raw.reshape(*origins, self.shape.horizon, -1)
        return numbers

    def _decode(self, places: Tensor, state: State, m: int) -> Float[Tensor, "origin segment hidden"]:
        """One step from the last state for each segment ahead."""
        parts = state if isinstance(state, tuple) else (state,)
        wide = tuple(part.repeat_interleave(m, 1) for part in parts)
        output, _ = self.recurrent(places[:, None], cast("Any", wide if isinstance(state, tuple) else wide[0]))
        z: Tensor = output.reshape(-1, m, output.shape[-1])
        return z
