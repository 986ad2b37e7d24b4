"""Settings of features: what is refused, sizes, and plain values."""

import pytest

from recurra.data.audio.spec import FeatureSpec
from recurra.errors import ConfigError, StreamingUnsupported


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kind": "plp"}, "kind='plp'"),
        ({"normalisation": "batch"}, "normalisation='batch'"),
        ({"deltas": 3}, "deltas"),
        ({"hop_s": 0.0}, "hop_s"),
        ({"kind": "mfcc", "n_mfcc": 50}, "n_mfcc"),
        ({"kind": "given"}, "n_given"),
        ({"low_hz": 9000.0}, "low_hz"),
        ({"high_hz": 9000.0}, "high_hz"),
    ],
)
def test_wrong_settings_are_refused_by_name(wrong: dict, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        FeatureSpec(**wrong)


def test_sizes() -> None:
    """Expected: 25 ms at 16 kHz are 400 samples, in an FFT of 512; 10 ms are 160."""
    spec = FeatureSpec(kind="mfcc", deltas=2)
    assert (spec.window_samples, spec.fft_samples, spec.hop_samples, spec.n_features) == (400, 512, 160, 39)
    assert [spec.n_frames(n) for n in (0, 1, 512, 671, 672)] == [0, 1, 1, 1, 2]


def test_plain_values_make_the_same_settings() -> None:
    spec = FeatureSpec(kind="given", n_given=5, normalisation="running")
    assert FeatureSpec(**spec.to_config()) == spec


def test_normalisation_per_utterance_cannot_stream() -> None:
    with pytest.raises(StreamingUnsupported, match="per utterance"):
        FeatureSpec().require_streaming()
    FeatureSpec(normalisation="fixed").require_streaming()


def test_the_distance_of_frames_is_a_whole_number_of_samples() -> None:
    """Expected by hand: 10 ms at 22,050 Hz are 220.5 samples, of which 220 are taken."""
    assert FeatureSpec(sample_rate_hz=22_050).frame_s == 220 / 22_050
    assert FeatureSpec(kind="given", n_given=2, sample_rate_hz=22_050).frame_s == 0.010
