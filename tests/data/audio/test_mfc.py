"""Sphinx feature files: both byte orders, and files that are none."""

from pathlib import Path

import numpy as np
import pytest

from recurra.data.audio.mfc import read_mfc
from recurra.errors import AudioError


@pytest.mark.parametrize("order", [">", "<"])
def test_frames_come_back(order: str, tmp_path: Path) -> None:
    """Expected: the layout of the manifest: a count of numbers, then the numbers."""
    frames = np.arange(26, dtype=f"{order}f4").reshape(2, 13)
    (tmp_path / "a.mfc").write_bytes(np.array([26], f"{order}i4").tobytes() + frames.tobytes())
    np.testing.assert_array_equal(read_mfc(tmp_path / "a.mfc"), np.arange(26).reshape(2, 13))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (bytes(4), "no frames"),
        (np.array([26], ">i4").tobytes() + np.zeros(20, ">f4").tobytes(), "truncated"),
        (np.array([20], ">i4").tobytes() + np.zeros(20, ">f4").tobytes(), "no whole frames"),
        (np.array([13], ">i4").tobytes() + np.full(13, np.nan, ">f4").tobytes(), "not finite"),
    ],
)
def test_other_files_are_refused(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.mfc").write_bytes(content)
    with pytest.raises(AudioError, match=why):
        read_mfc(tmp_path / "a.mfc")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no such file"):
        read_mfc(tmp_path / "a.mfc")
