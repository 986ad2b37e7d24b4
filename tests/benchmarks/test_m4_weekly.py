"""M4 Weekly's rules and scores, by hand and against the published figures."""

import os

import numpy as np
import pytest

from benchmarks import m4_weekly, rivals
from benchmarks._m4_rules import rule_forecasts, theta
from recurra.data import SeriesTable
from recurra.learners.parameters import validate
from recurra.learners.schema import ForecasterConfig


def test_settings_are_settings_of_the_forecaster() -> None:
    for settings in (m4_weekly.SETTINGS, *m4_weekly.NETWORKS.values(), rivals.SETTINGS):
        assert validate(ForecasterConfig, settings)


def test_theta_of_a_line_and_of_a_constant() -> None:
    # expected: on a line smoothing with weight 1 is best, so it starts at the last value with half the slope
    np.testing.assert_allclose(theta(np.arange(50.0), 3), [49.5, 50.0, 50.5])
    np.testing.assert_allclose(theta(np.full(20, 7.0), 2), [7.0, 7.0])


def test_scores_by_hand() -> None:
    # sMAPE 200 * 2 / 22 = 18.18 and 0, mean 9.09; MASE 2 / 1 and 0 with steps of 1
    train = SeriesTable.from_table({"unique_id": list("aaabbb"), "ds": [1, 2, 3] * 2, "y": [8.0, 9, 10] * 2}, freq="1")
    found = m4_weekly.scores(train, np.array([[12.0], [10.0]]), np.array([[10.0], [10.0]]))
    assert (found["sMAPE"], found["MASE"]) == (9.091, 1.0)
    assert found["errors"]["MASE"] == "2 0"


@pytest.mark.skipif("RECURRA_DATA_DIR" not in os.environ, reason="RECURRA_DATA_DIR is not set: no M4 files here")
def test_naive_and_theta_are_the_published_ones() -> None:
    # expected: the competition's figures, naive to the digit, Theta (which the organisers deseasonalised) to 1 %
    train, test = m4_weekly.parts(False)
    actual = test.y.reshape(-1, m4_weekly.HORIZON)
    found = rule_forecasts(train, m4_weekly.HORIZON, m4_weekly.SEASON, m4_weekly.CONTEXT)
    naive = m4_weekly.scores(train, actual, found["naive"])
    assert (naive["sMAPE"], naive["MASE"]) == m4_weekly.PUBLISHED["naive"]
    rule = m4_weekly.scores(train, actual, found["Theta"])
    np.testing.assert_allclose((rule["sMAPE"], rule["MASE"]), m4_weekly.PUBLISHED["Theta"], rtol=0.01)


def test_the_reports_name_what_was_met() -> None:
    side = {"fit_s": 100.0, "predict_ms": 100.0, "mse": 0.5, "parameters": 1, "by_origin": "0.5"}
    ours = {**side, "fit_s": 20.0, "predict_ms": 25.0, "mse": 0.4}
    told = rivals.report({"gru/0": {"neuralforecast": side, "recurra": ours}, "million": {"peak, MB": 1500.0}})
    assert "fit 5.0 times faster (bar 4: met)" in told
    assert "predict 4.0 times faster (bar 5: missed)" in told
    assert "lower: met" in told
    assert "peak, MB 1500 (bar 2000: met)" in told
