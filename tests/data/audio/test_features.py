"""Features of batches: a row does not know its neighbours, and fitting finds mean and deviation."""

import numpy as np
import pytest
import torch

from recurra.data.audio.features import FeatureExtractor
from recurra.data.audio.recording import as_recording
from recurra.data.audio.spec import FeatureSpec
from recurra.errors import AudioError, ShapeError


@pytest.mark.parametrize("normalisation", ["utterance", "running", "fixed", "none"])
@pytest.mark.parametrize("kind", ["log-mel", "mfcc"])
def test_a_row_does_not_know_its_neighbours(kind: str, normalisation: str, rng: np.random.Generator) -> None:
    spec = FeatureSpec(kind=kind, sample_rate_hz=8000, deltas=1, normalisation=normalisation)  # type: ignore[arg-type]
    recordings = [as_recording(rng.standard_normal(n) * 0.1, 8000) for n in (3000, 150, 1200)]
    extractor = FeatureExtractor(spec).fit(recordings)
    together, lengths = extractor(recordings)
    for row, n, recording in zip(together, lengths.tolist(), recordings, strict=True):
        alone, count = extractor([recording])
        assert n == int(count[0]) == spec.n_frames(len(recording.samples))
        torch.testing.assert_close(row[:n], alone[0], rtol=0, atol=1e-10)
        assert bool((row[n:] == 0).all())


def test_fit_finds_mean_and_deviation_of_all_frames(rng: np.random.Generator) -> None:
    given = [rng.standard_normal((n, 2)) * [2.0, 5.0] + [1.0, -3.0] for n in (400, 700)]
    extractor = FeatureExtractor(FeatureSpec(kind="given", n_given=2)).fit(given)
    frames = np.concatenate(given)
    np.testing.assert_allclose(extractor.shift, frames.mean(0), atol=1e-9)
    np.testing.assert_allclose(extractor.scale, frames.std(0), atol=1e-9)


def test_a_constant_feature_is_not_divided_by_nothing() -> None:
    extractor = FeatureExtractor(FeatureSpec(kind="given", n_given=1, normalisation="fixed")).fit([np.ones((5, 1))])
    x, _ = extractor([np.ones((5, 1))])
    assert bool((x == 0).all())


def test_recordings_are_brought_to_the_rate(rng: np.random.Generator) -> None:
    extractor = FeatureExtractor(FeatureSpec(sample_rate_hz=8000))
    _, lengths = extractor([as_recording(rng.standard_normal(16000), 16000)])
    assert int(lengths[0]) == extractor.spec.n_frames(8000)


def test_wrong_inputs_are_refused(rng: np.random.Generator) -> None:
    given = FeatureExtractor(FeatureSpec(kind="given", n_given=2))
    with pytest.raises(ShapeError, match=r"\[frames, 2\]"):
        given([np.zeros((4, 3))])
    with pytest.raises(AudioError, match="ready-made"):
        given([as_recording(np.zeros(100), 16000)])


def test_a_saved_extractor_is_the_same(rng: np.random.Generator) -> None:
    extractor = FeatureExtractor(FeatureSpec(kind="given", n_given=2, normalisation="fixed")).fit([rng.random((9, 2))])
    again = FeatureExtractor.from_saved(extractor.to_config(), extractor.shift, extractor.scale)
    x = [rng.random((4, 2))]
    torch.testing.assert_close(again(x)[0], extractor(x)[0], rtol=0, atol=0)
