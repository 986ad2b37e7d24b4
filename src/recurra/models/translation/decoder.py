"""The decoder: recurrent layers over the target so far, and attention to the source."""

from typing import Any, NamedTuple, cast

import torch
from torch import nn

from recurra.models.translation.encoder import EncodedSource
from recurra.models.translation.recurrent_dropout import RecurrentDropout
from recurra.models.translation.shape import CELLS, TranslationShape
from recurra.nn import AdditiveAttention, MultiplicativeAttention
from recurra.shapes import Float, Tensor


class DecoderState(NamedTuple):
    """What one step hands to the next.

    Attributes:
        parts: of the recurrent state, each [layers, rows, H].
        fed: the attentional vector of the step before, [rows, E]; None without input feeding.
    """

    parts: tuple[Tensor, ...]
    fed: Tensor | None = None

    def select(self, rows: Tensor) -> "DecoderState":
        """The states of some rows, in this order; a row may stand in several places."""
        fed = None if self.fed is None else self.fed.index_select(0, rows)
        return DecoderState(tuple(part.index_select(1, rows) for part in self.parts), fed)


class Decoder(nn.Module):
    """Recurrent layers, attention, and the attentional vector that the output layer reads.

    s(t) = layers(x(t), s(t-1));  c(t) = attention(s(t), keys);  a(t) = tanh([c(t); s(t)] W_c)

    With input feeding the layers read [x(t); a(t-1)], so each step waits for the one before; without it all steps of
    a known target are one call of the recurrent kernel and one of the attention.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layer.

    Source: Luong, Pham & Manning 2015, sections 3 and 3.3; Bahdanau, Cho & Bengio 2015 for the additive score.
    """

    def __init__(self, shape: TranslationShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        fed = shape.embedding_size if shape.input_feeding else 0
        self.recurrent = CELLS[shape.cell](
            shape.embedding_size + fed,
            shape.hidden_size,
            shape.decoder_layers,
            batch_first=True,
            dropout=shape.dropout if shape.decoder_layers > 1 else 0.0,
            backend=backend,
        )
        self.recurrent_dropout = RecurrentDropout(shape.recurrent_dropout)
        self.dropout = nn.Dropout(shape.dropout)
        width = shape.hidden_size
        self.attention = (
            AdditiveAttention(width, width, width)
            if shape.attention == "additive"
            else MultiplicativeAttention(width, width, score=shape.attention)
        )
        self.combine = nn.Linear(2 * width, shape.embedding_size, bias=False)

    def forward(
        self, embedded: Float[Tensor, "batch target embedding"], source: EncodedSource
    ) -> tuple[Float[Tensor, "batch target embedding"], Float[Tensor, "batch target source"]]:
        """Attentional vectors and attention weights at every step of a target that is known."""
        if self.shape.input_feeding:
            return self._feed(embedded, source)
        state = source.state if len(source.state) > 1 else source.state[0]
        output, _ = self.recurrent_dropout(self.recurrent, self.dropout(embedded), state)
        return self._attend(self.dropout(output), source)

    def _feed(self, embedded: Tensor, source: EncodedSource) -> tuple[Tensor, Tensor]:
        """Step by step, for each step reads the attentional vector of the one before."""
        x, found = self.dropout(embedded), []
        state = self.first_state(source)
        masked = self.recurrent_dropout
        for t in range(x.shape[1]):
            assert state.fed is not None
            step = torch.cat([x[:, t], state.fed], -1)[:, None]
            output, last = masked(self.recurrent, step, _joined(state.parts))
            vector, weights = self._attend(self.dropout(output), source)
            state = DecoderState(_parts(last), vector[:, 0])
            found.append((vector[:, 0], weights[:, 0]))
        vectors, all_weights = zip(*found, strict=True)
        return torch.stack(vectors, 1), torch.stack(all_weights, 1)

    def _attend(self, output: Tensor, source: EncodedSource) -> tuple[Tensor, Tensor]:
        context, weights = self.attention(output, source.keys)
        vector = self.dropout(torch.tanh(self.combine(torch.cat([context, output], -1))))
        return vector, weights

    def first_state(self, source: EncodedSource) -> DecoderState:
        """The state before the first piece of each source's target."""
        rows = source.state[0].shape[1]
        fed = source.state[0].new_zeros(rows, self.shape.embedding_size) if self.shape.input_feeding else None
        return DecoderState(source.state, fed)

    def step(
        self, embedded: Float[Tensor, "rows embedding"], state: DecoderState, source: EncodedSource
    ) -> tuple[Float[Tensor, "rows embedding"], Float[Tensor, "rows source"], DecoderState]:
        """One piece further.

        Args:
            embedded: the pieces before, in rows; a multiple K of the sources, those of one source side by side.
            state: from the step before.
            source: what the encoder made.

        Returns:
            Attentional vectors, attention weights, and the next state.
        """
        sources = source.keys.keys.shape[0]
        x = embedded if state.fed is None else torch.cat([embedded, state.fed], -1)
        output, last = self.recurrent(x[:, None], cast(Any, _joined(state.parts)))
        queries = output.view(sources, len(x) // max(sources, 1), -1)
        vectors, weights = self._attend(queries, source)
        vector = vectors.flatten(0, 1)
        return vector, weights.flatten(0, 1), DecoderState(_parts(last), None if state.fed is None else vector)


def _joined(parts: tuple[Tensor, ...]) -> Any:
    return parts if len(parts) > 1 else parts[0]


def _parts(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)
