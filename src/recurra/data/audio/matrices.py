"""Feature matrices that are made already: arrays, NumPy files and Sphinx files, checked."""

import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.audio.features import Matrix
from recurra.data.audio.files import existing_file
from recurra.data.audio.mfc import read_mfc
from recurra.data.audio.recording import to_array
from recurra.errors import AudioError


def read_matrix(path: str | PathLike[str], n_coefficients: int) -> npt.NDArray[Any]:
    """The array in a file, as it stands there.

    Args:
        path: .mfc, or else a NumPy file.
        n_coefficients: columns of an .mfc file, which does not tell.

    Raises:
        AudioError: it cannot be read.
    """
    if Path(path).suffix.lower() == ".mfc":
        return read_mfc(path, n_coefficients)
    place = existing_file(path)
    try:
        with place.open("rb") as file:
            return np.asarray(np.load(file, allow_pickle=False))
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise AudioError(f"{place} cannot be read as a NumPy array: {error}") from error


def as_matrix(array: Any, name: str, n_columns: int = 0) -> Matrix:
    """A feature matrix, checked: [time, columns], at least one row, all finite; [time] is one column.

    Args:
        array: what was handed in.
        name: what errors call it.
        n_columns: columns that it must have; any number if 0.

    Raises:
        AudioError: it is none, or has other columns.
    """
    matrix = to_array(array, name)
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
