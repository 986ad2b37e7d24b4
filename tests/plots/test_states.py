"""Heat maps of states and gates: every value where it belongs, every panel with its own bounds."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import state_maps


def panels(figure):
    """The visible panels that hold an image, without the colour bars."""
    return [axes for axes in figure.axes if axes.images and axes.get_visible()]


def test_time_runs_across_and_neurons_run_down(rng):
    parts = {"f_l0": rng.random((7, 3)), "c_l0": rng.normal(size=(7, 3)), "h_l0": rng.normal(size=(7, 2))}
    drawn = panels(state_maps(parts))
    for axes, values in zip(drawn, parts.values(), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), values.T)
        assert axes.images[0].origin == "upper"
    assert [axes.get_title(loc="left") for axes in drawn] == ["f  forget gate", "c  cell", "h  output"]
    assert [axes.get_xlabel() for axes in drawn] == ["", "", "step"]


def test_gates_candidates_and_the_others_have_their_own_bounds():
    """Gates 0 to 1, candidates -1 to 1, the rest by the largest size: 4 here, and 1 where all is zero."""
    parts = {"i": [[0.5]], "n": [[0.5]], "c": [[2.0, -4.0]], "a": [[0.0]], "surprise": [[np.nan, 3.0]]}
    bounds = [axes.images[0].get_clim() for axes in panels(state_maps(parts))]
    assert bounds == [(0.0, 1.0), (-1.0, 1.0), (-4.0, 4.0), (-1.0, 1.0), (-3.0, 3.0)]


def test_layers_and_directions_stand_side_by_side():
    """Names that a layer lacks leave a hole, and the axis below is then labelled at its own last panel."""
    parts = {"r_l0": np.zeros((4, 2)), "h_l0": np.zeros((4, 2)), "r_l1_reverse": np.ones((4, 2))}
    figure = state_maps(parts, title="Two layers")
    drawn = panels(figure)
    assert [axes.get_title(loc="right") for axes in drawn] == ["l0", "l1_reverse", ""]
    assert [axes.get_xlabel() for axes in drawn] == ["", "step", "step"]
    assert sum(not axes.get_visible() for axes in figure.axes) == 1
    assert figure.get_suptitle() == "Two layers"


def test_gaps_are_not_drawn_as_numbers():
    """What is past a row's end is masked, so that it takes the colour of no value."""
    values = np.array([[0.2], [np.nan]])
    (axes,) = panels(state_maps({"z": values}))
    assert axes.images[0].get_array().mask.tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "none"),
        ({"f": [0.1, 0.2]}, r"\[step, neuron\], got {'f': \(2,\)}"),
        ({"f": np.zeros((3, 2)), "i": np.zeros((4, 2))}, r"have \[3, 4\] steps"),
        ({"f": np.zeros((0, 2))}, "that has some"),
    ],
)
def test_what_does_not_fit_is_refused(parts, message):
    with pytest.raises(ShapeError, match=message):
        state_maps(parts)
