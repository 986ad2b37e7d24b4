"""Recordings from arrays: channels, whole numbers, bad samples, blemishes."""

import numpy as np
import pytest

from recurra.data.audio.recording import Recording, as_recording
from recurra.errors import AudioError


def test_whole_numbers_are_divided_by_the_largest_of_their_type() -> None:
    """Expected: -32768 is -1, 16384 is a half; 8 unsigned bits are centred at 128."""
    np.testing.assert_array_equal(as_recording(np.array([-32768, 16384], np.int16), 8000).samples, [-1.0, 0.5])
    np.testing.assert_array_equal(as_recording(np.array([0, 128, 192], np.uint8), 8000).samples, [-1.0, 0.0, 0.5])


def test_channels_are_averaged() -> None:
    np.testing.assert_allclose(as_recording(np.array([[0.0, 1.0], [0.5, 0.5]]), 8000).samples, [0.5, 0.5])


def test_nan_is_refused_with_its_place() -> None:
    samples = np.zeros(10)
    samples[7] = np.nan
    with pytest.raises(AudioError, match="sample 7 is nan"):
        as_recording(samples, 8000)


@pytest.mark.parametrize("bad", [np.zeros(0), np.zeros((0, 2))])
def test_no_samples_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(AudioError, match="no samples"):
        as_recording(bad, 8000)


@pytest.mark.parametrize("bad", [np.array(["a"]), np.zeros((2, 2, 2)), np.array(1.0)])
def test_what_is_no_signal_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(AudioError, match="array of numbers"):
        as_recording(bad, 8000)


@pytest.mark.parametrize("rate", [0, -1, 8000.5])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(AudioError, match="sample rate"):
        as_recording(np.zeros(3), rate)  # type: ignore[arg-type]


def test_silence_and_clipping_are_told() -> None:
    assert as_recording(np.zeros(100), 8000).blemishes == ("silent",)
    loud = np.clip(2 * np.sin(np.arange(400) / 7), -1, 1)
    assert as_recording(loud, 8000).blemishes == ("clipped",)
    assert as_recording(np.sin(np.arange(400) / 7) * 0.5, 8000).blemishes == ()
    assert as_recording(np.array([0.2]), 8000).blemishes == ()


def test_seconds_and_another_rate() -> None:
    recording = Recording(np.zeros(8000, np.float32), 8000)
    assert recording.seconds == 1.0
    assert len(recording.at_rate(16000).samples) == 16000
    assert recording.at_rate(8000) is recording


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (np.zeros((2, 16000)), r"16000 channels of 2 samples; hand in \[n, channels\]"),
        (np.array([8000, -8000]), "int64, which has no full scale"),
        (np.array([8000.0, -8000.0]), "divide 16-bit sound by 32768"),
        ([[1.0, 2.0], [1.0]], "no array of numbers"),
    ],
)
def test_arrays_that_mean_something_else_are_refused(bad: object, why: str) -> None:
    with pytest.raises(AudioError, match=why):
        as_recording(bad, 8000)


def test_a_clipped_channel_is_told_after_averaging_and_resampling() -> None:
    loud = np.clip(3 * np.sin(np.arange(4000) / 30), -1, 1)
    stereo = as_recording(np.stack([loud, 0 * loud], 1), 8000)
    assert stereo.blemishes == ("clipped",)
    assert stereo.at_rate(16000).blemishes == ("clipped",)
