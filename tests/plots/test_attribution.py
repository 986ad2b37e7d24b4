"""The map of attributions shows every input and lag, and refuses what does not fit."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import attribution_map


def test_it_shows_every_input_with_the_latest_row_at_the_right() -> None:
    values = np.arange(12.0).reshape(4, 3) - 6
    figure = attribution_map(["level", "p", "weekday"], values, note="completeness error 1e-5")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["level", "p", "weekday"]
    assert axes.get_xticklabels()[-1].get_text() == "0"
    np.testing.assert_array_equal(axes.images[0].get_array()[:, -1], values[0])


def test_names_and_values_must_agree() -> None:
    with pytest.raises(ShapeError, match="3 inputs"):
        attribution_map(["a", "b", "c"], np.zeros((4, 2)))
    with pytest.raises(ShapeError, match="want"):
        attribution_map([], np.zeros((4, 0)))
