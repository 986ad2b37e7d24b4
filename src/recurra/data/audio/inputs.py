"""Whatever a speech learner is handed, as recordings or feature matrices; and which of it cannot be used."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Number
from os import PathLike
from pathlib import Path
from typing import Any

from recurra.data.audio.features import Matrix
from recurra.data.audio.files import read_recording
from recurra.data.audio.matrices import as_matrix, read_matrix
from recurra.data.audio.recording import Recording, as_recording, to_array
from recurra.data.audio.spec import FeatureSpec
from recurra.errors import AudioError

Input = Recording | Matrix


def items_of(inputs: Any) -> list[Any]:
    """A list of inputs, one by one; a single input in its place would be taken apart, so it is refused.

    Args:
        inputs: paths, recordings, arrays; any iterable of them.

    Raises:
        AudioError: it is one path, one recording, one signal, or a table.
    """
    single = isinstance(inputs, str | PathLike | Recording)
    if single or isinstance(inputs, Mapping) or hasattr(inputs, "columns"):
        kind = f"one {type(inputs).__name__}" if single else "a table"
        raise AudioError(f"X should be a list of inputs, not {kind}; for one recording give [x]")
    items = list(inputs)
    if items and (isinstance(items[0], Number) or getattr(items[0], "ndim", None) == 0):
        raise AudioError("X should be a list of inputs, not numbers; for one signal give [x]")
    return items


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
    array = to_array(item, name)
    if spec.kind != "given":
        return as_recording(array, spec.sample_rate_hz, name)
    return as_matrix(array, name, spec.n_given)


def _read_file(path: Path, spec: FeatureSpec) -> Input:
    if path.suffix.lower() not in (".mfc", ".npy"):
        if spec.kind == "given":
            raise AudioError(f"{path}: this model reads ready-made features (.mfc, .npy), not audio files")
        return read_recording(path, spec.sample_rate_hz)
    if spec.kind != "given":
        raise AudioError(f"{path} holds ready-made features; this model reads audio")
    return as_matrix(read_matrix(path, spec.n_given), str(path), spec.n_given)


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


def width_of(items: Sequence[Any], n_coefficients: int = 13) -> int:
    """Columns of ready-made features: those that most inputs have; the others are then told as bad.

    Args:
        items: paths of .mfc and .npy files, or arrays.
        n_coefficients: columns of .mfc files, which do not tell.

    Raises:
        AudioError: nothing can be read, or no number of columns is that of more than half of what can.
    """
    widths, problems = Counter[int](), []
    for i, item in enumerate(items):
        try:
            widths[_width(item, n_coefficients, f"input {i}")] += 1
        except AudioError as error:
            problems.append(error)
    if not widths:
        first = problems[0] if problems else "there is none"
        raise AudioError(f"no input can be read as a sequence [time, columns]; {first}")
    [(width, count)] = widths.most_common(1)
    if 2 * count <= widths.total():
        listed = ", ".join(f"{n} of {w}" for w, n in widths.most_common(5))
        raise AudioError(f"the inputs have different numbers of columns ({listed}); hand in those of one kind")
    return width


def _width(item: Any, n_coefficients: int, name: str) -> int:
    if isinstance(item, str | PathLike):
        return int(as_matrix(read_matrix(item, n_coefficients), str(item)).shape[1])
    return int(as_matrix(item, name).shape[1])
