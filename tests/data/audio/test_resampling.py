"""Resampling: sines keep their frequency and height, what lies above the new band goes."""

import numpy as np
import pytest

from recurra.data.audio.resampling import resample
from recurra.errors import AudioError


def sine(hz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize(("rate", "new"), [(8000, 16000), (16000, 8000), (44100, 16000), (11025, 8000), (48000, 16000)])
def test_a_sine_is_the_sine_sampled_at_the_other_rate(rate: int, new: int) -> None:
    """Expected: the sine computed at the new rate; away from the ends, where the signal is cut off."""
    found, wanted = resample(sine(440.0, rate), rate, new), sine(440.0, new)
    assert len(found) == -(-int(0.5 * rate) * new // rate)
    edge = new // 20
    np.testing.assert_allclose(found[edge:-edge], wanted[edge : len(found) - edge], atol=2e-3)


def test_what_lies_above_the_new_band_is_gone() -> None:
    """Expected: 6 kHz cannot be said at 8 kHz, so next to nothing is left; without a filter its alias would be."""
    found = resample(sine(6000.0, 16000), 16000, 8000)
    assert np.abs(found[200:-200]).max() < 5e-3


def test_the_same_rate_gives_the_same_samples() -> None:
    x = sine(300.0, 8000)
    np.testing.assert_array_equal(resample(x, 8000, 8000), x)


def test_one_sample_and_long_signals_work() -> None:
    assert len(resample(np.ones(1, np.float32), 8000, 16000)) == 2
    assert len(resample(np.zeros(200_000, np.float32), 44100, 16000)) == -(-200_000 * 16000 // 44100)


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(AudioError, match="above 0"):
        resample(np.ones(3, np.float32), 0, 8000)
