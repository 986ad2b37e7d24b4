"""A table in, forecasts out: what the pieces say the whole says, and a hindcast is what was said at the time."""

import numpy as np
import pytest

from recurra.data.columns import TablePolicy
from recurra.errors import ConfigError, TableError
from recurra.models.forecast import mean_weights
from recurra.prediction import ForecastPredictor
from recurra.prediction import forecast as module

MASK = TablePolicy(missing="mask")


@pytest.fixture
def many(frame, read):
    """Twelve series of very different lengths."""
    table = read(frame("abcdefghijkl", 60))
    return table.truncate(np.array([60, 3, 5, 9, 2, 31, 7, 1, 12, 60, 4, 20]))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_series_do_not_see_each_other_and_pieces_make_the_whole(cell, many, predictor, monkeypatch):
    model = predictor(many, cell=cell)
    whole, state = model.forecasts(many), model.last_state(many)
    hindcast = model.hindcast(many, np.minimum(many.lengths, 2))
    for i in (0, 4, 7):
        alone = model.forecasts(many.select([i]))
        np.testing.assert_allclose(alone.quantiles[0], whole.quantiles[i], rtol=1e-12)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 70)
    monkeypatch.setattr(module, "QUANTILES_AT_ONCE", 50)
    assert len(module._pieces(many)) > 3
    np.testing.assert_allclose(model.forecasts(many).quantiles, whole.quantiles, rtol=1e-12)
    again = model.hindcast(many, np.minimum(many.lengths, 2))
    np.testing.assert_array_equal(again.rows, hindcast.rows)
    np.testing.assert_allclose(again.quantiles, hindcast.quantiles, rtol=1e-12)
    np.testing.assert_array_equal(again.actual, hindcast.actual)
    for part, one in zip(model.last_state(many), state, strict=True):
        np.testing.assert_allclose(part, one, rtol=1e-12)


def test_a_hindcast_is_what_was_forecast_at_the_time(frame, read, predictor):
    rows = frame("ab", 30, missing=True)
    table = read(rows, "D")
    model = predictor(table)
    hindcast = model.hindcast(table, np.array([10, 20]))
    assert hindcast.rows.tolist() == [*range(10, 30), *range(50, 60)]
    for at, quantiles, actual in zip(hindcast.rows, hindcast.quantiles, hindcast.actual, strict=True):
        series, t = divmod(int(at), 30)
        then = table.select([series]).truncate([t + 1])
        np.testing.assert_allclose(quantiles, model.forecasts(then).quantiles[0], rtol=1e-10, atol=1e-10)
        expected = np.concatenate([table.series(series).y, np.full(3, np.nan)])[t + 1 : t + 4]
        np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(hindcast.median, hindcast.quantiles[:, :, 1])


def test_a_hindcast_does_not_make_up_the_future_beyond_the_table(frame, read, predictor):
    table = read(frame("ab", 10))
    model = predictor(table, future=("f",))
    unknown = np.isnan(model.hindcast(table, np.array([6, 9])).quantiles).all(-1)
    assert unknown.tolist() == [[False] * 3, [False, False, True], [False, True, True], [True] * 3, [True] * 3]


def test_rows_to_hindcast_from_are_checked(frame, read, predictor):
    table = read(frame("ab", 10))
    model = predictor(table)
    with pytest.raises(ConfigError, match="must be 0 or more, not -1"):
        model.hindcast(table, np.array([3, -1]))
    assert model.hindcast(table, np.array([10, 99])).quantiles.shape == (0, 3, 3)


def test_a_future_table_may_hold_more_than_is_needed(frame, read, predictor):
    """Other series, in another order, and later rows are passed over."""
    rows = frame("ab", 20)
    table = read(rows).truncate([10, 10])
    model = predictor(table, future=("f", "c"))
    number = rows.groupby("unique_id").cumcount()
    exact = rows[(number >= 10) & (number < 13)]
    ample = rows[number >= 10].sort_values("unique_id", ascending=False, kind="stable")
    expected = model.forecasts(table, exact)
    np.testing.assert_array_equal(model.forecasts(table, ample).quantiles, expected.quantiles)
    with pytest.raises(TableError, match="series 'b': the table of future covariates"):
        model.forecasts(table, exact[exact.unique_id == "a"])


@pytest.mark.parametrize("kind", ["seasonal", "linear"])
def test_a_saved_predictor_answers_alike(kind, frame, read, predictor):
    table = read(frame("ab", 30))
    model = predictor(table, reference=kind, scaling="standard", past=("p",), future=("c",))
    again = ForecastPredictor.from_saved(model.to_config(), model.to_tensors())
    assert again.fingerprint == model.fingerprint
    future = np.array([10, 10])
    a, b = model.hindcast(table, future), again.hindcast(table, future)
    np.testing.assert_array_equal(a.quantiles, b.quantiles)
    other = predictor(table, reference=kind, scaling="standard", past=("p",))
    assert other.fingerprint != model.fingerprint


def test_the_mean_of_a_uniform_distribution():
    """Its quantiles are its levels; with symmetric levels the trapezoid rule gives one half."""
    levels = (0.05, 0.2, 0.5, 0.8, 0.95)
    assert float(np.dot(mean_weights(levels), levels)) == pytest.approx(0.5)
    assert sum(mean_weights(levels)) == pytest.approx(1.0)
