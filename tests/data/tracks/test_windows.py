"""Windows to learn from, and the benchmark's windows over a scene."""

import numpy as np
import pytest

from recurra.data.tracks import TrackTable, frame_numbers, learning_windows, scene_windows
from recurra.errors import ConfigError, TooShortError


def tracks(*spans: tuple[str, int, int]) -> TrackTable:
    """Objects that were seen in every frame of a span."""
    rows = [(name, frame) for name, first, end in spans for frame in range(first, end)]
    names, frames = zip(*rows, strict=True)
    return TrackTable.from_table({"object": names, "time": frames, "x": frames, "y": [0] * len(rows)})


def test_a_scene_window_counts_if_two_objects_have_all_its_positions() -> None:
    """By hand: five positions; a has the windows from 0 to 3, b those from 2 and 3; both have 2 and 3."""
    table = tracks(("a", 0, 8), ("b", 2, 8))
    two = scene_windows(table, 3, 2, least_objects=2)
    assert sorted(table.ids[i] for i in table.owner[two.rows[:, 0]]) == ["a", "a", "b", "b"]
    assert two.moment.tolist() == [0, 0, 1, 1]
    assert len(scene_windows(table, 3, 2, least_objects=1)) == 6


def test_windows_slide_over_the_frames_that_anybody_has() -> None:
    """An object seen in frames 0, 1, 5, 6 has a window of four if nobody was seen in 2, 3 and 4, else none."""
    alone = {"object": ["a"] * 4, "time": [0, 1, 5, 6], "x": [0] * 4, "y": [0] * 4}
    assert len(scene_windows(TrackTable.from_table(alone), 2, 2, 1)) == 1
    seen = {"object": ["a"] * 4 + ["b"], "time": [0, 1, 5, 6, 3], "x": [0] * 5, "y": [0] * 5}
    assert len(scene_windows(TrackTable.from_table(seen), 2, 2, 1)) == 0


def test_frames_are_numbered_within_each_scene() -> None:
    numbers = frame_numbers(tracks(("a", 0, 3), ("b", 1, 3)))
    assert (numbers - numbers[0]).tolist() == [0, 1, 2, 1, 2]


def test_learning_windows_begin_at_every_fix_and_stay_within_a_piece() -> None:
    table = TrackTable.from_table({"object": ["a"] * 7, "time": [0, 1, 2, 3, 20, 21, 22], "x": [0] * 7, "y": [0] * 7})
    known = np.array([True, True, True, False, True, True, False])
    windows = learning_windows(table, 3, 2.0, known)
    assert windows.rows.tolist() == [[0, 1, 2], [1, 2, 3], [4, 5, 6]]
    longer = learning_windows(table, 5, 2.0, known)
    assert longer.lengths.tolist() == [4, 3]
    assert longer.rows[0].tolist() == [0, 1, 2, 3, 3]


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_only() -> None:
    windows = learning_windows(tracks(("a", 0, 30)), 4, 2.0, np.ones(30, np.bool_))
    assert windows.order(1, 2).tolist() == windows.order(1, 2).tolist()
    assert windows.order(1, 2).tolist() != windows.order(1, 3).tolist()


def test_tracks_too_short_to_learn_from_are_refused() -> None:
    with pytest.raises(TooShortError, match="two fixes and a third"):
        learning_windows(tracks(("a", 0, 1), ("b", 0, 1)), 4, 2.0, np.ones(2, np.bool_))
    with pytest.raises(ConfigError, match="a velocity takes two fixes"):
        learning_windows(tracks(("a", 0, 5)), 1, 2.0, np.ones(5, np.bool_))
    with pytest.raises(ConfigError, match="horizon=0"):
        scene_windows(tracks(("a", 0, 5)), 2, 0)
