"""The translation task: what its batches hold, and what its losses are."""

import numpy as np
import pytest
import torch

from recurra.data.text import EncodedPairs, PieceOptions, build_pieces, encode_pairs, read_pairs
from recurra.models.translation import TranslationNetwork, TranslationShape
from recurra.training.translation import TranslationTask

TEXTS = ["a b", "c", "b c a", "a a a a", "c b"]
PIECES = build_pieces(TEXTS, PieceOptions("symbols"))


@pytest.fixture
def pairs() -> EncodedPairs:
    return encode_pairs(read_pairs(TEXTS, [text[::-1] for text in TEXTS]), PIECES, PIECES, 10)


def task(pairs: EncodedPairs, tokens: int = 8, **changes: object) -> TranslationTask:
    torch.manual_seed(0)
    network = TranslationNetwork(TranslationShape(len(PIECES), len(PIECES), True, "gru", 4, 6)).eval()
    return TranslationTask(network, pairs, pairs, tokens=tokens, smoothing=0.1, seed=0, **changes)  # type: ignore[arg-type]


def test_a_batch_holds_what_comes_before_and_what_is_ahead(pairs: EncodedPairs) -> None:
    batch = task(pairs).batch(pairs, np.array([0, 2]))
    b, a, c = (PIECES.encode(letter)[0] for letter in "bac")
    assert batch.source.tolist() == [[a, b, 0], [b, c, a]]
    assert batch.target.tolist() == [[2, b, a, 0], [2, a, c, b]]
    assert batch.ahead.tolist() == [[b, a, 3, 0], [a, c, b, 3]]
    assert batch.known.tolist() == [[True, True, True, False], [True] * 4]


def test_an_epoch_holds_every_pair_once_and_depends_on_seed_and_epoch(pairs: EncodedPairs) -> None:
    made = task(pairs)
    batches = list(made.batches(3))
    assert len(batches) == made.n_batches
    assert sum(len(batch.source) for batch in batches) == len(TEXTS)
    for one, other in zip(batches, made.batches(3), strict=True):
        assert torch.equal(one.source, other.source)


@torch.no_grad()
def test_the_validation_loss_is_the_mean_over_all_pieces(pairs: EncodedPairs) -> None:
    """Expected: each pair by itself, without padding and without smoothing."""
    made = task(pairs)
    total = count = 0.0
    for row in range(len(TEXTS)):
        batch = made.batch(pairs, np.array([row]))
        vectors, _ = made.network(batch.source, batch.lengths, batch.target)
        scores = torch.log_softmax(made.network.logits(vectors[0]), -1)
        total -= float(scores.gather(1, batch.ahead[0][:, None]).sum())
        count += batch.ahead.shape[1]
    assert made.validation_loss() == pytest.approx(total / count, rel=1e-5)
    assert task(pairs, validate=lambda: 65.5).validation_loss() == 65.5
