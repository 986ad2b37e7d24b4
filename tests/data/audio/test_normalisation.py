"""Normalisation: by utterance, and by the recent past; the second never looks ahead."""

import numpy as np
import torch

from recurra.data.audio.normalisation import RunningNormaliser, normalise_utterance
from recurra.data.audio.spec import FeatureSpec

SPEC = FeatureSpec(normalisation="running", memory_s=0.5, prior_s=0.2)


def test_an_utterance_gets_mean_0_and_deviation_1(rng: np.random.Generator) -> None:
    x = torch.from_numpy(rng.standard_normal((2, 50, 3)) * 4 + 7)
    found = normalise_utterance(x, torch.tensor([50, 30]))
    np.testing.assert_allclose(found[1, :30].mean(0), 0.0, atol=1e-9)
    np.testing.assert_allclose(found[1, :30].std(0, correction=0), 1.0, atol=1e-3)
    assert bool((found[1, 30:] == 0).all())


def test_the_running_mean_is_the_equation(rng: np.random.Generator) -> None:
    """Expected: the recurrence of the docstring, one frame after the other."""
    x = rng.standard_normal((150, 2)) + 3
    found = RunningNormaliser(SPEC, 1, 2, torch.float64).push(torch.from_numpy(x)[None])[0].numpy()
    a, w = np.exp(-SPEC.hop_s / SPEC.memory_s), SPEC.prior_s / SPEC.hop_s
    s, q = np.zeros(2), np.full(2, w)
    for t in range(len(x)):
        w, s, q = a * w + 1, a * s + x[t], a * q + x[t] ** 2
        wanted = (x[t] - s / w) / np.sqrt(q / w - (s / w) ** 2 + 0.1)
        np.testing.assert_allclose(found[t], wanted, atol=1e-9)


def test_chunks_of_any_size_give_the_same(rng: np.random.Generator) -> None:
    x = torch.from_numpy(rng.standard_normal((1, 150, 2)))
    whole = RunningNormaliser(SPEC, 1, 2, torch.float64).push(x)
    stream = RunningNormaliser(SPEC, 1, 2, torch.float64)
    parts = [stream.push(part) for part in x.split([1, 99, 0, 13, 37], 1)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=0, atol=1e-12)


def test_nothing_is_seen_of_what_comes_later(rng: np.random.Generator) -> None:
    x = torch.from_numpy(rng.standard_normal((1, 150, 2)))
    changed = x.clone()
    changed[:, 90:] += 100
    one, other = (RunningNormaliser(SPEC, 1, 2, torch.float64).push(values) for values in (x, changed))
    torch.testing.assert_close(one[:, :90], other[:, :90], rtol=0, atol=0)
