"""The sktime forecaster: Recurra's numbers under sktime's indices, one network over panels, nothing from the future."""

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.errors import ConfigError, TableError
from recurra.learners.adapters import RecurrentForecaster

QUICK = {"hidden_size": 4, "max_epochs": 1, "residual": "naive", "sp": 7, "settings": {"keep": "trained"}}


def waves(n: int = 60, columns: int = 1, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    y = np.sin(2 * np.pi * np.arange(n)[:, None] / 7 + np.arange(columns)) + 0.1 * random.normal(size=(n, columns))
    return pd.DataFrame(y, index=pd.period_range("2024-01-01", periods=n, freq="D"), columns=list("ab")[:columns])


def panel(n: int = 40) -> pd.DataFrame:
    return pd.concat([waves(n, 2, seed) for seed in range(3)], keys=["x", "y", "z"], names=["place", "day"])


def test_it_answers_with_the_forecaster_s_own_numbers() -> None:
    # expected: recurra.Forecaster with the same settings on the same rows
    y = waves()
    model = RecurrentForecaster(**QUICK).fit(y["a"], fh=[1, 3])
    same = recurra.Forecaster(
        horizon=3, season=7, unique_id=None, hidden_size=4, max_epochs=1, residual="naive", missing="mask",
        gaps="fill", missing_covariates="mask", quantiles=model.quantiles, keep="trained",
    )  # fmt: skip
    expected = same.fit({"ds": y.index.to_timestamp().to_numpy(), "y": y["a"].to_numpy()}).forecasts(
        {"ds": y.index.to_timestamp().to_numpy(), "y": y["a"].to_numpy()}
    )
    np.testing.assert_allclose(model.predict().to_numpy(), expected.median[0, [0, 2]])
    np.testing.assert_allclose(
        model.predict_quantiles(alpha=[0.1, 0.9]).to_numpy(),
        np.stack([expected.quantile(0.1), expected.quantile(0.9)], -1)[0, [0, 2]],
    )
    assert list(model.predict().index) == [y.index[-1] + 1, y.index[-1] + 3]


def test_one_network_learns_from_all_instances_and_columns() -> None:
    y = panel()
    model = RecurrentForecaster(**QUICK).fit(y, fh=[1, 2])
    answer = model.predict()
    assert model.forecaster_._predictor.preparation.n_inputs > 0
    assert answer.shape == (6, 2)
    assert list(answer.columns) == ["a", "b"]
    # expected: an instance's forecast does not depend on which others are there to predict
    alone = RecurrentForecaster(**QUICK).fit(y, fh=[1, 2])
    alone._rows = type(alone._rows)(y.loc[["y"]])
    np.testing.assert_allclose(alone._answers(alone.fh, None).median, model._answers(model.fh, None).median[2:4])


def test_rows_of_the_sample_are_forecast_from_the_row_before() -> None:
    y = waves()
    model = RecurrentForecaster(**QUICK).fit(y, fh=np.arange(-59, 1))
    before = model.predict()
    assert np.isnan(before.iloc[0]).all()
    later = y.copy()
    later.iloc[30:] += 5.0
    model._rows = type(model._rows)(later)
    changed = model.predict()
    np.testing.assert_allclose(before.iloc[1:31], changed.iloc[1:31])
    assert (np.abs(before.iloc[31:] - changed.iloc[31:]) > 0.1).all(axis=None)


def test_an_update_without_learning_carries_the_state_on() -> None:
    # expected: the forecast from all rows by the network of the first ones
    y = waves(70)
    model = RecurrentForecaster(**QUICK).fit(y.iloc[:60], fh=[1, 2])
    whole = model.clone().fit(y.iloc[:60], fh=[1, 2])
    whole._rows = type(whole._rows)(y)
    for day in range(60, 70):
        model.update(y.iloc[[day]], update_params=False)
    np.testing.assert_allclose(model._answers(model.fh, None).median, whole._answers(whole.fh, None).median)
    assert model.predict().index[0] == y.index[-1] + 1


def test_covariates_are_known_ahead_and_may_be_categories() -> None:
    y, days = waves(), pd.period_range("2024-01-01", periods=64, freq="D")
    X = pd.DataFrame({"load": np.arange(64.0), "kind": np.where(np.arange(64) % 7 < 5, "work", "rest")}, index=days)
    model = RecurrentForecaster(**QUICK).fit(y, X=X.iloc[:60], fh=[1, 2])
    assert model.predict(X=X.iloc[60:62]).shape == (2, 1)
    with pytest.raises(TableError, match="the forecast needs 2"):
        model.predict(X=X.iloc[60:61])
    with pytest.raises(TableError, match="hand in X"):
        model.predict()
    with pytest.raises(TableError, match="hand in X"):
        model.update(waves(61).iloc[60:])


def test_what_is_missing_in_x_is_masked_and_settings_go_before() -> None:
    # expected: NaN even in the first row of X is no error, and the network is told of it; "last" can be asked for
    y = waves()["a"]
    x = pd.DataFrame({"f": np.cos(np.arange(63))}, index=pd.period_range("2024-01-01", periods=63, freq="D"))
    holes = x.where(np.arange(63)[:, None] % 5 != 0)
    model = RecurrentForecaster(**QUICK).fit(y, X=holes.iloc[:60], fh=[1, 3])
    assert model.forecaster_._predictor.preparation.masked == ("x0",)
    assert np.isfinite(model.predict(X=holes.iloc[60:])).all()
    last = RecurrentForecaster(**{**QUICK, "settings": {"missing_covariates": "last", "season": 6}})
    last.fit(y, X=x.iloc[:60], fh=[1, 3])
    assert last.forecaster_.season_ == 6
    assert last.forecaster_._predictor.preparation.masked == ()
    with pytest.raises(ConfigError, match="settings: 'horizon' follows from y, X and fh"):
        RecurrentForecaster(**{**QUICK, "settings": {"horizon": 2}}).fit(y, fh=[1])


def test_a_level_beyond_the_learned_ones_is_refused() -> None:
    model = RecurrentForecaster(**QUICK, quantiles=(0.1, 0.5, 0.9)).fit(waves(), fh=[1])
    with pytest.raises(ConfigError, match=r"0.01.*quantiles="):
        model.predict_quantiles(alpha=[0.01])
