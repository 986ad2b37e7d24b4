"""Attributions sum to the forecast, and name the input that a network was built to look at."""

import numpy as np
import pytest
import torch

from recurra.data import Columns, SeriesTable, TablePolicy
from recurra.errors import ConfigError
from recurra.prediction import EnsemblePredictor
from recurra.prediction.attribution import explain, input_names, known_names

KINDS = {"plain": {}, "covariates": {"past": ("p",), "future": ("f", "c"), "calendar": ("weekday",)}}


def known_of(model, table, frame, read):
    rows = frame("a", 43)
    future = rows.iloc[40:].drop(columns="y")
    return model.steps_after(table, future if model.preparation.spec.future else None, None, None)[1]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("kind", KINDS)
def test_they_sum_to_the_forecast(kind, cell, frame, read, predictor):
    # expected: the mean that the predictor itself answers with
    table = read(frame("a"), "D")
    model = predictor(table, cell=cell, **KINDS[kind])
    known = known_of(model, table, frame, read)
    told = explain(model, table, known, 2, 10, 256)
    answer = model.forecasts(table, frame("a", 43).iloc[40:].drop(columns="y") if kind == "covariates" else None)
    assert told.forecast == pytest.approx(answer.mean[0, 1], rel=1e-9)
    assert abs(told.completeness_error) < 1e-3 * abs(told.forecast - told.rule - told.base) + 1e-5
    assert told.to_table("columns")["attribution"] == pytest.approx(told.to_table("columns")["attribution"])
    assert np.sum(told.to_table("columns")["attribution"]) == pytest.approx(told.forecast, rel=1e-9)
    assert told.values.shape == (10, model.preparation.n_inputs)
    assert len(told.inputs) == model.preparation.n_inputs
    assert len(told.known) == model.preparation.n_known
    more = explain(model, table, known, 2, 10, 1024)
    assert abs(more.completeness_error) <= abs(told.completeness_error) + 1e-9


def test_an_input_without_weight_gets_nothing_and_the_others_keep_their_names(frame, read, predictor):
    # expected: by construction; only the past covariate p has weights
    table = read(frame("a"), "D")
    model = predictor(table, past=("p",), calendar=("weekday",))
    names = input_names(model.preparation)
    assert names[-3:] == ("p", "weekday_sin", "weekday_cos")
    with torch.no_grad():
        weight = model.network.recurrent.weight_ih_l0
        weight[:, [i for i, name in enumerate(names) if name != "p"]] = 0.0
    told = explain(model, table, known_of(model, table, frame, read), 1, 40, 64)
    nonzero = {names[i] for i in np.flatnonzero(np.abs(told.values).sum(0) > 0)}
    assert nonzero == {"p"}
    assert known_names(model.preparation) == ("weekday_sin", "weekday_cos")


def test_an_ensemble_s_are_the_means_of_its_members(frame, read, predictor):
    table = read(frame("a"), "D")
    members = [predictor(table, season=5) for _ in range(2)]
    for parameter in members[1].network.head.parameters():
        parameter.data.mul_(3.0)
    known = known_of(members[0], table, frame, read)
    told = [explain(model, table, known, 1, 5, 32) for model in (*members, EnsemblePredictor(members))]
    np.testing.assert_allclose(told[2].values, (told[0].values + told[1].values) / 2)
    assert told[2].forecast == pytest.approx((told[0].forecast + told[1].forecast) / 2)


@pytest.mark.parametrize("wrong", [{"step": 0}, {"step": 9}, {"lags": 0}, {"points": 0}])
def test_numbers_out_of_range_are_refused(wrong, frame, read, predictor):
    table = read(frame("a"), "D")
    model = predictor(table)
    chosen = {"step": 1, "lags": 5, "points": 8, **wrong}
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        explain(model, table, known_of(model, table, frame, read), **chosen)


@pytest.mark.parametrize("scaling", ["instance", "log"])
def test_several_targets_masks_and_static_columns_have_names_and_sum_up(scaling, frame, predictor):
    # expected: the mean that the predictor answers with for the second series' second target
    rng = np.random.default_rng(0)
    rows = frame("ab", 40)
    rows["z"], rows["s"] = 2 * rows["y"] + rng.normal(size=80), rows["unique_id"]
    rows["p"] = rows["p"].where(rng.random(80) > 0.3)
    columns = Columns(static=("s",), more_targets=("z",))
    policy = TablePolicy(missing_covariates="mask")
    table = SeriesTable.from_table(rows, columns=columns, covariates=("p",), policy=policy)
    inputs = {"past": ("p",), "static": ("s",), "targets": columns.targets, "masked": True, "show_gap": True}
    model = predictor(table, scaling=scaling, **inputs)
    known = model.steps_after(table, None, None, None)[1]
    told = explain(model, table, known, 2, 10, 256, 3)
    assert told.series == "b / z"
    assert told.forecast == pytest.approx(model.forecasts(table).mean[3, 1], rel=1e-9)
    assert abs(told.completeness_error) < 1e-3 * abs(told.forecast - told.rule - told.base) + 1e-5
    assert len(told.inputs) == model.preparation.n_inputs
    assert told.inputs[-11:] == (
        "p", "p missing", "p gap", "s=a", "s=b", "level of y", "level of z", "y observed", "z observed", "asked for y",
        "asked for z",
    )  # fmt: skip
