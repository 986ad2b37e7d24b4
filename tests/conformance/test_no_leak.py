"""No forecast knows what comes after it: every decoder, output and calibration, and sktime's in-sample predictions."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sktime.forecasting.base import ForecastingHorizon

from recurra.learners.adapters import RecurrentForecaster
from tests.learners.test_no_leak import Case, assert_blind, series

pytestmark = pytest.mark.conformance

OUTPUTS = ("normal", "student_t", "log_normal", "negative_binomial", "mixture")


def in_sample() -> Case:
    """sktime's steps within the sample: each is forecast from the row before."""
    days = pd.period_range("2024-01-01", periods=60, freq="D")
    y = pd.DataFrame({"y": np.sin(np.arange(60) / 3)}, index=days)

    def said(model: RecurrentForecaster, rows: pd.DataFrame, cut: int) -> np.ndarray:
        model._rows = type(model._rows)(rows)
        within = ForecastingHorizon(np.arange(-59, 1), is_relative=True)
        return model._answers(within, None).quantiles[0, : cut + 2]

    return Case(
        lambda: RecurrentForecaster(
            hidden_size=4, max_epochs=1, residual="naive", sp=7, settings={"keep": "trained"}
        ).fit(y, fh=[1, 2]),
        y,
        lambda rows, cut: rows.where(np.arange(60)[:, None] <= cut, 50.0),
        said,
        60,
    )


CASES: dict[str, Callable[[], Case]] = {
    **{
        f"{decoder}, {scaling}": lambda decoder=decoder, scaling=scaling: series(decoder=decoder, scaling=scaling)
        for decoder in ("segments", "recurrent")
        for scaling in ("running", "instance", "log")
    },
    **{
        f"{output}, conformal={conformal}": lambda output=output, conformal=conformal: series(
            output=output, conformal=conformal
        )
        for output in OUTPUTS
        for conformal in (False, True)
    },
    "quantiles, conformal": lambda: series(conformal=True),
    "recursive, conformal": lambda: series(decoder="recursive", conformal=True, past_covariates=()),
    "ensemble": lambda: series(n_ensemble=2),
    "sktime": in_sample,
}


@pytest.mark.parametrize("name", CASES)
def test_changing_the_future_changes_nothing_that_was_said(name: str) -> None:
    # expected: the same forecasts from the same past, whatever comes after it
    assert_blind(CASES[name]())
