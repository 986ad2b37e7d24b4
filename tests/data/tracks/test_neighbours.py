"""Who is seen: the nearest at the same time, of the same scene, within reach."""

import numpy as np

from recurra.data.tracks import TrackColumns, TrackTable, nearest_rows, neighbour_inputs


def test_the_nearest_come_first_and_nobody_is_minus_one() -> None:
    """By hand: at time 0 a stands at 0, b at 1, c at 3; at time 1 a is alone."""
    table = TrackTable.from_table(
        {"object": ["a", "a", "b", "c"], "time": [0, 1, 0, 0], "x": [0, 0, 1, 3], "y": [0, 0, 0, 0]}
    )
    assert nearest_rows(table, 3).tolist() == [[2, 3, -1], [-1, -1, -1], [0, 3, -1], [2, 0, -1]]
    assert nearest_rows(table, 2, within=1.5).tolist() == [[2, -1], [-1, -1], [0, -1], [-1, -1]]


def test_objects_of_another_scene_are_not_seen() -> None:
    table = {"object": ["a", "b"], "time": [0, 0], "x": [0, 1], "y": [0, 0], "scene": ["s", "t"]}
    tracks = TrackTable.from_table(table, columns=TrackColumns(scene="scene"))
    assert nearest_rows(tracks, 1).tolist() == [[-1], [-1]]


def test_what_is_seen_is_relative() -> None:
    table = TrackTable.from_table({"object": ["a", "b"], "time": [0, 0], "x": [1, 4], "y": [2, 6]})
    velocity = np.array([[1.0, 0.0], [3.0, 1.0]])
    seen = neighbour_inputs(table, np.arange(2), nearest_rows(table, 2), velocity)
    assert seen[0].tolist() == [[3, 4, 2, 1, 1], [0, 0, 0, 0, 0]]
