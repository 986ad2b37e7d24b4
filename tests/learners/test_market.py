"""MarketForecaster end to end on made prices: fit, predict, fan, save, stream, backtest; and nothing looks ahead."""

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.baselines.market import Garch
from recurra.data.market import return_ahead
from recurra.errors import (
    ConfigError,
    LateRowError,
    NotFittedError,
    SnapshotError,
    StreamError,
    TableError,
    TooShortError,
)
from recurra.prediction.market import AssetScale

QUICK = {"hidden_size": 4, "max_epochs": 2, "context": 32}
OHLC = {"open": "open", "high": "high", "low": "low"}


def made_prices(n=260, seed=0, **columns):
    """Weekdays whose volatility comes and goes."""
    random = np.random.default_rng(seed)
    size = np.exp(np.convolve(random.normal(0, 0.3, n + 30), np.ones(30) / 6, "valid")[:n]) * 0.008
    close = 100.0 * np.exp(np.cumsum(size * random.standard_normal(n)))
    opening = close * np.exp(0.3 * size * random.standard_normal(n))
    high, low = np.maximum(opening, close) * (1 + size / 2), np.minimum(opening, close) * (1 - size / 2)
    days = pd.bdate_range("2020-01-06", periods=n)
    return pd.DataFrame({"ds": days, "open": opening, "high": high, "low": low, "close": close, **columns})


@pytest.fixture(scope="module")
def prices():
    return made_prices(vix=20.0 + np.sin(np.arange(260)))


@pytest.fixture(scope="module")
def model(prices):
    return recurra.MarketForecaster((1, 5), **OHLC, log_covariates=("vix",), **QUICK).fit(prices)


def test_predict_dates_the_distribution_of_returns(model, prices):
    table = model.predict(prices)
    assert table["ds"].dt.strftime("%Y-%m-%d").tolist() == ["2021-01-04", "2021-01-08"]
    assert table["days"].tolist() == [1, 5]
    assert (table["q05"] < table["q50"]).all()
    assert (table["std"] > 0).all()
    assert table["std"][1] > table["std"][0]


def test_the_fan_is_the_last_close_times_the_returns(model, prices):
    fan = model.fan(prices)
    returns = model.predict(prices)
    np.testing.assert_allclose(
        fan.quantiles[0, :, fan.levels.index(0.05)], prices["close"].iloc[-1] * np.exp(returns["q05"] / 100), rtol=1e-12
    )
    only = recurra.MarketForecaster(close=None, returns="r", **QUICK)
    table = prices.assign(r=100 * np.log(prices["close"]).diff().fillna(0.0))
    with pytest.raises(TableError, match="no closing prices"):
        only.fit(table).fan(table)


def test_changing_the_future_changes_no_forecast(model, prices):
    """Row by row: the forecasts of a table with other rows after day 200 are the same up to day 200."""
    spoilt = prices.copy()
    spoilt.loc[201:, ["open", "high", "low", "close"]] *= 1.1
    spoilt.loc[201:, "vix"] = 80.0
    whole, other = (model.hindcast(table)[0] for table in (prices, spoilt))
    cut = model.hindcast(prices.head(201))[0]
    for part in (other, cut):
        np.testing.assert_allclose(part.variance[:201], whole.variance[:201], rtol=1e-9)
        np.testing.assert_allclose(part.returns.mean[:201], whole.returns.mean[:201], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(part.returns.std[:201], whole.returns.std[:201], rtol=1e-9)


def test_a_fold_is_fitted_on_the_days_before_it_alone(prices):
    """A backtest of tables that differ only in the last fold gives the same figures in the first one."""
    spoilt = prices.copy()
    spoilt.loc[231:, ["open", "high", "low", "close"]] *= 1.05
    learner = recurra.MarketForecaster(**OHLC, **QUICK)
    since = prices["ds"].iloc[200]
    first, second = (learner.backtest(table, since, refit=30) for table in (prices, spoilt))
    np.testing.assert_array_equal(first.values[..., :30], second.values[..., :30])
    assert not np.array_equal(first.values[..., 31:], second.values[..., 31:], equal_nan=True)


def test_a_stream_says_what_predict_says(model, prices):
    stream = model.stream(prices.head(240))
    for i in range(240, 260):
        live = stream.update(prices.iloc[i].to_dict())
    whole = model.hindcast(prices, 259)[0]
    np.testing.assert_allclose(live.variance, whole.variance, rtol=1e-9)
    np.testing.assert_allclose(live.returns.mean, whole.returns.mean, rtol=1e-9, atol=1e-12)
    assert [row["days"] for row in stream.to_rows(live)] == [1, 5]
    again = model.restore(stream.snapshot())
    fresh = {**prices.iloc[-1].to_dict(), "ds": pd.Timestamp("2021-01-04")}
    np.testing.assert_array_equal(again.update(fresh).variance, stream.update(fresh).variance)


def test_a_stream_from_nothing_agrees_too(model, prices):
    stream = model.stream()
    for i in range(40):
        live = stream.update(prices.iloc[i].to_dict())
    whole = model.hindcast(prices.head(40), 39)[0]
    np.testing.assert_allclose(live.variance, whole.variance, rtol=1e-9)


def test_a_stream_takes_masked_covariates_holes_and_crashes_as_a_table_does(prices):
    """A hole in the covariate, two missing days, and a fall by half within a day, which is no split."""
    last = prices.iloc[-1]
    nxt = {**last.to_dict(), "vix": float("nan"), "ds": pd.Timestamp("2021-01-04")}
    crash = {"open": 0.98 * last["close"], "high": 0.99 * last["close"]}
    crash |= {"close": 0.5 * last["close"], "low": 0.49 * last["close"], "vix": 60.0, "ds": pd.Timestamp("2021-01-07")}
    policy = {"missing": "mask", "gaps": "mask", "splits": "adjust"}
    model = recurra.MarketForecaster(**OHLC, log_covariates=("vix",), **policy, **QUICK).fit(prices)
    stream, rows = model.stream(prices), prices
    for row in (nxt, crash):
        live = stream.update(row)
        rows = pd.concat([rows, pd.DataFrame([row])], ignore_index=True)
        whole = model.hindcast(rows, len(rows) - 1)[0]
        np.testing.assert_allclose(live.variance, whole.variance, rtol=1e-9)
        np.testing.assert_allclose(live.returns.std, whole.returns.std, rtol=1e-9)
    assert model._known_table(rows).holes == 1


def test_a_stream_refuses_by_name_and_stays_as_it_was(model, prices):
    stream = model.stream(prices)
    before = stream.snapshot()
    last = prices.iloc[-1].to_dict()
    with pytest.raises(LateRowError, match="2021-01-01 has been seen"):
        stream.update(last)
    with pytest.raises(StreamError, match="31 days after the last one"):
        stream.update({**last, "ds": pd.Timestamp("2021-02-01")})
    halved = {**last, "ds": pd.Timestamp("2021-01-04")}
    halved |= {name: last[name] / 2 for name in ("open", "high", "low", "close")}
    with pytest.raises(StreamError, match="stock split of 2"):
        stream.update(halved)
    assert stream.snapshot() == before
    with pytest.raises(SnapshotError):
        model.restore(before[:-4])


def test_a_model_goes_through_a_folder(model, prices, tmp_path):
    model.save(tmp_path / "model", data_name="made up", data_licence="CC0")
    again = recurra.load(tmp_path / "model")
    assert isinstance(again, recurra.MarketForecaster)
    assert again.model_hash_ == model.model_hash_
    pd.testing.assert_frame_equal(again.predict(prices), model.predict(prices))
    assert "260 days of 1 assets" in (tmp_path / "model" / "README.md").read_text()


def test_a_folder_without_smearing_answers_as_it_did(model):
    """Expected: E v = exp(p + s² / 2) and the path's own scale of the returns, as before there was smearing."""
    (scale,) = model._predictor.scales.values()
    config = scale.to_config()
    del config["return_scale"]
    for each in config["rule"]["horizons"]:
        del each["smearing"]
    old = AssetScale.from_config(config)
    for k, days in enumerate(old.rule.horizons):
        assert old.rule.smearing[days] == scale.rule.spread[days] ** 2 / 2
        assert old.return_scale[k] == days * scale.rule.scales[days][1]
    assert AssetScale.from_config(scale.to_config()).to_config() == scale.to_config()


def test_the_backtest_speaks(prices):
    report = recurra.MarketForecaster(**OHLC, **QUICK).backtest(prices, "2020-10-12", refit=100, seeds=2, linear=True)
    assert report.names[:2] == ("network", "recurrent part off")
    assert "evidence of skill in forecasting the returns" in report.sentence
    assert "evidence of skill in forecasting the variance" in str(report)
    described = report.to_dict()
    assert described["settings"]["seeds"] == 2
    assert "Scores are means over 2 seeds, the verdict is that of the first" in report.sentence
    each = [np.nanmean(report.field("network", "qlike", seed=seed)) for seed in (0, 1)]
    assert each[0] != each[1]
    assert report.scores[1]["network"].qlike == pytest.approx(np.mean(each))
    assert not report.evidence  # 60 days are too few for any
    assert report.long_flat().held <= 1.0


def test_several_assets_share_a_network(prices):
    both = pd.concat([prices.assign(name="a"), made_prices(200, 5, vix=20.0).assign(name="b")])
    model = recurra.MarketForecaster(unique_id="name", **OHLC, distribution="mixture", **QUICK).fit(both)
    assert model.predict(both)["name"].tolist() == ["a", "b"]
    assert model.fan(both).quantiles.shape == (2, 1, 9)
    with pytest.raises(TableError, match="asset 'c' was not there at fit"):
        model.predict(prices.assign(name="c"))
    report = recurra.MarketForecaster(unique_id="name", **OHLC, **QUICK).backtest(both, "2020-09-01", refit=200)
    assert report.field("network", "qlike").shape[0] == 2
    assert np.isnan(report.field("network", "qlike")[1, -30:]).all()  # b ends 60 days before a


def test_an_asset_that_is_too_young_for_a_fold_is_left_out_of_it(prices, monkeypatch):
    """b begins on day 60: it has 90 days before the first fold, too few, and 150 before the second."""
    both = pd.concat([prices.assign(name="a"), made_prices(260, 5, vix=20.0)[60:].assign(name="b")])
    monkeypatch.setattr(Garch, "available", staticmethod(lambda: False))
    learner = recurra.MarketForecaster((5,), unique_id="name", **OHLC, **QUICK)
    report = learner.backtest(both, prices["ds"].iloc[150], refit=60)
    assert np.isnan(report.field("network", "mean")[1, :60]).all()
    assert np.isfinite(report.field("network", "mean")[1, 60:]).all()
    assert [each.asset for each in report.left_out] == ["b"]
    assert "b was left out from 2020-08-03 to 2020-10-23" in str(report)
    assert "GARCH and GJR took no part" in report.sentence
    assert report.to_dict()["missing_rules"] == ["GARCH", "GJR"]
    assert report.long_flat() is None  # sums of five days are no daily returns
    low, high = report.scores[5]["network"].right_interval
    assert high - low > 0.3  # 110 days hold 21 sums that do not overlap, whatever the number of assets


def test_returns_are_as_wide_as_they_come_where_only_the_close_is_known():
    """On 900 days learned from, squared returns and their variances have one mean; on 300 that follow, nearly."""
    table = made_prices(1200, 7)[["ds", "close"]]
    model = recurra.MarketForecaster((1, 5), hidden_size=4, context=64, max_epochs=8).fit(table.head(900))
    found, asset = model.hindcast(table)[0], model._known_table(table).assets[0]
    came = np.stack([return_ahead(asset.returns, days) for days in (1, 5)], axis=1)
    squares, variance = (came - found.returns.mean.numpy()) ** 2, found.returns.variance.numpy()
    for k, days in enumerate((1, 5)):
        learned = slice(22, 900 - days)  # the days whose returns were known
        assert squares[learned, k].mean() == pytest.approx(variance[learned, k].mean(), rel=1e-2)
    assert np.mean(squares[900:-1, 0] / variance[900:-1, 0]) == pytest.approx(1.0, abs=0.4)
    level = np.nanmean(asset.variance[900:])
    assert found.variance[900:, 0].mean() == pytest.approx(level, rel=0.3)


def test_the_same_seed_gives_the_same_model(prices):
    made = [recurra.MarketForecaster(seed=seed, **OHLC, **QUICK).fit(prices).model_hash_ for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]


def test_refusals(prices):
    with pytest.raises(NotFittedError):
        recurra.MarketForecaster().predict(prices)
    with pytest.raises(ConfigError, match="horizons"):
        recurra.MarketForecaster(horizons=(0,)).fit(prices)
    with pytest.raises(TooShortError, match="at least 101"):
        recurra.MarketForecaster(**QUICK).fit(prices.head(90))
    with pytest.raises(ConfigError, match="leave no days"):
        recurra.MarketForecaster(**QUICK).backtest(prices, "1990-01-01")
