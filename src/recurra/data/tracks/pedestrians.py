"""The text files of the ETH and UCY pedestrian recordings: frame, id, x, y in metres, ten frames in 0.4 seconds."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from recurra.data.tracks.columns import TrackColumns
from recurra.data.tracks.table import TrackTable
from recurra.errors import TableError

FRAME_S = 0.04
STEP_S = 0.4


def read_pedestrians(paths: Sequence[str | PathLike[str]], frame_s: float = FRAME_S) -> TrackTable:
    """Read recordings of pedestrians.

    Args:
        paths: text files without a header, four numbers a line, split by tabs or blanks; each is a scene of its own,
            and its people are named "file/id".
        frame_s: seconds from one frame number to the next.

    Returns:
        The tracks, by the columns object, time, x, y and scene.

    Raises:
        TableError: for a file that is missing or a line that is not four numbers; names file and line.
        TimeStampError: for a person seen twice in one frame.
    """
    if not paths:
        raise TableError("there is no recording to read; give at least one file")
    columns: dict[str, list[object]] = {"object": [], "time": [], "x": [], "y": [], "scene": []}
    for path in map(Path, paths):
        for frame, person, x, y in _read(path):
            name = int(person) if person.is_integer() else person
            values = (f"{path.stem}/{name}", frame, x, y, path.stem)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    named = TrackColumns(scene="scene", seconds_per_unit=frame_s)
    return TrackTable.from_table(columns, columns=named)


def _read(path: Path) -> list[tuple[float, ...]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path} cannot be read: {error}; check the path") from error
    rows: list[tuple[float, ...]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: tuple[float, ...] = tuple(map(float, line.split()))
        except ValueError:
            row = ()
        if len(row) != 4 or not np.isfinite(row).all():
            raise TableError(
                f"{path}, line {number}: {line.strip()[:60]!r} is not frame, id, x and y; correct the line"
            )
        rows.append(row)
    if not rows:
        raise TableError(f"{path} is empty; it needs lines of frame, id, x and y")
    return rows
