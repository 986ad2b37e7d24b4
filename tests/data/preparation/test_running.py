"""The running level: row by row equals a whole series at once, numpy gives the expected weighted statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.data.preparation.running import RunningLevel, fading_sum

VALUES = st.one_of(st.floats(-1e6, 1e6), st.just(1e30), st.just(np.nan), st.just(3.0), st.just(0.0))
SERIES = hnp.arrays(np.float64, st.integers(1, 150), elements=VALUES)


def all_at_once(y, memory, error=None):
    error = np.full(len(y), np.nan) if error is None else error
    return tuple(found[0] for found in RunningLevel.empty(1, memory).over(y[None], error[None]))


def row_by_row(y, memory, error=None):
    level, rows = RunningLevel.empty(1, memory), []
    for t in range(len(y)):
        level.add(y[t : t + 1], np.full(1, np.nan) if error is None else error[t : t + 1])
        rows.append((level.shift()[0], level.scale()[0], level.step(level.scale())[0]))
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@given(y=SERIES, memory=st.sampled_from([1, 2, 7, 32]))
def test_row_by_row_equals_all_at_once(y, memory):
    error = np.where(np.arange(len(y)) % 3 == 0, np.nan, np.abs(y))
    for a, b in zip(all_at_once(y, memory, error), row_by_row(y, memory, error), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * (1 + np.nanmax(np.abs(y), initial=0.0)))


@given(y=SERIES, memory=st.sampled_from([1, 7]))
def test_series_do_not_touch_each_other(y, memory):
    """Each of several series of one length has what it has by itself."""
    several = np.stack([y, y[::-1], np.roll(y, 1)])
    error = np.where(np.arange(len(y)) % 3 == 0, np.nan, np.abs(several))
    together = RunningLevel.empty(1, memory).over(several, error)
    for i in range(3):
        for a, b in zip(together, all_at_once(several[i], memory, error[i]), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-12, atol=1e-12 * (1 + np.nanmax(np.abs(y), initial=0.0)))


def test_statistics_are_numpys_with_fading_weights(rng):
    """np.average with the weights f ** age is the definition."""
    y = 1e6 + rng.normal(size=300)
    shift, scale, _ = all_at_once(y, 20)
    for t in (1, 5, 63, 64, 299):
        weights = (1 - 1 / 20) ** np.arange(t, -1, -1.0)
        mean = np.average(y[: t + 1], weights=weights)
        deviation = np.sqrt(np.average((y[: t + 1] - mean) ** 2, weights=weights))
        assert shift[t] == pytest.approx(mean, rel=1e-12)
        assert scale[t] == pytest.approx(deviation, rel=1e-8)


def test_a_first_value_far_from_the_others_costs_no_digits(rng):
    """A sensor that begins with 0 and then stays near 1e6: sums around the first value would lose twelve digits."""
    y = np.concatenate([[0.0], 1e6 + rng.normal(size=2000)])
    shift, scale, _ = all_at_once(y, 32)
    one_shift, one_scale, _ = row_by_row(y, 32)
    assert 0.5 < scale[-1] < 2.0  # the noise has deviation 1
    np.testing.assert_allclose(scale, one_scale, rtol=1e-9)
    np.testing.assert_allclose(shift, one_shift, rtol=1e-12)


def test_before_anything_varies():
    """By hand: no value 0 and 1; equal values their size; zeros 1."""
    shift, scale, step = all_at_once(np.array([np.nan, 5.0, 5.0, np.nan]), 4)
    assert shift.tolist() == [0.0, 5.0, 5.0, 5.0]
    assert scale.tolist() == [1.0, 5.0, 5.0, 5.0]
    assert step.tolist() == [0.1, 0.5, 0.5, 0.5]
    assert all_at_once(np.zeros(3), 4)[1].tolist() == [1.0, 1.0, 1.0]
    assert all_at_once(np.full(50, 0.1), 4)[1] == pytest.approx(0.1)


@given(y=SERIES.filter(lambda y: len(y) > 1), cut=st.integers(0, 148))
def test_no_row_depends_on_a_later_one(y, cut):
    cut = min(cut, len(y) - 2)
    changed = y.copy()
    changed[cut + 1 :] = np.where(np.isnan(y[cut + 1 :]), np.nan, 12345.0)
    for a, b in zip(all_at_once(y, 9), all_at_once(changed, 9), strict=True):
        np.testing.assert_array_equal(a[: cut + 1], b[: cut + 1])


@given(y=SERIES, memory=st.sampled_from([1, 5]))
def test_scales_are_positive_and_finite(y, memory):
    shift, scale, step = all_at_once(y, memory)
    assert np.isfinite(shift).all()
    assert (np.isfinite(scale) & (scale > 0)).all()
    assert (np.isfinite(step) & (step > 0)).all()


def test_missing_rows_change_nothing():
    level = RunningLevel.empty(2, 8)
    level.add(np.array([1.0, 2.0]), np.array([0.5, np.nan]))
    before = [field.copy() for field in level.fields()]
    level.add(np.array([np.nan, np.nan]), np.array([np.nan, np.nan]))
    for a, b in zip(before, level.fields(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 200])
def test_fading_sum_is_its_recursion(n, rng):
    x, total = rng.normal(size=n), 0.0
    expected = [total := 0.9 * total + value for value in x]
    np.testing.assert_allclose(fading_sum(x, 0.9), expected, rtol=1e-12, atol=1e-14)
