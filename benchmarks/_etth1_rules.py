"""Forecasts of ETTh1 without a network: the last value, the hour of the day before, a linear map by least squares."""

import numpy as np
import numpy.typing as npt

from benchmarks._etth1_data import END, TEST, TRAINING, Electricity
from recurra.baselines import LinearWindow
from recurra.data.preparation import Reference

Array = npt.NDArray[np.float64]

DAY = 24
WINDOW = 336
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
AT_ONCE = 1000


def rule_forecasts(data: Electricity, horizon: int) -> dict[str, Array]:
    """What the two naive rules say at every hour from the last of the training part on, [series, origin, horizon]."""
    origins = np.arange(TRAINING - 1, END)
    steps = np.arange(1, horizon + 1)
    same_hour = origins[:, None] + steps - DAY * -(-steps // DAY)
    last = np.repeat(data.values[:, origins, None], horizon, axis=2)
    return {"last value": last, "seasonal naive": data.values[:, same_hour]}


def linear_forecasts(data: Electricity, horizon: int) -> tuple[Array, float]:
    """NLinear at the same hours, and its ridge: one map for all series, exact least squares instead of descent.

    Source: Zeng et al. 2023.
    """
    gram, cross = _normal_equations(data.values[:, :TRAINING], horizon)
    origins = np.arange(TRAINING - 1, END)
    validated = np.arange(TRAINING - 1, TEST - horizon)
    inputs, last = _inputs(data.values, validated)
    actual = np.lib.stride_tricks.sliding_window_view(data.values, horizon, axis=1)[:, validated + 1]
    errors = []
    for ridge in RIDGES:
        weights = _solve(gram, cross, ridge)
        errors.append(float(np.square(last + inputs @ weights - actual).mean()))
    best = RIDGES[int(np.argmin(errors))]
    inputs, last = _inputs(data.values, origins)
    return last + inputs @ _solve(gram, cross, best), best


def path_forecasts(data: Electricity, horizon: int) -> Array:
    """What the network corrects, by itself, at the same hours: the map of least absolute error, one for all series."""
    weights = LinearWindow(WINDOW).fit(data.until(TRAINING)).weights(horizon)
    assert weights is not None
    rule = Reference("linear", DAY, weights)
    origins = np.arange(TRAINING - 1, END)
    return np.stack(
        [rule.ahead(lambda j, y=y: y[origins[:, None] - j], np.zeros(len(origins)), horizon) for y in data.values]
    )


def _solve(gram: Array, cross: Array, ridge: float) -> Array:
    free = np.full(len(gram), ridge)
    free[-1] = 1e-9
    weights: Array = np.linalg.solve(gram + np.diag(free), cross)
    return weights


def _inputs(values: Array, origins: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """Windows relative to their last values and a column of ones [series, origin, WINDOW + 1]; the last values."""
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW, axis=1)[:, origins - WINDOW + 1]
    last = windows[..., -1:]
    return np.concatenate([windows - last, np.ones_like(last)], axis=2), last


def _normal_equations(training: Array, horizon: int) -> tuple[Array, Array]:
    origins = np.arange(WINDOW - 1, training.shape[1] - horizon)
    gram, cross = np.zeros((WINDOW + 1, WINDOW + 1)), np.zeros((WINDOW + 1, horizon))
    for begin in range(0, len(origins), AT_ONCE):
        block = origins[begin : begin + AT_ONCE]
        inputs, last = _inputs(training, block)
        ahead = np.lib.stride_tricks.sliding_window_view(training, horizon, axis=1)[:, block + 1] - last
        inputs, ahead = inputs.reshape(-1, WINDOW + 1), ahead.reshape(-1, horizon)
        gram += inputs.T @ inputs
        cross += inputs.T @ ahead
    return gram, cross
