"""Streamed features equal offline ones, whatever the chunks, and never change once they are out."""

import numpy as np
import pytest
import torch

from recurra.data.audio.feature_stream import FeatureStream
from recurra.data.audio.features import FeatureExtractor
from recurra.data.audio.recording import as_recording
from recurra.data.audio.spec import FeatureSpec
from recurra.errors import StreamingUnsupported


@pytest.mark.parametrize("normalisation", ["running", "fixed", "none"])
@pytest.mark.parametrize("deltas", [0, 2])
@pytest.mark.parametrize("size", [1, 80, 160, 777, 5000])
def test_chunks_of_any_size_give_offline_features(
    normalisation: str, deltas: int, size: int, rng: np.random.Generator
) -> None:
    spec = FeatureSpec(kind="mfcc", sample_rate_hz=8000, deltas=deltas, normalisation=normalisation)  # type: ignore[arg-type]
    n = 700 if size == 1 else 4321
    recording = as_recording(rng.standard_normal(n) * 0.1, 8000)
    extractor = FeatureExtractor(spec).fit([recording])
    stream = FeatureStream(extractor)
    parts = [stream.push(recording.samples[i : i + size]) for i in range(0, n, size)]
    found = torch.cat([*parts, stream.finish()])
    torch.testing.assert_close(found, extractor([recording])[0][0], rtol=0, atol=1e-9)


def test_a_signal_shorter_than_a_frame_is_one_frame(rng: np.random.Generator) -> None:
    extractor = FeatureExtractor(FeatureSpec(sample_rate_hz=8000, normalisation="none", deltas=1))
    recording = as_recording(rng.standard_normal(50), 8000)
    stream = FeatureStream(extractor)
    found = torch.cat([stream.push(recording.samples), stream.finish()])
    torch.testing.assert_close(found, extractor([recording])[0][0], rtol=0, atol=1e-12)


def test_given_frames_stream_too(rng: np.random.Generator) -> None:
    extractor = FeatureExtractor(FeatureSpec(kind="given", n_given=3, normalisation="running", deltas=1))
    x = rng.standard_normal((40, 3)).astype(np.float32)
    stream = FeatureStream(extractor)
    found = torch.cat([*[stream.push(x[i : i + 7]) for i in range(0, 40, 7)], stream.push(x[:0]), stream.finish()])
    torch.testing.assert_close(found, extractor([x])[0][0], rtol=0, atol=1e-9)


def test_it_holds_less_than_a_few_frames(rng: np.random.Generator) -> None:
    stream = FeatureStream(FeatureExtractor(FeatureSpec(sample_rate_hz=8000, normalisation="running", deltas=2)))
    for _ in range(300):
        stream.push(rng.standard_normal(160))
    assert len(stream._tail) < stream.spec.fft_samples
    stream.reset()
    assert len(stream._tail) == 0


def test_normalisation_per_utterance_is_refused() -> None:
    with pytest.raises(StreamingUnsupported, match="per utterance"):
        FeatureStream(FeatureExtractor(FeatureSpec()))
