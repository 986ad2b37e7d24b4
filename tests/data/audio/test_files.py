"""Recordings from files, and every way in which a file can be bad."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recurra.data.audio.files import read_recording
from recurra.errors import AudioError

RATE = 8000


@pytest.fixture
def signal(rng: np.random.Generator) -> np.ndarray:
    return (0.3 * rng.standard_normal(4000)).clip(-0.9, 0.9).astype(np.float32)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_samples_come_back(kind: str, tmp_path: Path, signal: np.ndarray) -> None:
    """Expected: what soundfile wrote, to the step of 16 bits."""
    soundfile.write(tmp_path / f"a.{kind}", signal, RATE)
    recording = read_recording(tmp_path / f"a.{kind}")
    assert recording.sample_rate_hz == RATE
    np.testing.assert_allclose(recording.samples, signal, atol=2.0**-14)


def test_channels_are_averaged_and_rates_brought_together(tmp_path: Path, signal: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([signal, -signal], 1), RATE)
    recording = read_recording(tmp_path / "a.wav", 16000)
    assert recording.sample_rate_hz == 16000
    assert len(recording.samples) == 8000
    np.testing.assert_allclose(recording.samples, 0.0, atol=1e-4)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no such file"):
        read_recording(tmp_path / "a.wav")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(AudioError, match="empty"):
        read_recording(tmp_path / "a.wav")


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.float32), RATE)
    with pytest.raises(AudioError, match="no samples"):
        read_recording(tmp_path / "a.wav")


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("these are words, and not a sound at all\n" * 10)
    with pytest.raises(AudioError, match="cannot be read as audio"):
        read_recording(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_truncated_file_is_refused(kind: str, tmp_path: Path, signal: np.ndarray) -> None:
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, signal, RATE)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(AudioError, match=r"truncated|cannot be read"):
        read_recording(path)


def test_nan_in_a_file_is_refused(tmp_path: Path, signal: np.ndarray) -> None:
    signal[11] = np.nan
    soundfile.write(tmp_path / "a.wav", signal, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="sample 11 is nan"):
        read_recording(tmp_path / "a.wav")
