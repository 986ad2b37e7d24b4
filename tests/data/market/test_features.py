"""HAR terms, targets and trading days, with numbers worked out by hand; nothing looks ahead."""

import numpy as np
import pytest

from recurra.data.market import (
    LOOKBACK,
    MarketColumns,
    MarketTable,
    har_terms,
    input_names,
    market_inputs,
    next_trading_days,
    path_terms,
    return_ahead,
    variance_ahead,
)


def test_har_terms_are_day_week_and_month(rng):
    values = rng.normal(size=60)
    terms = har_terms(values)
    assert terms[40].tolist() == pytest.approx([values[40], values[36:41].mean(), values[19:41].mean()])
    values[40] = np.nan
    assert har_terms(values)[40, 0] == pytest.approx(np.nanmean(values[19:41]))


def test_targets_are_sums_and_means_of_the_days_after():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(return_ahead(values, 2), [5.0, 7.0, np.nan, np.nan])
    np.testing.assert_array_equal(variance_ahead(values, 1), [2.0, 3.0, 4.0, np.nan])


def test_inputs_come_from_the_last_22_rows_alone(prices):
    """A stream keeps only these rows, and gets the very same numbers."""
    columns = MarketColumns(open="open", high="high", low="low", log_covariates=("vix",))
    asset = MarketTable.from_table(prices(n=80, vix=np.linspace(10, 30, 80)), columns=columns).assets[0]
    whole = market_inputs(asset), path_terms(asset)
    part = asset.part(70 - LOOKBACK + 1, 71)
    np.testing.assert_array_equal(market_inputs(part)[-1], whole[0][70])
    np.testing.assert_array_equal(path_terms(part)[-1], whole[1][70])
    assert whole[0].shape[1] == len(input_names(("vix",)))


def test_the_next_trading_days_are_weekdays_unless_weekends_are_traded():
    weekdays = np.array(["2024-05-02", "2024-05-03"], "datetime64[us]")  # a Thursday and a Friday
    assert next_trading_days(weekdays, [1, 6]).astype("M8[D]").astype(str).tolist() == ["2024-05-06", "2024-05-13"]
    every = np.arange("2024-04-01", "2024-05-04", dtype="datetime64[D]")
    assert next_trading_days(every, [1]).astype("M8[D]").astype(str).tolist() == ["2024-05-04"]
