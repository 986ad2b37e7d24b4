"""The nearest other objects at the same time: where they are and how they move, as seen from an object."""

import numpy as np
import numpy.typing as npt

from recurra.data.tracks.table import TrackTable
from recurra.data.tracks.windows import frame_numbers

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WIDTH = 5
"""Numbers of one neighbour: relative position (2), relative velocity a step (2), and 1 where there is one."""


def nearest_rows(table: TrackTable, count: int, within: float = np.inf) -> Ints:
    """Rows of the nearest other objects of the same scene and time, [rows, count], the nearest first; -1 for none.

    Args:
        table: the tracks.
        count: how many.
        within: objects further away are not seen, in units of length.
    """
    found = np.full((len(table), count), -1, np.int64)
    frame = frame_numbers(table)
    order = np.argsort(frame, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(frame[order])) + 1):
        if len(rows) > 1:
            found[rows] = _nearest(table, rows, count, within)
    return found


def _nearest(table: TrackTable, rows: Ints, count: int, within: float) -> Ints:
    place = table.position[rows]
    way = table.space.offset(place[:, None], np.broadcast_to(place[None], (len(rows), *place.shape)))
    distance = np.hypot(way[..., 0], way[..., 1])
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :count]
    near = np.take_along_axis(distance, order, 1)
    chosen = np.where(near <= within, rows[order], -1)
    chosen[~np.isfinite(near)] = -1
    return np.pad(chosen, ((0, 0), (0, count - chosen.shape[1])), constant_values=-1)


def neighbour_inputs(table: TrackTable, rows: Ints, nearest: Ints, velocity: Floats) -> Floats:
    """What is seen of the neighbours from each row, [..., count, 5]; zeros where there is none.

    Args:
        table: the tracks.
        rows: the rows that look, [...].
        nearest: from `nearest_rows`, [all rows, count].
        velocity: of every row, from its past only, [all rows, 2].
    """
    others = nearest[rows]
    there = others >= 0
    at = np.where(there, others, 0)
    place = table.space.offset(np.broadcast_to(table.position[rows][..., None, :], (*at.shape, 2)), table.position[at])
    moving = velocity[at] - velocity[rows][..., None, :]
    return np.where(there[..., None], np.concatenate([place, moving, there[..., None].astype(np.float64)], -1), 0.0)
