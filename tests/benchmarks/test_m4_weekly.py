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


def test_the_bars_are_judged_by_one_network_with_all_its_seeds() -> None:
    # expected: by hand; the LSTM's lower scores do not count, and a difference of 0 to the linear map is a tie
    def entry(smape: float, **more: float) -> dict[str, object]:
        errors = {"sMAPE": f"{smape} {smape}", "MASE": "2 2"}
        return {"sMAPE": smape, "MASE": 2.0, "errors": errors, **more}

    rules = {name: entry(9.0) for name in ("naive", m4_weekly.OFF)} | {m4_weekly.MAP: entry(8.6)}
    runs: dict[str, object] = {"rules": {"rules": rules}, "LSTM/0": entry(8.0, wQL=0.04)}
    runs |= {f"GRU/{seed}": entry(8.6, wQL=0.04) for seed in range(4)}
    told = m4_weekly.report(runs)
    assert "sMAPE at most 8.5: 8.6; " in told
    assert "4 of 5 seeds so far, so that no bar is judged yet." in told
    told = m4_weekly.report({**runs, "GRU/4": entry(8.6, wQL=0.04)})
    assert "Bars, by the median GRU: sMAPE at most 8.5: 8.6, missed; MASE at most 2.5: 2, met" in told
    beside = f"Beside the {m4_weekly.MAP} the GRU is no better (a tie) by sMAPE and no better (a tie) by MASE."
    assert beside in told


def test_the_reports_name_what_was_met() -> None:
    side = {"fit_s": 100.0, "predict_ms": 100.0, "mse": 0.5, "parameters": 1, "by_origin": "0.5"}
    ours = {**side, "fit_s": 20.0, "predict_ms": 25.0, "mse": 0.4}
    million = {"peak, MB": 1500.0}
    told = rivals.report({"gru/0": {"neuralforecast": side, "recurra": ours}, "million": million})
    assert "fit 5.0 times faster (bar 4: met)" in told
    assert "predict 4.0 times faster (bar 5: missed)" in told
    assert "lower: met" in told
    assert "peak, MB 1500 (bar 2000: met)" in told
    assert "GRU, 1 seed(s): " in told
    assert "Not run: lstm; off; latency." in told
    both = {"neuralforecast": {**side, "all_s": 6.0, "steps": 500}, "recurra": {**ours, "all_s": 2.0, "steps": 480}}
    off = {"mse": 0.37, "parameters": 32352, "by_origin": "0.37"}
    told = rivals.report({"gru/0": both, "off": off})
    assert "| Recurra GRU | 20.0 | 25.0 | 2.00 | 0.400 | 1 | 480 | 1 |" in told
    assert "| Recurra, recurrent part off | | | | 0.370 | 32,352 | 0 | - |" in told
    assert "(bar 5: missed), all origins at once 3.0 times faster" in told
