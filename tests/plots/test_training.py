"""Loss curves: both curves as given, the kept epoch marked."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import loss_curves


def test_both_curves_and_the_kept_epoch():
    """The smallest validation loss, 1.0, is that of epoch 2."""
    (axes,) = loss_curves([3.0, 2.0, 1.0], [2.0, 1.0, 1.5]).axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [3.0, 2.0, 1.0])
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [1, 2, 3])
    assert (axes.lines[2].get_xdata(), axes.lines[2].get_ydata()) == ([2], [1.0])
    texts = [text.get_text() for text in axes.texts]
    assert "kept: epoch 2, 1" in texts
    assert {"training", "validation"} <= set(texts)


def test_labels_do_not_cover_each_other():
    """Curves that end at one height get labels apart."""
    (axes,) = loss_curves([2.0, 1.0], [2.0, 1.0]).axes
    heights = [text.xy[1] for text in axes.texts if text.get_text() in ("training", "validation")]
    assert abs(heights[0] - heights[1]) >= 0.05


@pytest.mark.parametrize("logarithmic", [False, True])
def test_gaps_and_a_single_epoch_are_drawn(logarithmic):
    assert loss_curves([1.0], [np.nan], logarithmic=logarithmic).axes
    assert loss_curves([1.0, np.nan, 0.5], logarithmic=logarithmic).axes


def test_losses_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="must be"):
        loss_curves([1.0, 2.0], [1.0])
    with pytest.raises(ShapeError, match="must be"):
        loss_curves([])
