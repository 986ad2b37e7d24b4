"""What a search asks of networks: scores of the next piece, one step at the cost of one step."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from recurra.errors import ConfigError
from recurra.models.translation import DecoderState, EncodedSource, TranslationNetwork


class ScorerState(NamedTuple):
    """Encoded sources, and the states of hypotheses, of each network."""

    sources: tuple[EncodedSource, ...]
    states: tuple[DecoderState, ...]


class Scorer(Protocol):
    """Scores the next piece of many hypotheses at once; those of one source stand side by side."""

    def begin(self, source: Tensor, lengths: Tensor) -> ScorerState:
        """Read the sources [rows, longest]; one hypothesis each."""

    def step(self, previous: Tensor, state: ScorerState) -> tuple[Tensor, Tensor, ScorerState]:
        """Log probabilities [rows, vocabulary] and attention [rows, source] after the pieces `previous` [rows]."""

    def select(self, state: ScorerState, rows: Tensor) -> ScorerState:
        """The states of these hypotheses."""

    def keep(self, state: ScorerState, sources: Tensor) -> ScorerState:
        """Only these sources; their hypotheses are selected apart."""


class NetworkScorer:
    """One network, or several whose probabilities are averaged.

    Args:
        networks: with one vocabulary.

    Raises:
        ConfigError: there is none, or their vocabularies differ in size.
    """

    def __init__(self, networks: Sequence[TranslationNetwork]) -> None:
        sizes = {(network.shape.source_size, network.shape.target_size) for network in networks}
        if len(sizes) != 1:
            raise ConfigError(f"an ensemble needs networks of one vocabulary, got sizes {sorted(sizes)}")
        self.networks = tuple(networks)

    def begin(self, source: Tensor, lengths: Tensor) -> ScorerState:
        """Read the sources once with each network."""
        sources = tuple(network.encode(source, lengths) for network in self.networks)
        pairs = zip(self.networks, sources, strict=True)
        return ScorerState(sources, tuple(network.decoder.first_state(encoded) for network, encoded in pairs))

    def step(self, previous: Tensor, state: ScorerState) -> tuple[Tensor, Tensor, ScorerState]:
        """One piece further: mean probabilities, as logarithms, and mean attention."""
        found = [
            network.step(previous, each, encoded)
            for network, each, encoded in zip(self.networks, state.states, state.sources, strict=True)
        ]
        scores = [torch.log_softmax(logits, -1) for logits, _, _ in found]
        after = ScorerState(state.sources, tuple(each for _, _, each in found))
        if len(found) == 1:
            return scores[0], found[0][1], after
        mean = torch.logsumexp(torch.stack(scores), 0) - math.log(len(scores))
        return mean, torch.stack([weights for _, weights, _ in found]).mean(0), after

    def select(self, state: ScorerState, rows: Tensor) -> ScorerState:
        """The states of these hypotheses."""
        return ScorerState(state.sources, tuple(each.select(rows) for each in state.states))

    def keep(self, state: ScorerState, sources: Tensor) -> ScorerState:
        """Only these sources."""
        return ScorerState(tuple(_kept(encoded, sources) for encoded in state.sources), state.states)


def _kept(encoded: EncodedSource, sources: Tensor) -> EncodedSource:
    keys = encoded.keys
    mask = None if keys.mask is None else keys.mask.index_select(0, sources)
    values = keys.values.index_select(0, sources)
    same = keys.keys is keys.values
    kept = keys._replace(keys=values if same else keys.keys.index_select(0, sources), values=values, mask=mask)
    return EncodedSource(kept, tuple(part.index_select(1, sources) for part in encoded.state))
