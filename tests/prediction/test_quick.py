"""The quick path of single rows says what the general path says; rows that it cannot take go the general way."""

import numpy as np
import pytest

from recurra.data import Columns, TablePolicy
from recurra.prediction import ForecastStream
from recurra.prediction.quick import quick_steps
from tests.prediction.streamed import assert_same, so_far

CASES = {
    "running": {"reference": "season_mean"},
    "none": {"reference": "none", "cell": "lstm", "num_layers": 2},
    "linear": {"reference": "linear", "scaling": "standard"},
    "change": {"reference": "seasonal_change", "calendar": ("weekday", "yearday")},
    "naive": {"reference": "naive", "cell": "rnn", "scaling": "robust"},
}


@pytest.mark.parametrize("case", CASES)
def test_it_equals_the_general_path(case, frame, read, predictor):
    # expected: the same rows through update_many, which never takes the quick path; "new" was not there at fit
    known, rows = frame("ab"), frame(["a", "new"], 40, seed=1)
    model = predictor(read(known, "D"), **CASES[case])
    quickly, generally = ForecastStream(model, Columns()), ForecastStream(model, Columns())
    assert quickly._quick is not None
    for row in rows.sort_values(["ds", "unique_id"]).to_dict("records"):
        assert_same(quickly.update(row), generally.update_many([row]))
    assert_same(quickly.forecasts(), generally.forecasts())
    assert_same(quickly.forecasts(), model.forecasts(read(so_far(rows, 39), "D")))
    for one, other in zip(quickly._rows.to_arrays().values(), generally._rows.to_arrays().values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_missing_and_late_rows_go_the_general_way(frame, read, predictor):
    rows = frame("a", 30)
    model = predictor(read(rows, "D"))
    stream = ForecastStream(model, Columns(), read(rows.iloc[:10], "D"), tables=TablePolicy(missing="mask"))
    with pytest.raises(ValueError, match=r"gap|missing|skipped"):
        stream.update(rows.iloc[12].to_dict())
    stream.update(rows.iloc[10].to_dict())
    with pytest.raises(ValueError, match=r"late|before|already"):
        stream.update(rows.iloc[9].to_dict())


def test_a_fork_has_a_quick_path_of_its_own(frame, read, predictor):
    rows = frame("a", 30)
    model = predictor(read(rows, "D"))
    stream = ForecastStream(model, Columns(), read(rows.iloc[:10], "D"))
    twin = stream.fork()
    assert twin._quick is not stream._quick
    before = stream.forecasts()
    twin.update(rows.iloc[10].to_dict())
    assert_same(stream.forecasts(), before)


def test_models_with_covariates_have_none(frame, read, predictor):
    assert quick_steps(predictor(read(frame("a")), past=("p",))) is None
