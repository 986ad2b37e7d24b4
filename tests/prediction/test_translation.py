"""The predictor of translations: alignments by hand, and vocabularies that must match."""

import numpy as np
import pytest
import torch

from recurra.data.text import PieceOptions, build_pieces
from recurra.errors import ConfigError
from recurra.models.translation import TranslationNetwork, TranslationShape
from recurra.prediction import TranslationPredictor
from recurra.prediction.translation import Wording, align_words


def test_the_word_behind_each_word_is_the_one_that_its_pieces_looked_at_most() -> None:
    # by hand: answer word 0 has pieces 0 and 1, which give source word 1 0.3 + 0.8 and source word 0 0.7 + 0.2
    attention = np.array([[0.4, 0.3, 0.3], [0.1, 0.1, 0.8], [0.9, 0.0, 0.1]])
    assert align_words(attention, [0, 0, 1], [0, 0, 1]) == ((1, 0), (0, 1))
    assert align_words(np.zeros((0, 2)), [0, 1], []) == ()
    # the pieces between words, at 1, count for nothing
    assert align_words(np.array([[0.2, 0.7, 0.1], [0.0, 0.0, 1.0], [0.1, 0.6, 0.3]]), [0, -1, 1], [0, -1, 1]) == (
        (0, 0),
        (1, 1),
    )


def test_a_vocabulary_that_does_not_match_the_network_is_refused() -> None:
    pieces = build_pieces(["a b c"], PieceOptions("symbols"))
    with torch.random.fork_rng(devices=[]):
        network = TranslationNetwork(TranslationShape(len(pieces), 9, embedding_size=4, hidden_size=4))
    with pytest.raises(ConfigError, match="have 7 and 7 pieces, but the network was made for 7 and 9"):
        TranslationPredictor([network], Wording(pieces, pieces), True)
