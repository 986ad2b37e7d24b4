"""Point scores against hand-computed and published numbers, and their properties."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.errors import ConfigError, ShapeError
from recurra.metrics import mae, mase, mase_scale, rmse, smape

NAN = float("nan")
VALUES = st.floats(-1e6, 1e6)


def test_four_errors_by_hand():
    """Errors 1, -2, 0, 3: absolute mean 6/4, squared mean 14/4."""
    actual, forecast = np.array([[1.0, 2.0], [3.0, 7.0]]), np.array([[0.0, 4.0], [3.0, 4.0]])
    assert mae(actual, forecast) == 1.5
    assert rmse(actual, forecast) == pytest.approx(np.sqrt(3.5), rel=1e-15)


def test_smape_by_hand():
    """Terms: 10, 12 -> 400/22;  5, 5 -> 0;  0, 0 -> 0;  0, 1 -> 200; mean of the four."""
    assert smape([10, 5, 0, 0], [12, 5, 0, 1]) == pytest.approx((400 / 22 + 200) / 4, rel=1e-15)


def test_mase_by_hand():
    """History 1 4 2 8: season 1 steps 3 2 6, scale 11/3; season 2 steps 1 4, scale 2.5. Errors 1 and 4: mean 2.5."""
    history = [1, 4, 2, 8]
    assert mase_scale(history, 1) == pytest.approx(11 / 3, rel=1e-15)
    assert mase([9, 4], [8, 8], history, season=2) == 1.0
    assert mase([9, 4], [8, 8], history) == pytest.approx(2.5 * 3 / 11, rel=1e-15)


def test_missing_rows_of_the_history_leave_only_known_pairs():
    """1 NaN 5 9: the only known pair one row apart is (5, 9)."""
    assert mase_scale([1, NAN, 5, 9], 1) == 4.0


@pytest.mark.parametrize("history", [[], [3.0], [3.0, 3.0, 3.0], [NAN, 1.0, NAN]])
def test_a_history_without_scale_gives_nan(history):
    """By definition: no pair, or pairs that are all equal, define no scale."""
    assert np.isnan(mase_scale(history, 1))
    assert np.isnan(mase([1.0], [2.0], history))


@pytest.mark.parametrize("score", [mae, rmse, smape])
class TestEveryScore:
    """What holds for all of them, by definition."""

    @given(data=st.data())
    def test_missing_targets_change_nothing(self, score, data):
        shape = data.draw(hnp.array_shapes(max_dims=3, max_side=5))
        actual = data.draw(hnp.arrays(np.float64, shape, elements=VALUES))
        forecast = data.draw(hnp.arrays(np.float64, shape, elements=VALUES))
        holes = data.draw(hnp.arrays(np.bool_, shape))
        masked = np.where(holes, NAN, actual)
        kept = score(actual[~holes], forecast[~holes])
        assert score(masked, forecast) == pytest.approx(kept, rel=1e-12, nan_ok=True)

    @given(hnp.arrays(np.float64, 7, elements=VALUES))
    def test_zero_for_a_perfect_forecast(self, score, actual):
        assert score(actual, actual) == 0.0

    def test_no_known_target_gives_nan(self, score):
        assert np.isnan(score([NAN, NAN], [1.0, 2.0]))
        assert np.isnan(score([], []))

    def test_a_missing_forecast_is_never_passed_over(self, score):
        assert np.isnan(score([1.0, 2.0], [1.0, NAN]))

    def test_shapes_that_differ_are_refused(self, score):
        with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
            score([1.0, 2.0], [1.0, 2.0, 3.0])


@given(hnp.arrays(np.float64, 6, elements=VALUES), hnp.arrays(np.float64, 6, elements=VALUES))
def test_rmse_is_at_least_mae_and_smape_at_most_200(actual, forecast):
    """Jensen's inequality; the triangle inequality."""
    assert rmse(actual, forecast) >= mae(actual, forecast) * (1 - 1e-12) - 1e-150  # squares below 1e-300 underflow
    assert 0.0 <= smape(actual, forecast) <= 200.0 * (1 + 1e-12)


def test_mase_refuses_bad_histories():
    with pytest.raises(ShapeError, match="one series"):
        mase_scale([[1.0, 2.0]])
    with pytest.raises(ConfigError, match="season is 0"):
        mase_scale([1.0, 2.0], 0)


@pytest.mark.skipif("RECURRA_DATA_DIR" not in os.environ, reason="RECURRA_DATA_DIR is not set: no M4 files here")
def test_naive_on_m4_weekly_gives_the_published_scores():
    """Published with the M4 competition: naive 9.161 % sMAPE and 2.777 MASE on the 359 weekly series."""
    folder = Path(os.environ["RECURRA_DATA_DIR"]) / "forecasting"
    train, test = (_ragged_rows(folder / f"m4_weekly_{part}.csv") for part in ("train", "test"))
    repeated = [np.full(13, history[-1]) for history in train]
    scores = [
        (smape(actual, forecast), mase(actual, forecast, history, season=1))
        for actual, forecast, history in zip(test, repeated, train, strict=True)
    ]
    assert np.mean(scores, axis=0) == pytest.approx([9.161, 2.777], abs=5e-4)


def _ragged_rows(path):
    with path.open(newline="") as file:
        return [np.array([float(cell) for cell in row[1:] if cell]) for row in list(csv.reader(file))[1:]]
