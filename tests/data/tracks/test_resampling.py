"""Positions between fixes, targets ahead, and even steps."""

import numpy as np
import pytest

from recurra.data.tracks import TrackColumns, TrackTable, positions_ahead, resample
from recurra.errors import ConfigError


def walk(times: list[float], geographic: bool = False) -> TrackTable:
    """One object whose x is its time and whose y is twice that."""
    table = {"object": ["a"] * len(times), "time": times, "x": times, "y": [2 * t for t in times]}
    return TrackTable.from_table(table, columns=TrackColumns(geographic=geographic))


def test_positions_ahead_are_those_of_the_times_and_unknown_beyond_the_end() -> None:
    """Expected: the walk's own equation at fix + k steps; NaN after the last fix."""
    tracks = walk([0.0, 1.0, 2.5, 3.0])
    ahead = positions_ahead(tracks, 1.0, 3, max_gap_s=2.0)
    assert ahead[0].tolist() == [[1, 2], [2, 4], [3, 6]]
    assert ahead[1, :2].tolist() == [[2, 4], [3, 6]]
    assert np.isnan(ahead[1, 2]).all()
    assert np.isnan(ahead[3]).all()


def test_nothing_is_known_inside_a_gap() -> None:
    tracks = walk([0.0, 1.0, 6.0, 7.0])
    ahead = positions_ahead(tracks, 1.0, 2, max_gap_s=2.0)
    assert ahead[0, 0].tolist() == [1, 2]
    assert np.isnan(ahead[0, 1]).all()
    assert np.isnan(ahead[1]).all()
    assert ahead[2, 0].tolist() == [7, 14]


def test_no_target_crosses_from_one_object_to_the_next() -> None:
    table = {"object": ["a", "a", "b", "b"], "time": [0, 1, 2, 3], "x": [0, 1, 2, 3], "y": [0, 0, 0, 0]}
    ahead = positions_ahead(TrackTable.from_table(table), 1.0, 2, max_gap_s=5.0)
    assert np.isnan(ahead[0, 1]).all()
    assert np.isnan(ahead[1]).all()


def test_resampled_rows_lie_on_the_straight_way_and_say_where_they_come_from() -> None:
    even = resample(walk([0.0, 1.0, 2.5, 3.5]), 1.0, max_gap_s=2.0)
    assert even.time.tolist() == [0, 1, 2, 3]
    assert even.position.tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]
    assert even.file_rows is not None
    assert even.file_rows.tolist() == [1, 2, 0, 0]


def test_a_gap_is_not_filled_and_the_grid_begins_anew_after_it() -> None:
    even = resample(walk([0.0, 1.0, 9.25, 10.25]), 1.0, max_gap_s=2.0)
    assert even.time.tolist() == [0, 1, 9.25, 10.25]


def test_on_the_globe_the_straight_way_crosses_the_date_line() -> None:
    """By symmetry: half way from 179 to -179 degrees on the equator is 180."""
    table = {"object": ["a", "a"], "time": [0.0, 2.0], "x": [179.0, -179.0], "y": [0.0, 0.0]}
    tracks = TrackTable.from_table(table, columns=TrackColumns(geographic=True))
    assert abs(resample(tracks, 1.0, 5.0).position[1, 0]) == pytest.approx(180.0)


def test_a_step_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(ConfigError, match="rows; choose a longer step"):
        resample(walk([0.0, 1e9]), 1.0, max_gap_s=1e10)
    with pytest.raises(ConfigError, match="above 0"):
        resample(walk([0.0, 1.0]), 0.0, 1.0)
