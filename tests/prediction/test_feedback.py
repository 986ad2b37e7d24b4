"""Feeding back: paths say what the network says, go on from their own values, and stream as they forecast in batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recurra.data import Columns, TablePolicy
from recurra.errors import ConfigError, TableError
from recurra.prediction import ForecastPredictor, ForecastStream
from recurra.prediction.feedback import parts_of, paths_ahead, ranks_alike, start_after, start_at
from tests.prediction.streamed import assert_same, next_rows, rows_at, so_far

MASK = TablePolicy(missing="mask")


def longer(model, horizon):
    return ForecastPredictor(model.preparation, model.network, horizon)


@pytest.mark.parametrize("scaling", ["running", "standard"])
@pytest.mark.parametrize(("cell", "num_layers"), [("gru", 1), ("lstm", 2)])
def test_steps_beyond_the_horizon_are_one_more_forecast_after_the_path(
    cell, num_layers, scaling, frame, read, predictor
):
    """One path of middle ranks: steps 4 to 6 are the forecast after the table with the path's first rows."""
    rows = frame("ab", 30)
    table = read(rows)
    model = predictor(table, cell=cell, num_layers=num_layers, scaling=scaling, reference="linear")
    known = np.zeros((2, 6, 0))
    path = paths_ahead(model, start_after(model, table), known, np.full((1, 6), 0.5))[:, 0]
    first = model.forecasts(table)
    np.testing.assert_allclose(path[:, :3], first.quantiles[:, :, 1], rtol=1e-9)
    ahead = frame("ab", 33)
    ahead.loc[ahead.groupby("unique_id").cumcount() < 30, "y"] = rows["y"].to_numpy()
    ahead.loc[ahead.groupby("unique_id").cumcount() >= 30, "y"] = path[:, :3].reshape(-1)
    second = model.forecasts(read(ahead))
    np.testing.assert_allclose(path[:, 3:], second.quantiles[:, :, 1], rtol=1e-9)


def test_the_first_steps_are_what_they_are_without_the_later_ones(frame, read, predictor):
    table = read(frame("ab", 30, missing=True), "D")
    model = predictor(table)
    short, long = model.forecasts(table), model.forecasts(table, horizon=8)
    np.testing.assert_array_equal(long.quantiles[:, :3], short.quantiles)
    np.testing.assert_array_equal(long.ds, table.future_ds(8))
    assert (np.diff(long.quantiles, axis=2) >= 0).all()
    fewer = model.forecasts(table, horizon=2)
    np.testing.assert_array_equal(fewer.quantiles, short.quantiles[:, :2])
    with pytest.raises(ConfigError, match="horizon is 0"):
        model.forecasts(table, horizon=0)


def test_a_table_of_the_future_that_nobody_reads_is_refused(frame, read, predictor):
    rows = frame("ab", 30)
    table = read(rows)
    model, stream = predictor(table), ForecastStream(predictor(table), Columns(), table, tables=MASK)
    for ask in (model.forecasts, lambda _, ahead: stream.forecasts(ahead)):
        with pytest.raises(ConfigError, match="fit with future_covariates="):
            ask(table, rows)


def test_levels_far_out_lie_within_the_paths(frame, read, predictor):
    """expected: 1 / 0.001 paths, so that one of them lies beyond the level; 200 for the usual levels."""
    model = predictor(read(frame("a", 30)))
    assert ranks_alike(model, 5).shape == (200, 5)
    model.shape = replace(model.shape, levels=(0.001, 0.5, 0.999))
    ranks = ranks_alike(model, 5)
    assert ranks.shape == (1000, 5)
    assert ranks.min() < 0.001
    model.shape = replace(model.shape, levels=(1e-6, 0.5))
    with pytest.raises(ConfigError, match="a quantile within 1e-06 of 0 or 1 takes more than 20000 paths"):
        ranks_alike(model, 5)


def test_future_covariates_are_asked_for_and_past_ones_refused(frame, read, predictor):
    rows = frame("ab", 30)
    table = read(rows).truncate([20, 20])
    model = predictor(table, future=("f", "c"), calendar=("weekday",))
    long = model.forecasts(table, next_rows(rows, 19, 7), horizon=7)
    assert long.quantiles.shape == (2, 7, 3)
    with pytest.raises(TableError, match="needs the 7 rows"):
        model.forecasts(table, next_rows(rows, 19, 3), horizon=7)
    with pytest.raises(ConfigError, match="7 steps are more than the 3 that the network forecasts at once"):
        predictor(table, past=("p",)).forecasts(table, horizon=7)


@pytest.mark.parametrize("scaling", ["running", "mean_abs"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_stream_that_feeds_back_says_what_the_batch_says(cell, scaling, frame, read, predictor):
    known, rows = frame("ab", missing=True), frame(["a", "new"], 20, missing=True, seed=1)
    model = longer(predictor(read(known, "D"), cell=cell, scaling=scaling, horizon=1, future=("f",)), 4)
    stream = ForecastStream(model, Columns(), tables=MASK)
    for t in range(15):
        future = next_rows(rows, t, 4)
        answer = stream.update_many(rows_at(rows, t), future)
        if t in (0, 3, 14):
            assert_same(answer, model.forecasts(read(so_far(rows, t), "D"), future, MASK))


def test_a_hindcast_that_feeds_back_is_what_was_forecast_at_the_time(frame, read, predictor):
    table = read(frame("ab", 20, missing=True), "D")
    model = longer(predictor(table, cell="lstm", num_layers=2, horizon=1), 4)
    hindcast = model.hindcast(table, np.array([8, 15]))
    assert hindcast.quantiles.shape == (17, 4, 3)
    for at in (0, 5, 14):
        series, t = divmod(int(hindcast.rows[at]), 20)
        then = model.forecasts(table.select([series]).truncate([t + 1]))
        np.testing.assert_allclose(hindcast.quantiles[at], then.quantiles[0], rtol=1e-9)
        np.testing.assert_allclose(hindcast.mean[at], then.mean[0], rtol=1e-9)
    few = model.hindcast(table, np.array([8, 15]), most=5)
    assert few.rows.tolist() == [8, 12, 16, 35, 39]


def test_what_is_carried_after_any_row_is_what_a_shorter_table_leaves(frame, read, predictor):
    table = read(frame("ab", 20, missing=True), "D")
    model = predictor(table, cell="lstm", num_layers=2)
    rows = np.array([4, 19, 20, 33])
    start = start_at(model, table, rows)
    for i, row in enumerate(rows):
        series, t = divmod(int(row), 20)
        alone = start_after(model, table.select([series]).truncate([t + 1]))
        for one, other in zip(parts_of(start.state), parts_of(alone.state), strict=True):
            torch.testing.assert_close(one[:, i], other[:, 0], rtol=1e-12, atol=1e-12)
        seen = max(int(alone.rows.age[0]) + 1, 1)  # what is carried of rows before the first one is never read
        for name, values in alone.rows.to_arrays().items():
            mine, theirs = start.rows.to_arrays()[name][i], values[0]
            if name == "recent":
                mine, theirs = mine[:seen], theirs[:seen]
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, err_msg=name)
