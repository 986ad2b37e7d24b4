"""Forecaster: scikit-learn's manners, one seed one model, and answers in the kind of table that came in."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from sklearn.base import clone

import recurra
from recurra.data import SeriesTable
from recurra.errors import ConfigError, NonFiniteLossError, NotFittedError, TableError, TimeStampError
from recurra.learners.schema import ForecasterConfig
from recurra.training.forecast import ForecastTask


def test_the_constructor_and_the_schema_are_one():
    """Same names, same order apart from nothing, same defaults: TOML, flags and keywords cannot drift apart."""
    parameters = dict(inspect.signature(recurra.Forecaster.__init__).parameters)
    del parameters["self"]
    assert set(parameters) == set(ForecasterConfig.model_fields)
    for name, field in ForecasterConfig.model_fields.items():
        assert parameters[name].default == field.default, name


def test_the_constructor_stores_and_does_no_more():
    covariates = ["not", "checked"]
    model = recurra.Forecaster(horizon=-5, cell="no such cell", past_covariates=covariates)
    assert (model.horizon, model.cell) == (-5, "no such cell")
    assert model.past_covariates is covariates
    assert set(vars(model)) == set(ForecasterConfig.model_fields)


def test_parameters_can_be_read_set_and_cloned(quick, fitted):
    model = quick(cell="lstm", future_covariates=("f",))
    assert model.get_params()["cell"] == "lstm"
    assert model.set_params(cell="rnn", hidden_size=9) is model
    assert (model.cell, model.hidden_size) == ("rnn", 9)
    with pytest.raises(ConfigError, match="has no parameter 'hiden'"):
        model.set_params(hidden_size=5, hiden=4)
    assert model.hidden_size == 9  # nothing is half-set
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    assert not twin.__sklearn_is_fitted__()
    assert "cell='rnn'" in repr(model)


@pytest.mark.parametrize(
    "call",
    [
        lambda model, table: model.predict(table),
        lambda model, table: model.forecasts(table),
        lambda model, table: model.hindcast(table, 3),
        lambda model, table: model.stream(),
        lambda model, table: model.restore(b""),
        lambda model, table: model.save("nowhere"),
    ],
)
def test_nothing_answers_before_fit(call, table, quick):
    with pytest.raises(NotFittedError, match=r"call fit\(table\) first"):
        call(quick(), table)


def test_fit_returns_itself_and_says_what_it_learned(table, quick):
    model = quick()
    assert model.fit(table) is model
    assert (model.frequency_, model.season_, model.context_) == ("D", 7, 10)
    assert (model.residual_, model.scaling_) == ("seasonal", "running")
    assert model.history_.ending == "finished"
    assert model.n_parameters_ == sum(p.numel() for p in model.network_.parameters())
    assert len(model.model_hash_) == 64
    assert set(model.validation_) == {"network", "naive", "seasonal naive"}
    assert model.reasons_["residual"] == "as asked"


def test_one_seed_one_model(table, quick, fitted):
    assert quick().fit(table).model_hash_ == fitted.model_hash_
    assert quick(seed=1).fit(table).model_hash_ != fitted.model_hash_


def test_global_generators_are_left_alone(table, quick):
    torch.manual_seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model = quick(dropout=0.5).fit(table)
    model.predict(table)
    model.backtest(table, folds=2)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


def test_predictions_are_dated_right_after_the_last_rows(fitted, table):
    shorter = table.drop(table.index[-5:])  # series b ends five days earlier
    answer = fitted.predict(shorter)
    assert answer.columns.tolist() == ["unique_id", "ds", "forecast", "mean", "q10", "q50", "q90"]
    assert answer["unique_id"].tolist() == ["a"] * 3 + ["b"] * 3
    expected = ["2024-03-01", "2024-03-02", "2024-03-03", "2024-02-25", "2024-02-26", "2024-02-27"]
    assert answer["ds"].dt.strftime("%Y-%m-%d").tolist() == expected
    assert (answer["forecast"] == answer["q50"]).all()
    assert (answer[["q10", "q50", "q90"]].diff(axis=1).iloc[:, 1:] > 0).all(axis=None)


def test_tables_go_out_as_the_kind_that_came_in(fitted, table, tmp_path):
    expected = fitted.predict(table)
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    answers = {
        "pandas": fitted.predict(table),
        "polars": fitted.predict(pl.from_pandas(table)),
        "pyarrow": fitted.predict(pa.Table.from_pandas(table)),
        "path": fitted.predict(path),
    }
    assert isinstance(answers["pandas"], pd.DataFrame)
    assert isinstance(answers["polars"], pl.DataFrame)
    assert isinstance(answers["pyarrow"], pa.Table)
    for answer in answers.values():
        assert np.asarray(answer["forecast"].to_numpy()).tolist() == expected["forecast"].tolist()


def test_names_and_zones_of_columns_are_kept(quick, make_table):
    table = make_table().rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    table["day"] = table["day"].dt.tz_localize("Europe/Berlin")
    model = quick(unique_id="shop", ds="day", y="sales").fit(table)
    answer = model.predict(table)
    assert answer.columns[:2].tolist() == ["shop", "day"]
    assert str(answer["day"].dt.tz) == "Europe/Berlin"
    assert answer["day"].iloc[0] == pd.Timestamp("2024-03-01", tz="Europe/Berlin")
    with pytest.raises(TimeStampError, match="in time zone Europe/Berlin and this one has no zone"):
        model.predict(table.assign(day=table["day"].dt.tz_localize(None)))


def test_a_future_without_a_target_column(quick, make_table):
    table = make_table(n=70, f=np.arange(70) % 3, g=np.where(np.arange(70) % 2, "odd", "even"))
    number = table.groupby("unique_id").cumcount()
    past, future = table[number < 60], table[(number >= 60) & (number < 63)].drop(columns="y")
    model = quick(future_covariates=("f", "g")).fit(past)
    assert len(model.predict(past, future)) == 6
    with pytest.raises(TableError, match="needs the columns 'f', 'g' of the next 3 steps"):
        model.predict(past)
    with pytest.raises(TableError, match=r"series 'b': .*needs the 3 rows 2024-03-01 to 2024-03-03.*it has 2 from"):
        model.predict(past, future.iloc[:-1])
    moved = future.assign(f=future["f"] + 1)
    assert (model.predict(past, moved)["forecast"] != model.predict(past, future)["forecast"]).any()


def test_it_learns_what_the_naive_rule_cannot(make_table):
    """A season of seven steps: copying the last value errs by its swing, the answer's noise is a tenth of it."""
    table = make_table(n=160)
    settings = {"hidden_size": 8, "max_epochs": 20, "residual": "naive", "calendar": (), "learning_rate": 1e-2}
    model = recurra.Forecaster(horizon=3, **settings).fit(table)
    report = model.validation_
    assert report["network"] < 0.5 * report["naive"]
    assert report["network"] < 3 * 0.1 * (2 / np.pi) ** 0.5  # three times the mean size of the noise


def test_a_backtest_scores_a_fresh_copy_and_leaves_the_model_as_it_is(fitted, table):
    before = fitted.model_hash_, fitted.predict(table)
    report = fitted.backtest(table, folds=2)
    assert {"network", "naive", "drift"} <= set(report.to_dict()["overall"])
    assert report.sentence
    assert fitted.model_hash_ == before[0]
    pd.testing.assert_frame_equal(fitted.predict(table), before[1])
    assert fitted.backtest(table, folds=2, refit=True).to_dict()["overall"]


def test_a_backtest_with_covariates_hands_on_only_the_known_ones(quick, make_table):
    table = make_table(p=np.arange(60.0), f=np.arange(60) % 5)
    model = quick(past_covariates=("p",), future_covariates=("f",))
    assert model.backtest(table, folds=2).sentence


def test_max_seconds_ends_training(table, quick):
    model = quick(max_epochs=10_000, patience=10_000, max_seconds=0.3).fit(table)
    assert model.history_.ending == "out of time"
    assert model.history_.seconds < 5.0


def test_ctrl_c_leaves_a_model_with_the_best_weights_so_far(table, quick, monkeypatch):
    """The signal comes after the second validation, when the weights of the second epoch are the best."""
    losses = iter([3.0, 2.0])

    def validation_loss(self):
        try:
            return next(losses)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(ForecastTask, "validation_loss", validation_loss)
    model = quick(max_epochs=20).fit(table)
    assert model.history_.ending == "interrupted"
    assert (model.history_.best_epoch, model.history_.best_loss) == (2, 2.0)
    assert len(model.predict(table)) == 6


def test_a_loss_that_is_not_finite_keeps_the_last_good_weights(table, quick, monkeypatch):
    calls = []
    original = ForecastTask.loss

    def poisoned(self, batch):
        calls.append(batch)
        return original(self, batch) * (float("nan") if len(calls) > 5 else 1.0)

    monkeypatch.setattr(ForecastTask, "loss", poisoned)
    model = quick(max_epochs=50)
    with pytest.raises(NonFiniteLossError, match=r"epoch \d+, batch \d+: the loss is nan; the best weights so far"):
        model.fit(table)
    assert model.history_.ending == "loss not finite"
    assert model.history_.best_epoch >= 1
    assert np.isfinite(model.predict(table)["forecast"]).all()


def test_a_table_of_another_frequency_is_refused(fitted, table):
    hourly = table.assign(ds=pd.date_range("2024-01-01", periods=60, freq="h").tolist() * 2)
    with pytest.raises(TableError, match="not one step of 'D'"):
        fitted.predict(hourly)
    with pytest.raises(TableError, match="every 'h', but the model learned 'D'"):
        fitted.predict(SeriesTable.from_table(hourly))


def test_the_stream_of_a_trained_model_equals_predict(fitted, table):
    number = table.groupby("unique_id").cumcount()
    stream = fitted.stream(table[number < 50])
    for t in range(50, 60):
        rows = table[number == t].to_dict("records")
        answer = stream.update_many(rows)
        batch = fitted.forecasts(table[number <= t])
        np.testing.assert_allclose(answer.quantiles, batch.quantiles, rtol=1e-9, atol=1e-9)
    saved = stream.snapshot()
    np.testing.assert_array_equal(fitted.restore(saved).forecasts().quantiles, stream.forecasts().quantiles)


def test_a_stream_far_past_its_context_is_no_worse_than_a_window_run_again():
    """A noisy season of known noise; the model never saw more than 100 steps in a row while it learned."""
    n, last, context, sigma = 3600, 600, 24, 0.3
    rng = np.random.default_rng(4)
    y = 50 + 5 * np.sin(2 * np.pi * np.arange(n) / 12) + sigma * rng.normal(size=n)
    table = SeriesTable.from_table({"unique_id": ["a"] * n, "ds": list(range(n)), "y": y.tolist()})
    settings = {"season": 12, "context": context, "hidden_size": 8, "max_epochs": 15, "residual": "season_mean"}
    model = recurra.Forecaster(horizon=2, learning_rate=1e-2, **settings).fit(table.truncate([400]))
    streamed = model.hindcast(table, n - last)
    known = ~np.isnan(streamed.actual)
    error = np.abs(streamed.median - streamed.actual)[known].mean()
    windows = np.concatenate([np.arange(row - context + 1, row + 1) for row in streamed.rows])
    names = np.repeat([f"w{row}" for row in streamed.rows], context)
    again = SeriesTable.from_table(
        {"unique_id": names.tolist(), "ds": windows.tolist(), "y": y[windows].tolist()}, freq="1"
    )
    rerun = np.abs(model.forecasts(again).median - streamed.actual)[known].mean()
    assert error < 1.02 * rerun
    assert error < 1.6 * sigma * (2 / np.pi) ** 0.5  # the best possible error is the mean size of the noise
