"""Batches of features: plain ones are the extractor's, changed ones depend on the generator alone."""

import numpy as np
import pytest
import torch

from recurra.data.audio.augmentation import parse_augmentation
from recurra.data.audio.features import FeatureExtractor
from recurra.data.audio.recording import as_recording
from recurra.data.audio.source import FeatureSource
from recurra.data.audio.spec import FeatureSpec


@pytest.mark.parametrize("kind", ["mfcc", "given"])
def test_plain_and_changed_batches(kind: str, rng: np.random.Generator) -> None:
    if kind == "given":
        spec = FeatureSpec(kind="given", n_given=4)
        items = [rng.standard_normal((n, 4)) for n in (30, 11)]
    else:
        spec = FeatureSpec(kind="mfcc", sample_rate_hz=8000)
        items = [as_recording(rng.standard_normal(n) * 0.1, 16000) for n in (5000, 300)]  # type: ignore[misc]
    extractor = FeatureExtractor(spec).fit(items)
    source = FeatureSource(items, extractor, parse_augmentation(["strong"]))
    chosen = np.array([1, 0])
    x, _ = source.plain(chosen)
    wanted, _ = extractor([items[1], items[0]], torch.float32)
    torch.testing.assert_close(x, wanted)
    assert len(source) == 2
    assert source.sizes[0] > source.sizes[1]
    first, n = source.changed(chosen, torch.Generator().manual_seed(1))
    again, _ = source.changed(chosen, torch.Generator().manual_seed(1))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert first.shape[1] == int(n.max())
    assert bool(first.isfinite().all())
    assert first.shape != x.shape or not torch.equal(first, x)
