"""The windowed level: row by row equals a whole series at once, numpy gives the statistics of the window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.data.preparation.windowed import WindowLevel

VALUES = st.one_of(st.floats(-1e6, 1e6), st.just(1e30), st.just(np.nan), st.just(3.0), st.just(0.0))
SERIES = hnp.arrays(np.float64, st.integers(1, 40), elements=VALUES)


def all_at_once(y, memory, error=None):
    error = np.full(len(y), np.nan) if error is None else error
    return tuple(found[0] for found in WindowLevel.empty(1, memory).over(y[None], error[None]))


def row_by_row(y, memory, error=None):
    level, rows = WindowLevel.empty(1, memory), []
    for t in range(len(y)):
        level.add(y[t : t + 1], np.full(1, np.nan) if error is None else error[t : t + 1])
        rows.append((level.shift()[0], level.scale()[0], level.step(level.scale())[0]))
    return tuple(np.array(column) for column in zip(*rows, strict=True)), level


@given(y=SERIES, memory=st.sampled_from([1, 2, 7, 32]))
def test_row_by_row_equals_all_at_once(y, memory):
    error = np.where(np.arange(len(y)) % 3 == 0, np.nan, np.abs(y))
    rows, level = row_by_row(y, memory, error)
    for a, b in zip(all_at_once(y, memory, error), rows, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    last = WindowLevel.empty(1, memory).at(y, error, np.array([len(y) - 1]))
    for a, b in zip(last.fields(), level.fields(), strict=True):
        np.testing.assert_array_equal(a, b)


@given(y=SERIES, memory=st.sampled_from([1, 7]))
def test_series_do_not_touch_each_other(y, memory):
    """Each of several series of one length has what it has by itself."""
    several = np.stack([y, y[::-1], np.roll(y, 1)])
    error = np.where(np.arange(len(y)) % 3 == 0, np.nan, np.abs(several))
    together = WindowLevel.empty(1, memory).over(several, error)
    for i in range(3):
        for a, b in zip(together, all_at_once(several[i], memory, error[i]), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-12, atol=1e-12 * (1 + np.nanmax(np.abs(y), initial=0.0)))


def test_statistics_are_numpys_over_the_last_observations(rng):
    """Missing rows do not count: the window is of observations."""
    y = 1e6 + rng.normal(size=60)
    y[rng.random(60) < 0.3] = np.nan
    shift, scale, _ = all_at_once(y, 8)
    for t in (5, 20, 59):
        window = y[: t + 1][~np.isnan(y[: t + 1])][-8:]
        assert shift[t] == pytest.approx(window.mean(), rel=1e-12)
        assert scale[t] == pytest.approx(window.std(), rel=1e-9)


def test_before_anything_varies():
    """By hand: no value 0 and 1; equal values their size."""
    shift, scale, step = all_at_once(np.array([np.nan, 5.0, 5.0]), 4)
    assert shift.tolist() == [0.0, 5.0, 5.0]
    assert scale.tolist() == [1.0, 5.0, 5.0]
    assert step.tolist() == [0.1, 0.5, 0.5]


@given(y=SERIES.filter(lambda y: len(y) > 1), cut=st.integers(0, 38))
def test_no_row_depends_on_a_later_one(y, cut):
    cut = min(cut, len(y) - 2)
    changed = y.copy()
    changed[cut + 1 :] = 12345.0
    for a, b in zip(all_at_once(y, 9), all_at_once(changed, 9), strict=True):
        np.testing.assert_array_equal(a[: cut + 1], b[: cut + 1])
