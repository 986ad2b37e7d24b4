"""No later day reaches a market forecast: any cut, change, horizon and policy; nor the path and scales of a fit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recurra

DAYS = 140
BLEMISHES = {"gaps": "mask", "missing": "mask"}
POLICIES = {
    "refuse": {},
    "ignore": {"splits": "ignore", **BLEMISHES},
    "adjust": {"splits": "adjust", **BLEMISHES},
    "close alone": {"splits": "adjust", "open": None, "high": None, "low": None, **BLEMISHES},
}
PRICES = ["open", "high", "low", "close"]
SETTINGS = {
    "horizons": (1, 5, 22), "hidden_size": 4, "max_epochs": 1, "context": 32, "unique_id": "name",
    "open": "open", "high": "high", "low": "low", "log_covariates": ("vix",),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Two assets on the same weekdays, with a covariate."""
    random, parts = np.random.default_rng(0), []
    for name in ("a", "b"):
        close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(DAYS)))
        opening = close * np.exp(0.003 * random.standard_normal(DAYS))
        high, low = 1.004 * np.maximum(opening, close), 0.997 * np.minimum(opening, close)
        columns = {"open": opening, "high": high, "low": low, "close": close, "vix": 20 + random.random(DAYS)}
        parts.append(pd.DataFrame({"name": name, "ds": pd.bdate_range("2020-01-06", periods=DAYS), **columns}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def models(rows):
    return {name: recurra.MarketForecaster(**{**SETTINGS, **policy}).fit(rows) for name, policy in POLICIES.items()}


def said(model, table, cut):
    """Everything forecast after the days up to `cut`, of both assets."""
    found = [model.hindcast(table)[i] for i in range(2)]
    parts = [[f.log_mean, f.log_std, f.variance, f.returns.mean.numpy(), f.returns.std.numpy()] for f in found]
    return np.array([[values[: cut + 1] for values in part] for part in parts])


@settings(max_examples=30, deadline=None)
@given(
    policy=st.sampled_from(list(POLICIES)),
    cut=st.integers(2, DAYS - 10),
    factor=st.sampled_from([0.1, 0.5, 0.8, 1.2, 2.0, 50.0]),
    vix=st.sampled_from([0.01, 90.0, np.nan]),
    hole=st.integers(0, 5),
)
def test_no_forecast_knows_a_later_day(policy, cut, factor, vix, hole, rows, models):
    """Later prices are multiplied, a split is put in, the covariate changed or masked, and days are taken away."""
    number = rows.groupby("name").cumcount()
    later = number > cut
    if policy == "refuse":
        factor, vix, hole = 1.2, 90.0, 0
    spoilt = rows.assign(
        vix=rows["vix"].where(~later, vix), **{name: rows[name].where(~later, factor * rows[name]) for name in PRICES}
    )
    spoilt = spoilt[(number <= cut + 1) | (number > cut + 1 + hole)]
    before = said(models[policy], rows, cut)
    assert np.isfinite(before).all()
    for table in (spoilt, rows[~later]):
        np.testing.assert_allclose(said(models[policy], table, cut), before, rtol=1e-8, atol=1e-9)


def test_a_fit_takes_path_and_scales_from_the_training_rows(rows):
    """Other values in the validation rows change no number that forecasts, or one epoch's weights, are made of."""
    model = recurra.MarketForecaster(**{**SETTINGS, "horizons": (1, 5)}, validation=0.2)
    late = rows.groupby("name").cumcount() >= DAYS - round(0.2 * DAYS)
    spoilt = rows.assign(vix=rows["vix"].where(~late, 80.0), **{n: rows[n].where(~late, 1.2 * rows[n]) for n in PRICES})
    first, second = (recurra.MarketForecaster(**model.get_params()).fit(table) for table in (rows, spoilt))
    assert first._predictor.to_config() == second._predictor.to_config()
    for name, value in first.network_.state_dict().items():
        assert value.equal(second.network_.state_dict()[name]), name
