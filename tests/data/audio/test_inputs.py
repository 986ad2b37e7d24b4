"""Whatever a learner is handed: paths, recordings, arrays; bad ones are told by number."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recurra.data.audio.inputs import frames_of, items_of, read_input, read_inputs, width_of
from recurra.data.audio.recording import Recording, as_recording
from recurra.data.audio.spec import FeatureSpec
from recurra.errors import AudioError

AUDIO = FeatureSpec(sample_rate_hz=8000)
GIVEN = FeatureSpec(kind="given", n_given=2)


def test_audio_comes_from_paths_recordings_and_arrays(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(800, 0.5), 16000)
    for item in (tmp_path / "a.wav", as_recording(np.zeros(800), 16000), np.zeros(400)):
        found = read_input(item, AUDIO)
        assert isinstance(found, Recording)
        assert (len(found.samples), found.sample_rate_hz) == (400, 8000)
        assert frames_of(found, AUDIO) == AUDIO.n_frames(400)


def test_given_features_come_from_arrays_and_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((5, 2)))
    assert frames_of(read_input(tmp_path / "a.npy", GIVEN), GIVEN) == 5
    assert read_input([1, 2, 3], FeatureSpec(kind="given", n_given=1)).shape == (3, 1)  # type: ignore[union-attr]
    assert width_of([tmp_path / "gone.npy", tmp_path / "a.npy"]) == 2


@pytest.mark.parametrize(
    ("item", "spec", "why"),
    [
        (np.zeros((0, 2)), GIVEN, "at least one row"),
        (np.zeros((3, 5)), GIVEN, "5 columns; this model reads 2"),
        (np.array([[0.0, 1.0], [np.nan, 0.0]]), GIVEN, "row 1, column 0 is nan"),
        (as_recording(np.zeros(5), 8000), GIVEN, "not audio"),
        ("a.wav", GIVEN, "not audio files"),
        ("a.mfc", AUDIO, "this model reads audio"),
        (np.zeros(0), AUDIO, "no samples"),
    ],
)
def test_bad_inputs_are_refused(item: object, spec: FeatureSpec, why: str) -> None:
    with pytest.raises(AudioError, match=why):
        read_input(item, spec)


def test_one_bad_input_among_many_is_told_by_its_number() -> None:
    read, problems = read_inputs([np.zeros(9), np.full(9, np.inf), np.zeros(7)], AUDIO)
    assert [item is None for item in read] == [False, True, False]
    assert list(problems) == [1]
    assert "input 1" in problems[1]


def test_nothing_readable_has_no_width() -> None:
    with pytest.raises(AudioError, match="no input can be read"):
        width_of(["gone.npy"])


@pytest.mark.parametrize(
    ("name", "content", "spec", "why"),
    [
        ("a.raw", bytes(4000), AUDIO, "cannot be read as audio"),
        ("a.npy", b"", GIVEN, "empty"),
        ("a.npy", b"PK\x03\x04 no archive", GIVEN, "cannot be read as a NumPy array"),
        ("a.mfc", bytes(2), GIVEN, "no frames"),
    ],
)
def test_no_bad_file_ends_a_run(name: str, content: bytes, spec: FeatureSpec, why: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    read, problems = read_inputs([tmp_path / name, "x" * 300 + name, "a\0" + name], spec)
    assert read == [None] * 3
    assert why in problems[0]


def test_rows_of_different_lengths_are_told() -> None:
    _, problems = read_inputs([[[1.0, 2.0], [1.0]]], GIVEN)
    assert "input 0 is no array of numbers" in problems[0]


@pytest.mark.parametrize(
    "single", ["new.wav", Path("new.wav"), np.zeros(8), [0.5, 0.1], as_recording(np.zeros(8), 8000), {"path": ["a"]}]
)
def test_one_input_is_no_list_of_them(single: object) -> None:
    with pytest.raises(AudioError, match="X should be a list of inputs"):
        items_of(single)
    assert items_of(x for x in ("a", "b")) == ["a", "b"]


def test_the_width_is_that_of_most_inputs(tmp_path: Path) -> None:
    (tmp_path / "empty.npy").touch()
    assert width_of([tmp_path / "empty.npy", np.zeros((4, 5)), *[np.zeros((4, 3))] * 3]) == 3
    with pytest.raises(AudioError, match=r"different numbers of columns \(1 of 5, 1 of 3\)"):
        width_of([np.zeros((4, 5)), np.zeros((4, 3))])


def test_a_sphinx_file_has_the_models_columns(tmp_path: Path) -> None:
    """Expected: 2 frames of 39 numbers, where 13 is only the default."""
    frames = np.arange(78, dtype=">f4").reshape(2, 39)
    (tmp_path / "a.mfc").write_bytes(np.array([78], ">i4").tobytes() + frames.tobytes())
    assert width_of([tmp_path / "a.mfc"], 39) == 39
    read = read_input(tmp_path / "a.mfc", FeatureSpec(kind="given", n_given=39))
    np.testing.assert_array_equal(np.asarray(read), frames)
