"""Learning to translate: batches of pairs of like length, and the smoothed loss of every piece."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from recurra.data.text import EncodedPairs, token_batches
from recurra.data.text.encoding import Numbers, pad
from recurra.data.text.pieces import BEGIN, END
from recurra.models.translation import TranslationNetwork, smoothed_loss
from recurra.shapes import Tensor

VALIDATED_AT_ONCE = 4_000


@dataclass(frozen=True)
class PairBatch:
    """Pairs side by side, padded.

    Attributes:
        source: pieces, [pairs, longest].
        lengths: pieces of each source, [pairs].
        target: BEGIN and the pieces, [pairs, longest + 1].
        ahead: the pieces and END, [pairs, longest + 1].
        known: where `ahead` holds a piece or END, [pairs, longest + 1].
    """

    source: Tensor
    lengths: Tensor
    target: Tensor
    ahead: Tensor
    known: Tensor


class TranslationTask:
    """Pairs of the training part, and pairs to validate on.

    Args:
        network: that is trained.
        training: pairs to learn from.
        validation: pairs that decide when training stops.
        tokens: of one side of a batch at most, padding included.
        smoothing: share of the truth that is spread over the vocabulary, in training only.
        seed: batches are a pure function of seed and epoch.
        validate: what is lowered instead of the loss on the validation part, such as 100 - BLEU.
    """

    def __init__(
        self,
        network: TranslationNetwork,
        training: EncodedPairs,
        validation: EncodedPairs,
        *,
        tokens: int,
        smoothing: float,
        seed: int,
        validate: Callable[[], float] | None = None,
    ) -> None:
        self.network, self.training, self.validation = network, training, validation
        self.tokens, self.smoothing, self.seed = tokens, smoothing, seed
        self._validate = validate
        self._device = network.bias.device
        self._lengths = np.stack([training.source_lengths, training.target_lengths + 1], 1)
        self.n_batches = len(token_batches(self._lengths, tokens))

    def batches(self, epoch: int) -> Iterator[PairBatch]:
        """The pairs in batches that depend on seed and epoch only."""
        for rows in token_batches(self._lengths, self.tokens, self.seed, epoch):
            yield self.batch(self.training, rows)

    def batch(self, pairs: EncodedPairs, rows: Numbers) -> PairBatch:
        """Some pairs side by side."""
        source, lengths = pad([pairs.source[row] for row in rows])
        target, target_lengths = pad([np.concatenate([[BEGIN], pairs.target[row]]) for row in rows])
        ahead, _ = pad([np.concatenate([pairs.target[row], [END]]) for row in rows])
        known = np.arange(target.shape[1]) < target_lengths[:, None]
        return PairBatch(*(torch.from_numpy(part).to(self._device) for part in (source, lengths, target, ahead, known)))

    def loss(self, batch: PairBatch) -> Tensor:
        """Mean loss of every piece and END, labels smoothed."""
        return self._loss(batch, self.smoothing)

    def _loss(self, batch: PairBatch, smoothing: float) -> Tensor:
        vectors, _ = self.network(batch.source, batch.lengths, batch.target)
        return smoothed_loss(self.network.logits(vectors[batch.known]), batch.ahead[batch.known], smoothing)

    def validation_loss(self) -> float:
        """What was asked to be lowered; by default the mean cross entropy of the validation part's pieces, in nats."""
        if self._validate is not None:
            return self._validate()
        pairs = self.validation
        total = count = 0.0
        for rows in token_batches(np.stack([pairs.source_lengths, pairs.target_lengths + 1], 1), VALIDATED_AT_ONCE):
            batch = self.batch(pairs, rows)
            pieces = float(batch.known.sum())
            total, count = total + pieces * float(self._loss(batch, 0.0)), count + pieces
        return total / count
