"""TrackTable: what is refused, what is flagged, and what holds for every table."""

from typing import Any

import numpy as np
import pytest

from recurra.data.tracks import TrackColumns, TrackPolicy, TrackTable
from recurra.errors import BadValueError, ConfigError, MissingColumnError, TableError, TimeStampError


def table(**changes: Any) -> dict[str, Any]:
    """Two objects of three fixes each, one second apart."""
    made = {
        "object": ["a", "a", "a", "b", "b", "b"],
        "time": [0.0, 1.0, 2.0, 0.0, 1.0, 2.0],
        "x": [0.0, 1.0, 2.0, 5.0, 5.0, 5.0],
        "y": [0.0, 0.0, 0.0, 1.0, 2.0, 4.0],
    }
    return {**made, **changes}


def test_steps_and_times_are_those_since_the_fix_before() -> None:
    """By hand: object a moves one to the east a second, object b one and then two to the north."""
    tracks = TrackTable.from_table(table())
    assert tracks.ids == ("a", "b")
    assert tracks.offsets.tolist() == [0, 3, 6]
    assert tracks.steps.tolist() == [[0, 0], [1, 0], [1, 0], [0, 0], [0, 1], [0, 2]]
    assert tracks.elapsed.tolist() == [0, 1, 1, 0, 1, 1]
    assert tracks.usual_step_s == 1.0


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"time": [0.0, 2.0, 1.0, 0.0, 1.0, 2.0]}, TimeStampError, "row 3, column 'time' (object 'a')"),
        ({"time": [0.0, 1.0, 1.0, 0.0, 1.0, 2.0]}, TimeStampError, "in row 2"),
        ({"time": [0.0, float("nan"), 1.0, 0.0, 1.0, 2.0]}, TimeStampError, "row 2, column 'time'"),
        ({"x": [0.0, float("nan"), 2.0, 5.0, 5.0, 5.0]}, BadValueError, "row 2, column 'x' (object 'a')"),
        ({"y": [0.0, "north", 2.0, 5.0, 5.0, 5.0]}, BadValueError, "'north'"),
        ({"x": [0.0, float("inf"), 2.0, 5.0, 5.0, 5.0]}, BadValueError, "infinite"),
        ({"object": ["a", None, "a", "b", "b", "b"]}, BadValueError, "the object is not named"),
    ],
)
def test_what_is_refused_names_row_column_and_remedy(
    changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        TrackTable.from_table(table(**changes))
    assert words in str(caught.value)
    assert ";" in str(caught.value) or "use" in str(caught.value)


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(MissingColumnError, match="no column 'y'"):
        TrackTable.from_table({"object": ["a"], "time": [0.0], "x": [1.0]})


def test_a_latitude_over_90_is_refused_and_a_longitude_wrapped() -> None:
    columns = TrackColumns(geographic=True)
    with pytest.raises(BadValueError, match=r"row 1, column 'y'.*91.*latitude"):
        TrackTable.from_table(table(y=[91.0, 0, 0, 0, 0, 0]), columns=columns)
    tracks = TrackTable.from_table(table(x=[-190.0, 350.0, 2, 5, 5, 5]), columns=columns)
    assert tracks.position[:2, 0].tolist() == [170.0, -10.0]


def test_blemishes_that_are_declared_are_handled() -> None:
    sort = TrackTable.from_table(table(time=[2.0, 1.0, 0.0, 0, 1, 2]), policy=TrackPolicy(unsorted="sort"))
    assert sort.time[:3].tolist() == [0.0, 1.0, 2.0]
    assert sort.file_rows is not None
    assert sort.file_rows[:3].tolist() == [3, 2, 1]
    first = TrackTable.from_table(table(time=[0.0, 1.0, 1.0, 0, 1, 2]), policy=TrackPolicy(repeated="first"))
    assert first.lengths.tolist() == [2, 3]
    skip = TrackTable.from_table(table(x=[0.0, None, 2.0, 5, 5, 5]), policy=TrackPolicy(missing="skip"))
    assert skip.elapsed[:2].tolist() == [0.0, 2.0]


def test_a_jump_is_flagged_and_kept_or_cuts_the_track_or_is_refused() -> None:
    jumped = table(x=[0.0, 1.0, 900.0, 5, 5, 5])
    flagged = TrackTable.from_table(jumped, policy=TrackPolicy(max_speed=10.0))
    assert flagged.shown_jumps() == (("a", 2.0),)
    assert len(flagged) == 6
    assert flagged.pieces(5.0).tolist() == [0, 0, 0, 1, 1, 1]
    cut = TrackTable.from_table(jumped, policy=TrackPolicy(max_speed=10.0, jumps="cut"))
    assert cut.pieces(5.0).tolist() == [0, 0, 1, 2, 2, 2]
    with pytest.raises(BadValueError, match=r"row 3.*object 'a'.*899"):
        TrackTable.from_table(jumped, policy=TrackPolicy(max_speed=10.0, jumps="refuse"))


def test_without_a_top_speed_what_is_20_times_as_fast_as_nearly_all_is_a_jump(rng: np.random.Generator) -> None:
    time = np.arange(300.0)
    x = np.cumsum(rng.uniform(0.9, 1.1, 300))
    x[200:] += 500.0
    tracks = TrackTable.from_table({"object": ["a"] * 300, "time": time, "x": x, "y": np.zeros(300)})
    assert np.flatnonzero(tracks.jumps).tolist() == [200]


def test_a_gap_begins_a_new_piece() -> None:
    tracks = TrackTable.from_table(table(time=[0.0, 1.0, 9.0, 0.0, 1.0, 2.0]))
    assert tracks.pieces(2.5).tolist() == [0, 0, 1, 2, 2, 2]


def test_dates_are_seconds_and_come_back_as_dates() -> None:
    dates = ["2024-01-01 00:00", "2024-01-01 00:01", "2024-01-01 00:02"] * 2
    tracks = TrackTable.from_table(table(time=dates))
    assert tracks.stamped
    assert tracks.usual_step_s == 60.0
    assert tracks.show_time(float(tracks.time[1])) == np.datetime64("2024-01-01T00:01")


def test_an_object_in_two_scenes_is_refused() -> None:
    with pytest.raises(TableError, match="another scene before"):
        TrackTable.from_table(table(scene=["s", "s", "t", "s", "s", "s"]), columns=TrackColumns(scene="scene"))


def test_one_fix_tracks_have_no_usual_step() -> None:
    with pytest.raises(TableError, match="one fix only"):
        _ = TrackTable.from_table(
            {"object": ["a", "b"], "time": [0.0, 0.0], "x": [0.0, 1.0], "y": [0.0, 1.0]}
        ).usual_step_s


def test_columns_and_policies_refuse_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match="two roles"):
        TrackColumns(x="time")
    with pytest.raises(ConfigError, match="jumps='drop'"):
        TrackPolicy(jumps="drop")  # type: ignore[arg-type]
