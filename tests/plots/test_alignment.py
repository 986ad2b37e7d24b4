"""The picture of an attention: shades are the weights, labels the pieces."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import alignment_chart


def test_the_shades_are_the_weights_and_the_labels_the_pieces() -> None:
    weights = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]
    figure = alignment_chart(weights, ["▁ein", "▁$"], ["▁a", "▁dog", "▁"])
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.images[0].get_array(), weights)
    assert axes.images[0].get_clim() == (0.0, 1.0)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["ein", r"\$"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "dog", "·"]


@pytest.mark.parametrize(("weights", "source", "target"), [([[1.0]], ["a", "b"], ["c"]), (np.zeros((0, 1)), ["a"], [])])
def test_weights_that_do_not_fit_are_refused(weights: object, source: list[str], target: list[str]) -> None:
    with pytest.raises(ShapeError, match="expected weights"):
        alignment_chart(weights, source, target)
