"""An ensemble averages probabilities; networks of other vocabularies are refused."""

import pytest
import torch
from torch import Tensor

from recurra.decoding import DecodingOptions, NetworkScorer, beam_search
from recurra.errors import ConfigError
from recurra.models.translation import TranslationNetwork, TranslationShape


def test_an_ensemble_averages_probabilities(network: TranslationNetwork, sources: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(9)
    other = TranslationNetwork(TranslationShape(20, 20, True, "lstm", 8, 10)).eval()
    previous = torch.full((6,), 2)
    scorers = [NetworkScorer(networks) for networks in ([network], [other], [network, other])]
    first, second, both = (scorer.step(previous, scorer.begin(*sources))[0].exp() for scorer in scorers)
    torch.testing.assert_close(both, (first + second) / 2)
    assert len(beam_search(scorers[2], *sources, DecodingOptions(beam=2))) == 6


def test_one_network_twice_is_that_network(network: TranslationNetwork, sources: tuple[Tensor, Tensor]) -> None:
    one, two = (beam_search(NetworkScorer([network] * n), *sources, DecodingOptions()) for n in (1, 2))
    assert [found[0].pieces for found in one] == [found[0].pieces for found in two]


def test_other_vocabularies_are_refused(network: TranslationNetwork) -> None:
    other = TranslationNetwork(TranslationShape(21, 21, True, "gru", 4, 4))
    with pytest.raises(ConfigError, match="networks of one vocabulary"):
        NetworkScorer([network, other])
    with pytest.raises(ConfigError):
        NetworkScorer([])
