"""Every kind of input goes through predict, hindcast, backtest, saving, streams, updates, paths and explanations."""

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.data import Columns, SeriesTable
from recurra.errors import TableError
from recurra.prediction.feedback import paths_ahead, start_after, with_kin


@pytest.fixture(scope="module")
def rows(make_table):
    """Two series with a second target and static columns."""
    t = np.arange(60)
    table = make_table(z=50 + 9 * np.sin(t), p=np.cos(t), f=t % 4.0, c=np.where(t % 3, "u", "v"))
    return table.assign(
        region=table["unique_id"].map({"a": "east", "b": "west"}), size=table["unique_id"].map({"a": 1.0, "b": 2.0})
    )


def split(rows, n=57):
    number = rows.groupby("unique_id").cumcount()
    return rows[number < n], rows[(number >= n) & (number < n + 3)]


@pytest.fixture(scope="module")
def two(rows, quick):
    """A model of both targets with every kind of covariate."""
    covariates = {"past_covariates": ("p",), "future_covariates": ("f", "c"), "static_covariates": ("region", "size")}
    return quick(y=("y", "z"), **covariates).fit(split(rows)[0])


def test_both_targets_come_out_by_name(two, rows):
    past, ahead = split(rows)
    answer = two.predict(past, ahead.drop(columns=["y", "z", "p"]))
    assert answer.columns.tolist() == ["unique_id", "target", "ds", "forecast", "mean", "q10", "q50", "q90"]
    assert answer["target"].tolist() == [*["y"] * 3, *["z"] * 3] * 2
    levels = answer.groupby(["unique_id", "target"])["forecast"].mean()
    assert levels["a", "y"] == pytest.approx(10, abs=2)
    assert levels["b", "y"] == pytest.approx(20, abs=2)
    assert levels["a", "z"] == pytest.approx(50, abs=15)
    assert {"network, y", "network, z", "naive, z"} <= set(two.validation_)
    paths = two.sample(past, n_paths=4, future=ahead.drop(columns=["y", "z", "p"]))
    assert paths["target"].tolist() == [*["y"] * 12, *["z"] * 12] * 2


def test_they_go_through_folders_streams_and_updates(two, rows, tmp_path):
    past, ahead = split(rows)
    future = ahead.drop(columns=["y", "z", "p"])
    two.save(tmp_path / "model")
    again = recurra.load(tmp_path / "model")
    expected = two.forecasts(past, future)
    np.testing.assert_array_equal(again.forecasts(past, future).quantiles, expected.quantiles)
    earlier, last = split(rows, 56)
    stream = again.stream(earlier)
    for _, row in last.groupby("unique_id").head(1).iterrows():
        stream.update(row.to_dict(), ahead[ahead["unique_id"] == row["unique_id"]].drop(columns=["y", "z", "p"]))
    assert stream.series == ("a / y", "a / z", "b / y", "b / z")
    np.testing.assert_allclose(stream.forecasts(future).quantiles, expected.quantiles, rtol=1e-9)
    np.testing.assert_array_equal(two.restore(stream.snapshot()).forecasts(future).quantiles,
                                  stream.forecasts(future).quantiles)  # fmt: skip
    assert stream.to_rows(expected)[3]["target"] == "z"
    learned = again.update(rows, epochs=1)
    assert learned.model_hash_ != two.model_hash_
    told = two.explain(past, future, series="b / z", points=16)
    assert told.forecast == pytest.approx(expected.mean[3, 0], rel=1e-9)


def test_a_hindcast_and_a_backtest_have_every_target(two, rows):
    hindcast = two.hindcast(rows, 50)
    table = SeriesTable.from_table(rows, columns=Columns(more_targets=("z",)))
    np.testing.assert_array_equal(hindcast.actual[:9, 0], table.y[51:60])
    np.testing.assert_array_equal(hindcast.actual[10:19, 0], rows.loc[51:59, "z"])
    report = two.backtest(rows, folds=2)
    assert {window.series_id for window in report.windows} == {"a / y", "a / z", "b / y", "b / z"}


def test_one_target_of_a_series_without_names(rows, quick):
    alone = rows[rows["unique_id"] == "a"].drop(columns="unique_id")
    model = quick(y=["y", "z"], unique_id=None).fit(alone)
    assert model.predict(alone).columns.tolist()[:2] == ["target", "ds"]
    assert quick(y=["y"]).fit(rows).model_hash_ == quick().fit(rows).model_hash_


def test_each_target_is_told_of_the_other(quick):
    """z comes one row before y: with it the error is that of the noise, without it that of a walk's steps."""
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(size=401))
    table = pd.DataFrame({"ds": np.arange(400), "y": walk[:-1], "z": walk[1:]})
    settings = {"unique_id": None, "horizon": 1, "season": 1, "residual": "naive", "scaling": "standard",
                "hidden_size": 16, "max_epochs": 25, "learning_rate": 1e-2, "dropout": 0.0}  # fmt: skip
    both = quick(y=("y", "z"), **settings).fit(table)
    assert both.validation_["network, y"] < 0.5 * both.validation_["naive, y"]


def test_a_table_read_with_other_targets_is_refused(two, rows):
    table = SeriesTable.from_table(rows, covariates=("p", "f", "c"), columns=Columns(static=("region", "size")))
    with pytest.raises(TableError, match="was read with the targets 'y', not 'y', 'z'"):
        two.hindcast(table, 50)


@pytest.mark.parametrize("decoder", ["direct", "recurrent", "recursive", "segments"])
@pytest.mark.parametrize("scaling", ["log", "instance"])
def test_scales_with_every_decoder(decoder, scaling, rows, quick):
    """The stream of a model with calibrated margins says what the table says, and nothing lies below zero."""
    past = rows.assign(y=rows["y"] - 9.9)
    past["y"] = past["y"].clip(lower=0.0)
    model = quick(decoder=decoder, scaling=scaling, conformal=True, validation=20, residual="naive").fit(past)
    answer = model.forecasts(past)
    assert np.isfinite(answer.quantiles).all()
    if scaling == "log":
        assert answer.quantiles.min() >= 0.0
    stream = model.stream(split(past, 59)[0])
    live = stream.update_many(split(past, 59)[1].to_dict("records"))
    np.testing.assert_allclose(live.quantiles, answer.quantiles, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("output", ["normal", "student_t", "mixture"])
def test_logarithms_of_every_output(output, rows, quick):
    model = quick(output=output, scaling="log").fit(rows)
    answer = model.forecasts(rows)
    assert (np.diff(answer.quantiles, axis=2) > 0).all()
    assert answer.mean == pytest.approx(answer.median, rel=0.2)


def test_more_steps_than_trained_with_static_columns_and_irregular_rows(rows, quick):
    """Made-up rows come a usual time apart and keep their series' static columns; batch and stream agree."""
    table = rows.copy()
    table["ds"] += pd.to_timedelta(7 * table.groupby("unique_id").cumcount() ** 2 % 11, unit="h")
    model = quick(freq="irregular", static_covariates=("region",), missing="mask").fit(table)
    long, short = model.predict(table, horizon=7), model.predict(table)
    assert len(long) == 14
    pd.testing.assert_frame_equal(long.groupby("unique_id").head(3).reset_index(drop=True), short)
    assert model.backtest(table, folds=2).sentence


@pytest.mark.parametrize("output", ["quantiles", "normal"])
def test_a_series_without_a_known_value_has_no_forecast(output, rows, quick):
    # expected: NaN for it, in every way of asking, until its first value comes; the others as without it
    model = quick(missing="mask", output=output).fit(rows)
    bare = pd.concat([rows[rows["unique_id"] == "a"], rows[rows["unique_id"] == "b"].assign(unique_id="n", y=np.nan)])
    for answer in (model.forecasts(bare), model.forecasts(bare, horizon=5), model.stream(bare).forecasts()):
        assert np.isnan(answer.quantiles[1]).all()
        assert np.isnan(answer.mean[1]).all()
        assert np.isfinite(answer.quantiles[0]).all()
    assert model.sample(bare, n_paths=2).groupby("unique_id")["sample"].count().to_dict() == {"a": 6, "n": 0}
    assert np.isnan(model.hindcast(bare, since=50).quantiles[10:]).all()
    stream, (_, later) = model.stream(bare), split(rows, 57)
    row = {"unique_id": "n", "ds": later["ds"].max() + pd.Timedelta(days=1), "y": 5.0}
    assert np.isfinite(stream.update(row).quantiles).all()


def test_several_targets_are_fed_back_together(rows, quick, monkeypatch):
    # expected: one path of middle ranks goes on as the forecast after a table that ends in the path of both targets;
    # the first steps stay, a stream says the same, and blocks of places do not matter
    model = quick(y=("y", "z"), missing="mask").fit(rows)
    predictor, table = model._predictor, model._known_table(rows)
    known = predictor.steps_after(table, None, None, 6)[1]
    path = paths_ahead(predictor, start_after(predictor, table), known, np.full((1, 6), 0.5))[:, 0]
    later = pd.DataFrame({"ds": pd.date_range(rows["ds"].max() + pd.Timedelta(days=1), periods=3)})
    ends = [later.assign(unique_id=n, y=path[2 * i, :3], z=path[2 * i + 1, :3]) for i, n in enumerate("ab")]
    longer = pd.concat([rows, *ends]).sort_values(["unique_id", "ds"])
    np.testing.assert_allclose(path[:, 3:], model.forecasts(longer).median, rtol=1e-9)
    long, short = model.forecasts(rows, horizon=6), model.forecasts(rows)
    np.testing.assert_array_equal(long.quantiles[:, :3], short.quantiles)
    assert (np.diff(long.quantiles, axis=2) >= 0).all()
    assert model.sample(rows, n_paths=3, horizon=6).groupby(["unique_id", "target"]).size().tolist() == [18] * 4
    monkeypatch.setattr("recurra.prediction.feedback.STREAMS_AT_ONCE", 1)
    np.testing.assert_allclose(model.forecasts(rows, horizon=6).quantiles, long.quantiles, rtol=1e-9)


def test_several_targets_under_the_recursive_decoder(rows, quick):
    # expected: a hindcast at a row is the forecast after a table that ends there, and a stream says the same; margins,
    # ensembles, backtests and folders take it too
    holed = rows.assign(z=rows["z"].where(rows.index % 7 != 3))
    settings = {"decoder": "recursive", "missing": "mask", "conformal": True, "validation": 20, "n_ensemble": 2}
    model = quick(y=("y", "z"), **settings).fit(holed)
    found = model.hindcast(holed, 50)
    assert len(found.rows) == 40
    for t in (51, 55):
        answer = model.forecasts(split(holed, t + 1)[0])
        mine = found.quantiles[np.isin(found.rows, 60 * np.arange(4) + t)]
        np.testing.assert_allclose(mine, answer.quantiles, rtol=1e-9)
    stream = model.stream(split(holed, 55)[0])
    live = stream.update_many(split(holed, 55)[1].groupby("unique_id").head(1).to_dict("records"))
    np.testing.assert_allclose(live.quantiles, answer.quantiles, rtol=1e-9)
    assert model.sample(holed, n_paths=2).groupby(["unique_id", "target"]).size().tolist() == [6] * 4
    assert {window.series_id for window in model.backtest(holed, folds=2).windows} == {
        "a / y",
        "a / z",
        "b / y",
        "b / z",
    }


def test_rows_of_kin_are_found_in_any_order(rows, quick):
    # expected: each row's kin stand beside it, once, whatever rows are asked for and however often
    predictor = quick(y=("y", "z"), missing="mask").fit(rows)._predictor
    prepared = predictor.preparation.rows(SeriesTable.from_table(rows, columns=Columns(more_targets=("z",))))
    asked = np.array([130, 5, 65, 239, 7, 5])  # "b / y" at 10, "a / y" at 5, "a / z" at 5, "b / z" at 59, "a / y" at 7
    everyone, places = with_kin(prepared, asked)
    assert everyone.tolist() == [5, 65, 7, 67, 130, 190, 179, 239]
    np.testing.assert_array_equal(everyone[places], asked)


@pytest.mark.parametrize("scaling", ["standard", "running"])
@pytest.mark.parametrize("y", ["y", ("y", "z")])
def test_when_a_series_begins_is_not_known_before(scaling, y, rows, quick):
    # expected: a forecast that is fed back from a row before a target's first value is that of a table that ends there
    late = rows.assign(y=rows["y"].where(rows.groupby("unique_id").cumcount() >= 14))
    model = quick(y=y, decoder="recursive", horizon=5, missing="mask", scaling=scaling, residual="naive").fit(late)
    answer = model.forecasts(split(late, 11)[0])
    found = model.hindcast(late, 10)
    mine = found.quantiles[np.isin(found.rows, 60 * np.arange(4) + 10)]
    np.testing.assert_allclose(mine, answer.quantiles, rtol=1e-9)
