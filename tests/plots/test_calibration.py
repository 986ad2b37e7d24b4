"""The histogram of probability integral transforms: its bars are densities, and nothing is drawn from nothing."""

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.plots import pit_histogram


def test_the_bars_have_a_mean_of_one(rng):
    pit = np.append(rng.random(300), np.nan)
    bars = pit_histogram(pit, bins=10).axes[0].patches
    heights = [bar.get_height() for bar in bars]
    assert np.mean(heights) == pytest.approx(1.0)
    assert heights[0] == pytest.approx(np.sum(pit < 0.1) / 300 * 10)


def test_nothing_is_refused():
    with pytest.raises(ShapeError, match="0 known values"):
        pit_histogram([np.nan])
