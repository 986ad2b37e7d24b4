"""Usual splits are found, and ordinary days and crashes are not taken for them."""

import numpy as np
import pytest

from recurra.data.market import find_splits


@pytest.mark.parametrize("ratio", [1.5, 2.0, 3.0, 4.0, 7.0, 20.0, 0.1, 0.5])
def test_a_split_is_found_with_its_ratio(ratio, rng):
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 50)))
    close[30:] /= ratio
    rows, ratios = find_splits(close)
    assert rows.tolist() == [30]
    assert ratios.tolist() == [pytest.approx(ratio)]


def test_a_crash_of_a_fifth_is_no_split():
    assert len(find_splits(np.array([100.0, 79.5, 80.0, 100.0]))[0]) == 0  # 19 October 1987 and the way back


def test_a_fall_within_the_day_is_no_split():
    close, opening = np.array([100.0, 50.0]), np.array([100.0, 98.0])
    assert len(find_splits(close, opening)[0]) == 0
    assert len(find_splits(close, np.array([100.0, 51.0]))[0]) == 1
