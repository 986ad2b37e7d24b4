"""The rules without coefficients: values by hand, holes, short series, and what every rule must hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.baselines import Drift, LinearWindow, Naive, SeasonalNaive, default_rules
from recurra.data.frequency import Frequency
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError

NAN = float("nan")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
RULES = [Naive(), SeasonalNaive(7), Drift(), LinearWindow(10)]


def table(*series):
    """Series of an integer index, named a, b, c ..."""
    y = [np.asarray(one, dtype=np.float64) for one in series]
    return SeriesTable(
        ids=tuple("abcdefgh"[: len(y)]),
        offsets=np.concatenate([[0], np.cumsum([len(one) for one in y])]).astype(np.int64),
        ds=np.concatenate([np.arange(len(one)) for one in y]),
        y=np.concatenate(y),
        covariates={},
        frequency=Frequency.parse("1"),
    )


def one(rule, y, horizon):
    return rule.forecast(table(y), horizon, (0.5,)).median[0].tolist()


def test_naive_repeats_the_last_known_value():
    """By definition; the last row is missing, the one before is 4."""
    assert one(Naive(), [1, 4], 3) == [4, 4, 4]
    assert one(Naive(), [1, 4, NAN], 2) == [4, 4]


def test_seasonal_naive_repeats_the_last_season():
    """Season 3, last season 4 5 6, two and a third seasons ahead."""
    assert one(SeasonalNaive(3), [1, 2, 3, 4, 5, 6], 7) == [4, 5, 6, 4, 5, 6, 4]


def test_seasonal_naive_looks_a_season_back_for_a_missing_value():
    """5 is missing: 2 stands one season before it. Place 2 of the season was never known: the last value then, 6."""
    assert one(SeasonalNaive(3), [1, 2, 3, 4, NAN, 6], 3) == [4, 2, 6]
    assert one(SeasonalNaive(3), [1, NAN, 3, 4, NAN, 6], 3) == [4, 6, 6]


def test_a_series_shorter_than_a_season_gets_its_last_value():
    """Declared in the class's docstring."""
    assert one(SeasonalNaive(5), [1, 2, 3, 9], 6) == [9] * 6
    assert one(SeasonalNaive(4), [1, 2, 3, 9], 5) == [1, 2, 3, 9, 1]


def test_drift_continues_the_line_through_first_and_last():
    """(10 - 4) / 3 = 2 a row."""
    assert one(Drift(), [4, 5, 9, 10], 3) == [12, 14, 16]


def test_drift_counts_from_the_last_known_row():
    """Known 2 at row 1 and 8 at row 3: 3 a row; row 4 is missing, so the next rows are 5 and 6: 14 and 17."""
    assert one(Drift(), [NAN, 2, NAN, 8, NAN], 2) == [14, 17]
    assert one(Drift(), [7], 2) == [7, 7]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # y = 1 2 4 8: y[t+1] - y[t] = 1 2 4; y[t+2] - y[t] = 3 6 and unknown
        (Naive(), [[1, 2, 4], [3, 6, NAN]]),
        # season 2: y[t+1] - y[t-1] = 3 6 and y[t+2] - y[t] = 6 from t = 1 on
        (SeasonalNaive(2), [[3, 6], [6, NAN]]),
        # from t = 1 on: slope 1 then 1.5, forecasts 3, 4 then 5.5, 7
        (Drift(), [[1, 2.5], [4, NAN]]),
    ],
)
def test_residuals_by_hand(rule, expected):
    np.testing.assert_allclose(rule.residuals(np.array([1.0, 2.0, 4.0, 8.0]), 2), expected)


def test_quantiles_are_those_of_the_own_errors(rng):
    """A random walk with steps N(0, 1): k steps ahead the errors are N(0, k), so the 5 % and 95 % quantiles lie at
    1.645 sqrt(k). Of 2,000 errors such a quantile has a standard error of 2.9 %, more if they overlap."""
    walk = np.cumsum(rng.normal(size=20_000))
    forecasts = Naive().forecast(table(walk), 4, (0.05, 0.5, 0.95))
    offsets = forecasts.quantiles[0] - walk[-1]
    expected = 1.645 * np.sqrt(np.arange(1, 5))
    np.testing.assert_allclose(offsets[:, 2], expected, rtol=0.12)
    np.testing.assert_allclose(offsets[:, 0], -expected, rtol=0.12)
    np.testing.assert_array_equal(offsets[:, 1], 0.0)


def test_a_short_series_borrows_the_spread_of_the_others(rng):
    """b is a thousandth of a's size and has 6 rows: its spread comes from a's errors, times b's own mean change."""
    long, short = np.cumsum(rng.normal(size=500)), 0.001 * np.cumsum(rng.normal(size=6))
    forecasts = Naive().forecast(table(long, short), 3, (0.05, 0.5, 0.95))
    width = forecasts.quantiles[..., 2] - forecasts.quantiles[..., 0]
    ratio = np.mean(np.abs(np.diff(short))) / np.mean(np.abs(np.diff(long)))
    pooled = Naive().residuals(long, 3)[:, -200:]
    from_pool = [np.ptp(np.quantile(row[~np.isnan(row)], [0.05, 0.95], method="weibull")) for row in pooled]
    np.testing.assert_allclose(width[1], np.array(from_pool) * ratio, rtol=0.05)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestEveryRule:
    """What `Rule` promises."""

    @given(data=st.data())
    def test_quantiles_do_not_cross_and_the_median_is_the_mean(self, rule, data):
        lengths = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))
        y = [data.draw(hnp.arrays(np.float64, n, elements=st.floats(-1e5, 1e5))) for n in lengths]
        for values in y:
            values[: data.draw(st.integers(0, len(values) - 1))] = NAN
        forecasts = rule.forecast(table(*y), data.draw(st.integers(1, 9)), LEVELS)
        assert np.isfinite(forecasts.quantiles).all()
        assert (np.diff(forecasts.quantiles, axis=-1) >= 0).all()
        np.testing.assert_array_equal(forecasts.median, forecasts.mean)

    @pytest.mark.parametrize("factor", [1e-12, 1e25])
    def test_it_follows_the_scale_of_the_data(self, rule, factor, rng):
        """Each rule is linear in the data up to its sign: c·y gives c times the forecast."""
        y = np.cumsum(rng.normal(size=60)) + 100
        plain, scaled = (rule.forecast(table(c * y), 5, LEVELS).quantiles for c in (1.0, factor))
        np.testing.assert_allclose(scaled, factor * plain, rtol=1e-8)

    def test_a_constant_series_stays_constant(self, rule):
        np.testing.assert_array_equal(rule.forecast(table(np.full(50, 3.5)), 4, LEVELS).quantiles, 3.5)

    def test_a_series_of_zeros_and_one_of_a_single_row(self, rule):
        quantiles = rule.forecast(table(np.zeros(50), [2.0]), 4, LEVELS).quantiles
        np.testing.assert_array_equal(quantiles[0], 0.0)
        np.testing.assert_array_equal(quantiles[1], 2.0)

    def test_forecasts_are_dated_right_after_the_last_row(self, rule):
        forecasts = rule.forecast(table(np.arange(30.0), np.arange(4.0)), 3, (0.5,))
        assert forecasts.ids == ("a", "b")
        assert forecasts.ds.tolist() == [[30, 31, 32], [4, 5, 6]]

    def test_a_series_without_any_known_value_gets_nan(self, rule):
        forecasts = rule.forecast(table(np.arange(40.0), [NAN, NAN]), 2, LEVELS)
        assert np.isnan(forecasts.quantiles[1]).all()
        assert np.isfinite(forecasts.quantiles[0]).all()

    def test_holes_in_the_history_are_passed_over(self, rule, rng):
        y = 50 + np.cumsum(rng.normal(size=80))
        y[rng.random(80) < 0.3] = NAN
        assert np.isfinite(rule.forecast(table(y), 6, LEVELS).quantiles).all()

    @pytest.mark.parametrize("levels", [(), (0.5, 0.1), (0.0, 0.5), (0.5, 1.0)])
    def test_bad_levels_and_horizons_are_refused(self, rule, levels):
        with pytest.raises(ConfigError, match="level"):
            rule.forecast(table([1.0, 2.0]), 1, levels)
        with pytest.raises(ConfigError, match="horizon is 0"):
            rule.forecast(table([1.0, 2.0]), 0, (0.5,))


def test_default_rules():
    """Four seasons for the linear map, at least 32 and at most 128 rows; no seasonal rule without a season."""
    names = [rule.name for rule in default_rules(Frequency.parse("D"), None, None)]
    assert names == ["naive", "seasonal naive (7)", "drift", "linear window (32)"]
    assert [rule.name for rule in default_rules(Frequency.parse("1"), None, None)][-2:] == [
        "drift",
        "linear window (32)",
    ]
    assert default_rules(Frequency.parse("W"), 52, 30)[-1].context == 30
    assert default_rules(Frequency.parse("15min"), 96, None)[-1].context == 128


def test_bad_seasons_and_contexts_are_refused():
    with pytest.raises(ConfigError, match="season is 0"):
        SeasonalNaive(0)
    with pytest.raises(ConfigError, match="context is 0"):
        LinearWindow(0)
