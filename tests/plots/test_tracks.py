"""Pictures of tracks: what is drawn, the date line, and what is refused."""

import numpy as np
import pytest

from recurra.errors import ConfigError, ShapeError
from recurra.plots import TrackPicture, track_map


def picture(**changes: object) -> TrackPicture:
    steps = np.arange(4.0)
    made = {
        "history": np.stack([steps, steps], -1), "path": np.stack([steps + 4, steps], -1),
        "actual": np.stack([steps + 4, steps + 1], -1), "futures": np.zeros((3, 4, 2)),
        "regions": np.zeros((2, 10, 2)), "shades": np.array([0.7, 0.3]), "title": "a",
    }  # fmt: skip
    return TrackPicture(**{**made, **changes})  # type: ignore[arg-type]


def test_a_panel_holds_history_futures_path_and_truth() -> None:
    """Counted: three futures, the history, the middle path and what happened are lines; two regions are filled."""
    figure = track_map([picture(), picture(actual=None)])
    first, second = figure.axes[:2]
    assert len(first.lines) == 6
    assert len(second.lines) == 5
    assert len(first.patches) == 2
    assert first.get_aspect() == 1.0


def test_a_track_over_the_date_line_is_broken_there() -> None:
    history = np.array([[179.0, 10.0], [-179.0, 10.0]])
    figure = track_map([picture(history=history, path=history, actual=None, unit="degrees")])
    drawn = figure.axes[0].lines[3].get_xdata()
    assert np.isnan(drawn).sum() == 1
    assert figure.axes[0].get_xlabel() == "longitude"


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="history"):
        picture(history=np.zeros(3))
    with pytest.raises(ShapeError, match="shades"):
        picture(shades=np.ones(5))
    with pytest.raises(ConfigError, match="at least one"):
        track_map([])
