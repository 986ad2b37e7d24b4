"""The regressor over windows: better than its linear map where that can be beaten, the linear map where it cannot."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recurra.errors import ConfigError
from recurra.learners.adapters import RecurrentRegressor


def logistic_map(steps: int) -> np.ndarray:
    """x(t+1) = 3.8 x(t) (1 - x(t)): what comes next is a parabola of the last value, which no linear map can tell."""
    x = np.empty(steps)
    x[0] = 0.3
    for t in range(1, steps):
        x[t] = 3.8 * x[t - 1] * (1 - x[t - 1])
    return x


def windows(series: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    return np.lib.stride_tricks.sliding_window_view(series, lags)[:-1], series[lags:]


def test_it_learns_what_a_linear_map_cannot() -> None:
    # expected: a linear map's error on the same rows
    X, y = windows(logistic_map(700), 4)
    model = RecurrentRegressor(max_epochs=60, learning_rate=2e-2).fit(X[:500], y[:500])
    linear = LinearRegression().fit(X[:500], y[:500])
    assert np.mean((model.predict(X[500:]) - y[500:]) ** 2) < 0.1 * np.mean((linear.predict(X[500:]) - y[500:]) ** 2)


def test_where_the_network_does_not_help_the_linear_map_stays() -> None:
    # expected: an exactly linear series, whose ridge regression with no penalty leaves nothing to correct
    X, y = windows(np.arange(60.0), 3)
    model = RecurrentRegressor(ridge=0.0, max_epochs=2).fit(X, y)
    assert not model.network_.head.weight.any()
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-9)


def test_several_inputs_a_step_and_several_outputs() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(80, 12))
    y = np.stack([X[:, 0], X[:, -1], X.sum(1)], 1)
    model = RecurrentRegressor(inputs_per_step=3, max_epochs=2).fit(X, y)
    assert model.network_.recurrent.input_size == 3
    assert model.predict(X).shape == (80, 3)
    assert model.score(X, y) > 0.99


def test_the_same_seed_gives_the_same_model_and_touches_no_global_generator() -> None:
    import torch

    X, y = windows(logistic_map(80), 4)
    before = torch.random.get_rng_state()
    one, same = (RecurrentRegressor(max_epochs=3, random_state=4).fit(X, y).predict(X) for _ in range(2))
    assert np.array_equal(one, same)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not np.array_equal(one, RecurrentRegressor(max_epochs=3, random_state=5).fit(X, y).predict(X))


def test_rows_kept_for_validation_are_not_learned_from() -> None:
    # expected: by hand; the last 15 % of 100 rows change nothing in scales and linear map
    X, y = windows(logistic_map(104), 4)
    other = y.copy()
    other[85:] += 100
    one, two = (RecurrentRegressor(max_epochs=1).fit(X, targets) for targets in (y, other))
    np.testing.assert_array_equal(one.linear_.coef_, two.linear_.coef_)
    np.testing.assert_array_equal(one._y_spread, two._y_spread)


def test_it_works_in_pipelines_and_searches() -> None:
    X, y = windows(logistic_map(120), 4)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), RecurrentRegressor(max_epochs=2)),
        {"recurrentregressor__cell": ["rnn", "gru"]},
        cv=TimeSeriesSplit(2),
    ).fit(X, y)
    assert search.best_params_["recurrentregressor__cell"] in ("rnn", "gru")
    assert clone(search.best_estimator_[-1]).get_params()["max_epochs"] == 2


def test_wrong_settings_are_refused_when_it_is_fitted() -> None:
    X, y = windows(logistic_map(30), 4)
    with pytest.raises(ConfigError, match="inputs_per_step=3"):
        RecurrentRegressor(inputs_per_step=3).fit(X, y)
    with pytest.raises(ConfigError, match="cell"):
        RecurrentRegressor(cell="elman").fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        RecurrentRegressor().fit(np.where(X > 0.9, np.nan, X), y)
