"""Sampled paths: a table of their own, each series drawn for itself, and what cannot be sampled refused."""

import numpy as np
import pytest

from recurra.data import Columns, TablePolicy
from recurra.errors import ConfigError
from recurra.prediction import ForecastPredictor
from recurra.prediction.conformal import Conformal
from recurra.prediction.sampling import sample_paths

TABLES = TablePolicy()


def test_a_series_has_the_same_paths_whatever_stands_beside_it(frame, read, predictor):
    table = read(frame("abc", 30))
    model = predictor(table)
    paths = sample_paths(model, table, None, TABLES, (6, 4, 5))
    assert paths.values.shape == (3, 6, 5)
    alone = sample_paths(model, table.select([2]), None, TABLES, (6, 4, 5))
    np.testing.assert_allclose(alone.values[0], paths.values[2], rtol=1e-12)
    assert not np.allclose(paths.values[0] - table.y[29], paths.values[1] - table.y[59])


def test_a_single_path_is_drawn_too(frame, read, predictor):
    # expected: another value for each seed, on both sides of the median about as often
    table = read(frame("a", 30))
    model = predictor(table)
    median = model.forecasts(table).median[0, 0]
    drawn = [sample_paths(model, table, None, TABLES, (1, seed, None)).values[0, 0, 0] for seed in range(40)]
    assert len(np.unique(drawn)) == 40
    assert 8 < np.sum(drawn < median) < 32


@pytest.mark.parametrize("horizon", [1, 3])
def test_paths_have_the_margins_that_quantiles_have(horizon, frame, read, predictor):
    # expected: the quantiles of many paths are those that are forecast, fed back or not
    table = read(frame("a", 30))
    plain = predictor(table, horizon=horizon)
    wide = Conformal((0.1, 0.5, 0.9), np.array([[-4.0, 0.0, 4.0]] * 3), 10)
    model = ForecastPredictor(plain.preparation, plain.network, 3, None, wide)
    answer, paths = model.forecasts(table), sample_paths(model, table, None, TABLES, (4000, 1, None)).values
    drawn = np.moveaxis(np.quantile(paths, model.shape.levels, axis=1), 0, -1)
    width = np.ptp(answer.quantiles, axis=2, keepdims=True)
    np.testing.assert_allclose((drawn - answer.quantiles) / width, 0.0, atol=0.05)


def test_the_table_has_a_row_for_every_series_path_and_step(frame, read, predictor):
    table = read(frame("ab", 30))
    found = sample_paths(predictor(table), table, None, TABLES, (4, 0, None))
    answer = found.to_table(Columns(ds="day"))
    assert answer.columns.tolist() == ["unique_id", "path", "day", "sample"]
    assert answer["path"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3] * 2
    assert answer["sample"].tolist() == found.values.reshape(-1).tolist()
    assert "unique_id" not in found.to_table(Columns(None), "columns")


@pytest.mark.parametrize(("wanted", "message"), [((0, 0, None), "n_paths is 0"), ((3, -1, None), "seed is -1")])
def test_wrong_numbers_are_refused(wanted, message, frame, read, predictor):
    table = read(frame("ab", 30))
    with pytest.raises(ConfigError, match=message):
        sample_paths(predictor(table), table, None, TABLES, wanted)
