"""The translating network: encoder, decoder with attention, and tied embeddings."""

import torch
from torch import nn
from torch.nn import functional

from recurra.models.translation.decoder import Decoder, DecoderState
from recurra.models.translation.encoder import EncodedSource, Encoder
from recurra.models.translation.shape import TranslationShape
from recurra.shapes import Float, Int, Tensor


class TranslationNetwork(nn.Module):
    """p(y(t) | y(<t), x) = softmax(a(t) E_y^T + b), a(t) from the decoder; E_y also embeds the target.

    With a shared vocabulary E_y embeds the source too.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layers.

    Source: Luong, Pham & Manning 2015; tied embeddings: Press & Wolf 2017.
    """

    def __init__(self, shape: TranslationShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.target_embedding = _embedding(shape.target_size, shape.embedding_size)
        self.source_embedding = (
            self.target_embedding if shape.shared else _embedding(shape.source_size, shape.embedding_size)
        )
        self.encoder = Encoder(shape, backend)
        self.decoder = Decoder(shape, backend)
        self.bias = nn.Parameter(torch.zeros(shape.target_size))

    def encode(self, source: Int[Tensor, "batch source"], lengths: Int[Tensor, " batch"]) -> EncodedSource:
        """Read the sources once; the decoder's steps look at what comes back."""
        output, state = self.encoder(self.source_embedding(source), lengths)
        return EncodedSource(self.decoder.attention.project(output, lengths=lengths), state)

    def forward(
        self,
        source: Int[Tensor, "batch source"],
        lengths: Int[Tensor, " batch"],
        target: Int[Tensor, "batch target"],
    ) -> tuple[Float[Tensor, "batch target embedding"], Float[Tensor, "batch target source"]]:
        """Attentional vectors and attention weights of all steps, each from the target's pieces up to its own.

        Args:
            source: pieces, padded.
            lengths: valid pieces of each source, at least 1.
            target: BEGIN and the pieces before each that is to be foretold, padded.
        """
        vectors, weights = self.decoder(self.target_embedding(target), self.encode(source, lengths))
        return vectors, weights

    def logits(self, vectors: Float[Tensor, "*rows embedding"]) -> Float[Tensor, "*rows vocabulary"]:
        """Scores of every piece, before the softmax."""
        return functional.linear(vectors, self.target_embedding.weight, self.bias)

    def step(
        self, previous: Int[Tensor, " rows"], state: DecoderState, source: EncodedSource
    ) -> tuple[Float[Tensor, "rows vocabulary"], Float[Tensor, "rows source"], DecoderState]:
        """Scores of the piece after `previous`, the attention behind them, and the next state; see `Decoder.step`."""
        vector, weights, state = self.decoder.step(self.target_embedding(previous), state, source)
        return self.logits(vector), weights, state

    def freeze(self, frozen: bool = True) -> "TranslationNetwork":
        """Keep the recurrent weights packed from call to call, for use and not for training."""
        self.encoder.recurrent.freeze(frozen)
        self.decoder.recurrent.freeze(frozen)
        return self


def _embedding(pieces: int, width: int) -> nn.Embedding:
    """Normal weights of variance 1 / width, so that the tied output layer begins with scores of variance near 1."""
    embedding = nn.Embedding(pieces, width)
    nn.init.normal_(embedding.weight, std=width**-0.5)
    return embedding
