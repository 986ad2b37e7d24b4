"""Saturation: shares counted by hand, bars as long as the shares."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import Saturation, saturation_chart, saturation_shares


def test_shares_are_counted():
    """Of the forget gate's four numbers one is below 0.1 and two above 0.9; the bounds themselves count as inside."""
    parts = {
        "f_l0": [[0.05, 0.95, 0.91, 0.5, np.nan]],
        "z": [[0.1, 0.9]],
        "g_l0": [[-0.95, 0.05], [0.95, 0.99]],
        "h_l0": [[0.2, -0.99]],
    }
    assert saturation_shares(parts) == {
        "f_l0": Saturation(0.25, 0.5),
        "z": Saturation(0.0, 0.0),
        "g_l0": Saturation(0.25, 0.5),
        "h_l0": Saturation(0.5, 0.0),
    }


def test_what_has_no_ends_is_left_out():
    """Cells, preactivations, and an output that leaves -1 .. 1, as relu's does; so is a part without a number."""
    parts = {"c": [[5.0]], "a": [[0.0]], "h": [[1.5, 0.0]], "i": [[np.nan]]}
    assert saturation_shares(parts) == {}
    with pytest.raises(ShapeError, match="none of the parts"):
        saturation_chart(parts)


def test_bars_are_as_long_as_the_shares():
    (axes,) = saturation_chart({"f": [[0.05, 0.95, 0.95, 0.5]], "o": np.full((1, 300), 0.5)}).axes
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert spans == [(0.0, 100.0), (0.0, 25.0), (50.0, 100.0), (0.0, 100.0), (0.0, 0.0), (100.0, 100.0)]
    texts = [text.get_text() for text in axes.texts]
    assert texts[:4] == ["25 %", "50 %", "0 %", "0 %"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["forget gate  f", "output gate  o"]


def test_a_share_that_is_small_but_there_is_not_called_zero():
    values = np.full((1, 300), 0.5)
    values[0, 0] = 0.01
    (axes,) = saturation_chart({"f_l0": values, "f_l1": values}).axes
    assert axes.texts[0].get_text() == "<1 %"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["forget gate  f_l0", "forget gate  f_l1"]


def test_parts_of_the_wrong_shape_are_refused():
    with pytest.raises(ShapeError, match=r"\[step, neuron\]"):
        saturation_shares({"f": [0.1]})
