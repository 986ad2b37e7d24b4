"""The encoder: a bidirectional stack of recurrent layers over the source."""

from typing import NamedTuple, cast

import torch
from torch import nn

from recurra.models.translation.recurrent_dropout import RecurrentDropout
from recurra.models.translation.shape import CELLS, TranslationShape
from recurra.nn import ProjectedKeys
from recurra.shapes import Float, Int, Tensor


class EncodedSource(NamedTuple):
    """What a decoder looks at: the sources' outputs, projected for its attention.

    Attributes:
        keys: projected keys, values and mask of each source.
        state: the decoder's first state, parts [layers, rows, H].
    """

    keys: ProjectedKeys
    state: tuple[Tensor, ...]


class Encoder(nn.Module):
    """Both directions over the embedded source, and the decoder's first state from their last outputs.

    s(0) = tanh([h_forward(S); h_backward(1)] W_s + b_s), one for each decoder layer and part of its state

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layer.
    """

    def __init__(self, shape: TranslationShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.recurrent = CELLS[shape.cell](
            shape.embedding_size,
            shape.hidden_size // 2,
            shape.encoder_layers,
            batch_first=True,
            dropout=shape.dropout if shape.encoder_layers > 1 else 0.0,
            bidirectional=True,
            backend=backend,
        )
        self.recurrent_dropout = RecurrentDropout(shape.recurrent_dropout)
        self.dropout = nn.Dropout(shape.dropout)
        self.parts = 2 if shape.cell == "lstm" else 1
        self.bridge = nn.Linear(shape.hidden_size, self.parts * shape.decoder_layers * shape.hidden_size)

    def forward(
        self, embedded: Float[Tensor, "batch source embedding"], lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch source hidden"], tuple[Tensor, ...]]:
        """Outputs of both directions at every step, and the decoder's first state, parts [layers, batch, H]."""
        output, last = self.recurrent_dropout(self.recurrent, self.dropout(embedded), lengths=lengths)
        h = cast(Tensor, last[0] if isinstance(last, tuple) else last)
        summary = torch.cat([h[-2], h[-1]], -1)
        first = torch.tanh(self.bridge(summary))
        parts = first.view(len(first), self.parts, self.shape.decoder_layers, self.shape.hidden_size)
        return self.dropout(output), tuple(part.transpose(0, 1).contiguous() for part in parts.unbind(1))
