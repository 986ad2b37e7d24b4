"""Whatever a speech learner is handed, as recordings or feature matrices; and which of it cannot be used."""

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from recurra.data.audio.features import Matrix
from recurra.data.audio.files import read_recording
from recurra.data.audio.mfc import read_mfc
from recurra.data.audio.recording import Recording, as_recording
from recurra.data.audio.spec import FeatureSpec
from recurra.errors import AudioError

Input = Recording | Matrix


def read_input(item: Any, spec: FeatureSpec, name: str = "input") -> Input:
    """One input as the features need it.

    Args:
        item: a path (audio; .mfc or .npy for given features), a `Recording`, or an array: samples [n] or
            [n, channels] at the model's rate, or for given features [time, columns] or [time].
        spec: the features' settings.
        name: what errors call an array.

    Raises:
        AudioError: it cannot be used; says why.
        MissingExtraError: an audio file without soundfile.
    """
    if isinstance(item, str | PathLike):
        return _read_file(Path(item), spec)
    if isinstance(item, Recording):
        if spec.kind == "given":
            raise AudioError(f"{item.name}: this model reads ready-made features, not audio")
        return item.at_rate(spec.sample_rate_hz)
    array = np.asarray(item)
    if spec.kind != "given":
        return as_recording(array, spec.sample_rate_hz, name)
    return as_matrix(array, name, spec.n_given)


def as_matrix(array: Any, name: str, n_columns: int = 0) -> Matrix:
    """A feature matrix, checked: [time, columns], at least one row, all finite; [time] is one column."""
    matrix = np.asarray(array)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or matrix.dtype.kind not in "iufb" or len(matrix) == 0:
        raise AudioError(f"{name}: a sequence is an array of numbers [time, columns] with at least one row")
    if n_columns and matrix.shape[1] != n_columns:
        raise AudioError(f"{name} has {matrix.shape[1]} columns; this model reads {n_columns}")
    matrix = matrix.astype(np.float32) if matrix.dtype.kind != "f" else matrix
    if not np.isfinite(matrix).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(matrix))[0])
        raise AudioError(f"{name}: row {row}, column {column} is {matrix[row, column]}; fill gaps before")
    return matrix


def _read_file(path: Path, spec: FeatureSpec) -> Input:
    if path.suffix.lower() not in (".mfc", ".npy"):
        if spec.kind == "given":
            raise AudioError(f"{path}: this model reads ready-made features (.mfc, .npy), not audio files")
        return read_recording(path, spec.sample_rate_hz)
    if spec.kind != "given":
        raise AudioError(f"{path} holds ready-made features; this model reads audio")
    if path.suffix.lower() == ".mfc":
        return as_matrix(read_mfc(path), str(path), spec.n_given)
    try:
        return as_matrix(np.load(path, allow_pickle=False), str(path), spec.n_given)
    except (OSError, ValueError, EOFError) as error:
        raise AudioError(f"{path} cannot be read as a NumPy array: {error}") from error


def read_inputs(items: Iterable[Any], spec: FeatureSpec) -> tuple[list[Input | None], dict[int, str]]:
    """Many inputs; one that cannot be used is None, and why is told by its number."""
    read: list[Input | None] = []
    problems: dict[int, str] = {}
    for i, item in enumerate(items):
        try:
            read.append(read_input(item, spec, f"input {i}"))
        except AudioError as error:
            read.append(None)
            problems[i] = str(error)
    return read, problems


def frames_of(item: Input, spec: FeatureSpec) -> int:
    """Frames that an input has."""
    return spec.n_frames(len(item.samples)) if isinstance(item, Recording) else len(item)


def width_of(items: Sequence[Any]) -> int:
    """Columns of ready-made features, from the first input that can be read."""
    first: Exception | None = None
    for i, item in enumerate(items):
        try:
            if isinstance(item, str | PathLike):
                place = Path(item)
                array = read_mfc(place) if place.suffix.lower() == ".mfc" else np.load(place, allow_pickle=False)
                return int(as_matrix(array, str(place)).shape[1])
            return int(as_matrix(item, f"input {i}").shape[1])
        except (AudioError, OSError, ValueError) as error:
            first = first or error
    raise AudioError(f"no input can be read as a sequence [time, columns]; {first or 'there is none'}")
