"""Learning from sequences: batches by seed and epoch, losses as torch has them, the last weights kept if asked."""

import numpy as np
import pytest
import torch
from torch import nn

from recurra.data.audio import Augmentation, FeatureExtractor, FeatureSource, FeatureSpec
from recurra.models.acoustic import AcousticShape, ClassifierNetwork, CtcNetwork
from recurra.training import Trainer, TrainingOptions
from recurra.training.sequences import ClassTask, CtcTask, SequencePlan, batch_order

SHAPE = AcousticShape(2, 3, "gru", 4, 1, False, 4, (), dropout=0.0)


def source(rng: np.random.Generator, n: int = 10) -> FeatureSource:
    items = [rng.standard_normal((int(rng.integers(4, 9)), 2)) for _ in range(n)]
    spec = FeatureSpec(kind="given", n_given=2, normalisation="none")
    return FeatureSource(items, FeatureExtractor(spec), Augmentation(time_masks=1, time_width=0.3))


def test_every_sequence_is_drawn_once_among_others_of_its_length(rng: np.random.Generator) -> None:
    sizes = rng.integers(1, 100, 50)
    batches = batch_order(sizes, 8, np.random.default_rng(0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(50))
    spread = np.mean([np.ptp(sizes[batch]) for batch in batches])
    assert spread < np.ptp(sizes) / 3


def test_batches_depend_on_seed_and_epoch_only(rng: np.random.Generator) -> None:
    task = ClassTask(ClassifierNetwork(SHAPE), source(rng), np.zeros(10, np.int64), None, SequencePlan(4, 7))
    first, again, other = (list(task.batches(epoch)) for epoch in (1, 1, 2))
    assert task.n_batches == len(first) == 3
    for a, b in zip(first, again, strict=True):
        assert (a.chosen == b.chosen).all()
        torch.testing.assert_close(a.x, b.x, rtol=0, atol=0)
    assert any((a.chosen.tolist() != b.chosen.tolist()) for a, b in zip(first, other, strict=True))


def test_validation_of_classes_is_the_mean_over_all_of_it(rng: np.random.Generator) -> None:
    """Expected: torch's cross entropy of each sequence alone."""
    network, held, classes = ClassifierNetwork(SHAPE), source(rng), rng.integers(0, 3, 10)
    task = ClassTask(network, held, classes, (held, classes), SequencePlan())
    wanted = []
    for i in range(10):
        x, n = held.plain(np.array([i]))
        wanted.append(float(nn.functional.cross_entropy(network(x, n), torch.tensor([classes[i]])).detach()))
    with torch.no_grad():
        assert task.validation_loss() == pytest.approx(np.mean(wanted), abs=1e-5)


def test_a_text_without_an_alignment_adds_nothing_and_stays_finite(rng: np.random.Generator) -> None:
    """Expected: torch's own ctc_loss with zero_infinity, over the row's own steps."""
    network, given = CtcNetwork(SHAPE), source(rng, 2)
    texts = [[1, 2], [1] * 40]
    task = CtcTask(network, given, texts, (given, texts), SequencePlan(2))
    (batch,) = task.batches(1)
    loss = task.loss(batch)
    loss.backward()
    assert all(bool(p.grad.isfinite().all()) for p in network.parameters() if p.grad is not None)
    scores, n = network(batch.x, batch.lengths)
    at = batch.chosen.tolist().index(0)
    alone = nn.functional.ctc_loss(scores[at, : n[at], None], torch.tensor([[1, 2]]), n[at : at + 1], torch.tensor([2]))
    assert float(loss.detach()) == pytest.approx(float(alone.detach()) / 2, rel=1e-5)
    with torch.no_grad():
        assert np.isfinite(task.validation_loss())


def test_the_last_weights_are_kept_where_that_is_asked_for(rng: np.random.Generator) -> None:
    """Expected: with no validation part every loss is 0, so the best epoch would be the first."""
    kept = {}
    for keep in ("best", "last"):
        torch.manual_seed(0)
        network = ClassifierNetwork(SHAPE)
        task = ClassTask(network, source(np.random.default_rng(1)), np.arange(10) % 3, None, SequencePlan(4))
        history = Trainer(network, task, TrainingOptions(max_epochs=3, keep=keep)).run()  # type: ignore[arg-type]
        kept[keep] = history.best_epoch
    assert kept == {"best": 1, "last": 3}
