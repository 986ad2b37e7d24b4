"""Missing rows are filled from their own past; ages count from the first observation."""

import numpy as np
import pytest

from recurra.data.preparation.reference import Reference
from recurra.data.preparation.rows import fill_missing, gather_lookback, squash

NAN = np.nan


def test_missing_rows_take_the_rules_own_forecast():
    """By hand, season 3: row 4 copies row 1; rows before the first observation hold the level."""
    y = np.array([NAN, 5.0, 9.0, 2.0, NAN, NAN, 7.0])
    fill, age = fill_missing(y, np.array([0, 7]), Reference("seasonal", 3), np.array([4.0]))
    assert fill.tolist() == [4.0, 5.0, 9.0, 2.0, 5.0, 9.0, 7.0]
    assert age.tolist() == [-1, 0, 1, 2, 3, 4, 5]


def test_series_do_not_mix_and_may_be_empty_of_values():
    y = np.array([1.0, NAN, NAN, NAN, 3.0])
    fill, age = fill_missing(y, np.array([0, 2, 4, 5]), Reference("naive", 1), np.array([0.0, 8.0, 0.0]))
    assert fill.tolist() == [1.0, 1.0, 8.0, 8.0, 3.0]
    assert age.tolist() == [0, 1, -2, -1, 0]


def test_look_backs_stop_at_the_first_observation():
    fill, age = np.array([4.0, 5.0, 9.0, 2.0]), np.array([-1, 0, 1, 2])
    lookback = gather_lookback(fill, age, np.array([3, 0]))
    assert lookback(np.array([0, 1, 2, 3])).tolist() == [[2.0, 9.0, 5.0, 2.0], [4.0, 4.0, 4.0, 4.0]]


def test_squash_is_odd_grows_and_stays_small():
    x = np.array([-1e30, -1.0, 0.0, 1.0, 1e30])
    y = squash(x)
    np.testing.assert_array_equal(y, -y[::-1])
    assert (np.diff(y) > 0).all()
    assert abs(y[3] - 1.0) < 0.01


@pytest.mark.parametrize(
    "steps", [range(12), range(1, 20), range(5, 14), (0, 3, 9, 10, 11, 12, 15, 16), range(200)], ids=str
)
def test_stretches_of_look_backs_are_the_values_one_by_one(steps):
    """Two series of 30 rows, the second begun at its fourth: y(t - j), or y(t) beyond the first observation."""
    fill = np.random.default_rng(0).normal(size=60)
    age = np.concatenate([np.arange(30), np.arange(30) - 3])
    rows = np.flatnonzero(age >= 0)
    expected = [[fill[row - j] if j <= age[row] else fill[row] for j in steps] for row in rows]
    np.testing.assert_array_equal(gather_lookback(fill, age, rows)(np.array(steps)), expected)
