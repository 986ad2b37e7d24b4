"""Gradient norms by distance: medians as computed here, a logarithmic axis, gaps where there is nothing."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import gradient_decay


def test_one_row_is_drawn_as_it_is():
    norms = 0.5 ** np.arange(6.0)
    (axes,) = gradient_decay({"x": norms}).axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), norms)
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(6))
    assert axes.get_yscale() == "log"
    assert "x" in [text.get_text() for text in axes.texts]
    assert not axes.collections


def test_of_many_rows_the_median_and_the_middle_are_drawn(rng):
    """Rows that are shorter count where they reach; the bounds are the 10 % and 90 % quantiles."""
    norms = rng.uniform(1.0, 2.0, (4, 11))
    norms[3, 5:] = np.nan
    (axes,) = gradient_decay({"h_l0": norms}).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.nanmedian(norms, axis=1), rtol=1e-15)
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    bounds = np.nanquantile(norms, (0.1, 0.9), axis=1)
    np.testing.assert_allclose((heights.min(), heights.max()), (bounds[0].min(), bounds[1].max()), rtol=1e-15)


def test_zeros_and_rows_without_a_number_leave_gaps():
    (axes,) = gradient_decay({"h": [1.0, 0.0, np.nan, 0.5], "nothing": [0.0, 0.0, 0.0, 0.0]}).axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1.0, np.nan, np.nan, 0.5])
    assert np.isnan(axes.lines[1].get_ydata()).all()
    assert "nothing" not in [text.get_text() for text in axes.texts]


def test_more_curves_than_colours_differ_in_their_strokes():
    (axes,) = gradient_decay({f"h_l{k}": [1.0, 0.5] for k in range(8)}).axes
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 8


@pytest.mark.parametrize("norms", [{}, {"x": 1.0}, {"x": []}, {"x": np.zeros((2, 2, 2))}])
def test_what_does_not_fit_is_refused(norms):
    with pytest.raises(ShapeError, match="expected norms of shape"):
        gradient_decay(norms)
