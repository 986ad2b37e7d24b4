"""Prices become returns and variances; a wrong cell is named by row and column."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recurra.data.market import MarketColumns, MarketPolicy, MarketTable, garman_klass
from recurra.errors import BadValueError, ConfigError, MissingColumnError, TableError, TimeStampError

OHLC = MarketColumns(open="open", high="high", low="low")


def test_returns_are_log_changes_of_the_close_in_percent(prices):
    table = prices()
    asset = MarketTable.from_table(table).assets[0]
    assert np.isnan(asset.returns[0])
    np.testing.assert_allclose(asset.returns[1:], 100 * np.diff(np.log(table["close"])), rtol=1e-12)
    np.testing.assert_allclose(asset.variance[1:], asset.returns[1:] ** 2, rtol=1e-12)


def test_a_range_gives_the_variance(prices):
    table = prices()
    asset = MarketTable.from_table(table, columns=OHLC).assets[0]
    expected = garman_klass(*(table[name].to_numpy() for name in ("open", "high", "low", "close")))
    np.testing.assert_allclose(asset.variance, expected, rtol=1e-12)
    assert OHLC.measure == "day's range (Garman-Klass)"


def test_several_assets_keep_their_rows_apart_and_any_kind_of_table_will_do(prices):
    both = pd.concat([prices(seed=1, unique_id="a"), prices(n=30, seed=2, unique_id="b")])
    columns = MarketColumns(unique_id="unique_id")
    table = MarketTable.from_table(both, columns=columns)
    assert table.ids == ("a", "b")
    assert [len(asset) for asset in table.assets] == [40, 30]
    again = MarketTable.from_table(pl.from_pandas(both.reset_index(drop=True)), columns=columns)
    assert again.kind == "polars"
    np.testing.assert_array_equal(again.asset("b").returns, table.asset("b").returns)
    with pytest.raises(TableError, match="there is no asset 'c'; the assets are 'a', 'b'"):
        table.asset("c")


def test_a_split_is_refused_by_default_and_leaves_no_jump_when_adjusted(prices):
    whole = prices()
    split = whole.copy()
    split.loc[20:, ["open", "high", "low", "close"]] /= 4.0
    with pytest.raises(BadValueError, match=r"row 21, column 'close' .*stock split \(4 for 1\).*splits='adjust'"):
        MarketTable.from_table(split, columns=OHLC)
    adjusted = MarketTable.from_table(split, columns=OHLC, policy=MarketPolicy(splits="adjust")).assets[0]
    plain = MarketTable.from_table(whole, columns=OHLC).assets[0]
    np.testing.assert_allclose(adjusted.returns, plain.returns, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(adjusted.variance, plain.variance, rtol=1e-9)
    ignored = MarketTable.from_table(split, columns=OHLC, policy=MarketPolicy(splits="ignore")).assets[0]
    assert ignored.returns[20] == pytest.approx(plain.returns[20] - 100 * np.log(4))


def test_an_adjusted_close_takes_the_split_out(prices):
    whole = prices()
    split = whole.assign(adjusted=whole["close"])
    split.loc[:19, ["open", "high", "low", "close"]] *= 2.0
    columns = MarketColumns(open="open", high="high", low="low", adjusted_close="adjusted")
    found = MarketTable.from_table(split, columns=columns).assets[0]
    np.testing.assert_allclose(found.returns, MarketTable.from_table(whole).assets[0].returns, rtol=1e-9, atol=1e-12)


def test_missing_trading_days_are_refused_or_their_return_is_masked(prices):
    table = prices().drop(index=range(10, 20))
    with pytest.raises(TimeStampError, match=r"row 11, column 'ds' .*17 days after the row before.*gaps='mask'"):
        MarketTable.from_table(table)
    asset = MarketTable.from_table(table, policy=MarketPolicy(gaps="mask")).assets[0]
    assert np.flatnonzero(np.isnan(asset.returns)).tolist() == [0, 10]


def test_fewer_than_seven_days_can_be_too_many(prices):
    """Four weekdays are missing between two rows a week apart."""
    table = prices(120).drop(index=range(100, 104))
    with pytest.raises(TimeStampError, match=r"row 101, column 'ds' .*7 days after the row before.*closed"):
        MarketTable.from_table(table)
    masked = MarketTable.from_table(table, policy=MarketPolicy(gaps="mask"))
    assert masked.holes == 1
    assert np.flatnonzero(np.isnan(masked.assets[0].returns)).tolist() == [0, 100]
    with pytest.raises(ConfigError, match="days like 2012-10-29"):
        MarketPolicy(closed=("never",))


@pytest.mark.parametrize(
    ("column", "row", "value", "said"),
    [
        ("close", 4, 0.0, r"row 5, column 'close' .*above 0"),
        ("close", 4, np.nan, r"row 5, column 'close' .*missing='mask'"),
        ("close", 4, np.inf, r"row 5, column 'close' .*infinite"),
        ("high", 7, 1.0, r"row 8, column 'high' .*below open or close"),
        ("low", 7, 1e6, r"row 8, column 'low' .*above open or close"),
        ("vix", 2, -3.0, r"row 3, column 'vix' .*logarithm"),
    ],
)
def test_a_wrong_cell_is_named(prices, column, row, value, said):
    table = prices(vix=20.0)
    table.loc[row, column] = value
    columns = MarketColumns(open="open", high="high", low="low", log_covariates=("vix",))
    with pytest.raises(BadValueError, match=said):
        MarketTable.from_table(table, columns=columns)


def test_wrong_names_and_choices_are_refused(prices):
    with pytest.raises(MissingColumnError, match="did you mean 'close'"):
        MarketTable.from_table(prices(), columns=MarketColumns(close="Close"))
    with pytest.raises(ConfigError, match="all of open, high, low and close"):
        MarketColumns(high="high")
    with pytest.raises(ConfigError, match="nothing to forecast"):
        MarketColumns(close=None)
    with pytest.raises(ConfigError, match="two roles"):
        MarketColumns(realised="close")
    with pytest.raises(ConfigError, match="splits='guess' is unknown"):
        MarketPolicy(splits="guess")
    with pytest.raises(TimeStampError, match="trading days are dates"):
        MarketTable.from_table({"ds": [1, 2, 3], "close": [1.0, 1.0, 1.1]})


def test_a_masked_variance_and_a_carried_covariate(prices):
    table = prices(rv=1.0, vix=20.0).assign(r=0.1)
    table.loc[5, ["rv", "vix"]] = np.nan
    columns = MarketColumns(close=None, returns="r", realised="rv", log_covariates=("vix",))
    with pytest.raises(BadValueError, match="row 6, column 'rv'"):
        MarketTable.from_table(table, columns=columns)
    asset = MarketTable.from_table(table, columns=columns, policy=MarketPolicy(missing="mask")).assets[0]
    assert np.flatnonzero(np.isnan(asset.variance)).tolist() == [5]
    np.testing.assert_allclose(asset.covariates["vix"], np.log(20.0))


def test_before_cuts_by_day(prices):
    table = MarketTable.from_table(prices())
    assert len(table.before("2020-01-13").assets[0]) == 5
