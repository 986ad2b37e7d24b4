"""The rules that forecasts start from, on a series short enough to do by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.data.preparation.reference import Reference
from recurra.data.preparation.rows import gather_lookback

Y = np.array([1.0, 5.0, 9.0, 2.0, 6.0, 11.0])  # two seasons of three; the last row is the origin


def ahead(kind, horizon=4, y=Y, weights=None, row=None):
    ages, row = np.arange(len(y)), len(y) - 1 if row is None else row
    rule = Reference(kind, 3, weights)
    return rule.ahead(gather_lookback(y, ages, np.array([row])), np.array([7.0]), horizon)[0].tolist()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", [7.0, 7.0, 7.0, 7.0]),  # the level
        ("naive", [11.0, 11.0, 11.0, 11.0]),
        ("season_mean", [19 / 3] * 4),  # (2 + 6 + 11) / 3
        ("seasonal", [2.0, 6.0, 11.0, 2.0]),
        ("seasonal_change", [4.0, 8.0, 13.0, 6.0]),  # + (11 - 9) for each season ahead
    ],
)
def test_rules_by_hand(kind, expected):
    assert ahead(kind) == pytest.approx(expected)


def test_the_linear_rule_by_hand():
    """y + sum W (y(t-j) - y) + s b with one look-back: 11 + 0.5 (6 - 11) + 8.5 * 0.1, where 8.5 = (11 + 6) / 2."""
    weights = np.array([[0.5, 0.0], [0.1, 0.0]])
    assert ahead("linear", 2, weights=weights) == pytest.approx([11 - 2.5 + 0.85, 11.0])


@given(
    y=hnp.arrays(np.float64, st.integers(1, 60), elements=st.one_of(st.floats(-1e6, 1e6), st.just(1e30), st.just(3.0))),
    n_back=st.integers(1, 30),
)
def test_the_linear_rule_along_a_series_is_the_rule_at_each_of_its_values(y, n_back):
    random = np.random.default_rng(n_back)
    rule, rows = Reference("linear", 3, random.normal(size=(n_back, 2))), np.arange(len(y))
    found = rule.next_along(np.stack([y, 2 * y]))
    expected = rule.next(gather_lookback(y, rows, rows), np.zeros(len(y)))
    largest = np.array([np.abs(y[max(t - n_back + 1, 0) : t + 1]).max() for t in rows])  # within the row's own window
    largest = np.maximum(largest, 1e-290)  # below it there are no digits to lose
    assert np.all(np.abs(found[0] - expected) <= 1e-13 * n_back * largest)
    assert np.all(np.abs(found[1] - 2 * expected) <= 2e-13 * n_back * largest)


@pytest.mark.parametrize("at_once", [1, 700, 10**7], ids=["block by block", "some blocks", "all"])
@pytest.mark.parametrize("n", [1, 2, 39, 40, 41, 333])
def test_parts_of_a_series_say_the_same(at_once, n, monkeypatch, rng):
    """A block's numbers depend on it and the one before it, not on what is computed beside them."""
    y, rule = rng.normal(size=(3, n)), Reference("linear", 3, rng.normal(size=(40, 2)))
    whole = rule.next_along(y)
    monkeypatch.setattr("recurra.data.preparation.reference.VALUES_AT_ONCE", at_once)
    np.testing.assert_allclose(rule.next_along(y), whole, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(rule.next_along(y[1:2]), whole[1:2], rtol=1e-12, atol=1e-12)


def test_beyond_the_first_row_the_present_answers():
    assert ahead("seasonal", row=1) == [5.0, 1.0, 5.0, 5.0]  # look-back 2 is beyond, 1 is row 0, 0 is row 1
    assert ahead("seasonal_change", row=1) == [5.0, 1.0, 5.0, 5.0]


def test_lags_and_reach():
    """The last step, the season, and the places of the next steps a season ago."""
    assert Reference("naive", 1).lags(3) == (1,)
    assert Reference("naive", 7).lags(2) == (1, 5, 6, 7)
    assert Reference("naive", 7).reach == 7
    assert Reference("linear", 7, np.zeros((13, 2))).reach == 12
