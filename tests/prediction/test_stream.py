"""A stream says after every row what the batch says on the rows so far, for every rule, scaling, cell and clock."""

import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, SeriesTable, TablePolicy
from recurra.prediction import ForecastStream
from tests.prediction.streamed import assert_same, next_rows, rows_at, so_far

KINDS = ("none", "naive", "season_mean", "seasonal", "seasonal_change", "linear")
SCALINGS = ("running", "instance", "log", "standard", "mean_abs", "robust", "none")
MASK = TablePolicy(missing="mask")


def follow(model, frame, read, freq, *, until, check=None, **known):
    """Stream the rows of all series side by side and hold every answer against the batch's."""
    stream = ForecastStream(model, Columns(), tables=MASK)
    for t in range(until):
        future = next_rows(frame, t) if known.get("future") else None
        answer = stream.update_many(rows_at(frame, t), future)
        if check is None or t in check:
            assert_same(answer, model.forecasts(read(so_far(frame, t), freq), future, MASK))


@pytest.mark.parametrize("level", [10.0, 1e6])
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_and_scaling_with_missing_rows(kind, scaling, level, frame, read, predictor):
    """Series "new" was not there at fit; "a" begins with missing rows."""
    known, rows = frame("ab", missing=True, level=level), frame(["a", "new"], 20, missing=True, level=level, seed=1)
    model = predictor(read(known, "D"), reference=kind, scaling=scaling)
    follow(model, rows, read, "D", until=17, check=(0, 1, 2, 3, 5, 9, 16))


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_cell_with_past_and_future_covariates(cell, num_layers, frame, read, predictor):
    known, rows = frame("ab"), frame(["b", "new"], 20, seed=1)
    model = predictor(
        read(known), cell=cell, num_layers=num_layers, past=("p",), future=("f", "c"), calendar=("weekday", "yearday")
    )
    follow(model, rows, read, "D", until=15, check=(0, 1, 4, 14), future=True)


STAMPS = {
    "1": np.arange(-4, 36),
    "B": pd.bdate_range("2024-01-01", periods=40),
    "ME": pd.date_range("2020-01-31", periods=40, freq="ME"),
    "D@Europe/Berlin": pd.date_range("2024-03-20", periods=40, tz="Europe/Berlin"),
    "h@Europe/Berlin": pd.date_range("2024-03-30 12:00", periods=40, freq="h", tz="Europe/Berlin"),
    "15min": pd.date_range("2024-03-30", periods=40, freq="15min"),
}


@pytest.mark.parametrize("code", STAMPS)
def test_every_kind_of_stamp(code, frame, read, predictor):
    """The daily and the hourly zone cross the change to summer time."""
    rows = frame("ab", stamps=STAMPS[code])
    calendar = () if code == "1" else ("hour", "weekday", "month")
    model = predictor(read(rows, code.partition("@")[0]), calendar=calendar)
    follow(model, rows, read, code.partition("@")[0], until=30, check=(0, 1, 12, 29))


def test_five_thousand_rows_past_the_context(frame, read, predictor):
    rows = frame("a", 5100)
    model = predictor(read(rows.iloc[:100]), reference="linear", calendar=("weekday",))
    stream = ForecastStream(model, Columns())
    records = rows.to_dict("records")
    for begin in range(0, 5100, 850):
        answer = stream.update_many(records[begin : begin + 850])
        assert_same(answer, model.forecasts(read(rows.iloc[: begin + 850])))


def test_a_stream_goes_on_after_a_table(frame, read, predictor):
    rows = frame("ab", 30, missing=True)
    model = predictor(read(rows, "D"))
    stream = ForecastStream(model, Columns(), read(so_far(rows, 19), "D"))
    assert_same(stream.forecasts(), model.forecasts(read(so_far(rows, 19), "D")))
    for t in range(20, 30):
        assert_same(stream.update_many(rows_at(rows, t)), model.forecasts(read(so_far(rows, t), "D")))


def test_a_thousand_streams_in_one_step_equal_a_thousand_single_ones(frame, read, predictor):
    names = [f"s{i}" for i in range(1000)]
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "unique_id": np.repeat(names, 6), "ds": np.tile(pd.date_range("2024-01-01", periods=6), 1000),
        "y": rng.normal(size=6000), "p": 0.0, "f": 0.0, "c": "u",
    })  # fmt: skip
    model = predictor(read(table.iloc[:600]))
    history = read(so_far(table, 4), "D")
    batched, single = ForecastStream(model, Columns(), history), ForecastStream(model, Columns(), history)
    last = rows_at(table, 5)
    answer = batched.update_many(last)
    alone = [single.update(row) for row in reversed(last)][::-1]
    np.testing.assert_allclose(
        answer.quantiles, np.concatenate([forecast.quantiles for forecast in alone]), rtol=1e-10, atol=1e-10
    )
    assert answer.ids == tuple(names)


def test_streams_do_not_touch_each_other(frame, read, predictor):
    rows = frame("abc", 12)
    model = predictor(read(rows, "D"))
    together, alone = ForecastStream(model, Columns()), ForecastStream(model, Columns())
    for t in range(12):
        records = rows_at(rows, t)
        together.update(records[0])
        mine = together.update(records[1])
        together.update_many([{**records[2], "y": 1e9 * t}])
        np.testing.assert_array_equal(mine.quantiles, alone.update(records[1]).quantiles)


def test_rows_of_different_series_in_any_order_and_number(frame, read, predictor):
    """Two rows of one series and one of another in a call: the same as one by one."""
    rows = frame("ab", 4)
    model = predictor(read(frame("ab")))
    a, b = rows[rows.unique_id == "a"].to_dict("records"), rows[rows.unique_id == "b"].to_dict("records")
    stream, one = ForecastStream(model, Columns()), ForecastStream(model, Columns())
    answer = stream.update_many([b[0], a[0], a[1]])
    one.update(b[0])
    one.update(a[0])
    one.update(a[1])
    assert answer.ids == ("b", "a")
    assert_same(answer, one.forecasts())


def test_a_table_of_rows_is_as_good_as_rows(frame, read, predictor):
    rows = frame("ab", 4)
    model = predictor(read(frame("ab")), past=("p",), future=("c",))
    stream, other = ForecastStream(model, Columns()), ForecastStream(model, Columns())
    first = so_far(rows, 0)
    future = next_rows(rows, 0)
    assert_same(stream.update_many(first, future), other.update_many(first.to_dict("records"), future))


def test_names_are_those_of_the_table(frame, read, predictor):
    """7, 7.0, numpy's 7 and "7" are one series, as in a table."""
    rows = frame("ab", 10)
    rows["unique_id"] = rows["unique_id"].map({"a": 7, "b": 8})
    model = predictor(read(rows), scaling="standard")
    stream = ForecastStream(model, Columns(), read(so_far(rows, 3), "D"))
    for t, name in enumerate((7, np.int64(7), "7", 7.0), start=4):
        answer = stream.update({**rows_at(rows, t)[0], "unique_id": name})
        assert answer.ids == (7,)
    assert stream.series == (7, 8)
    assert_same(answer, model.forecasts(read(so_far(rows[rows.unique_id == 7], 7), "D")))


def test_one_series_without_names_is_the_one_it_was_fitted_on(frame, predictor):
    """Its level was fixed at fit under the target's name; a stream without a table finds it."""
    rows = frame("a", 30, level=50.0).drop(columns="unique_id")
    columns = Columns(None)
    model = predictor(SeriesTable.from_table(rows, columns=columns), scaling="standard")
    stream = ForecastStream(model, columns)
    for t in range(5):
        answer = stream.update(rows.iloc[t].to_dict())
        assert_same(answer, model.forecasts(SeriesTable.from_table(rows.iloc[: t + 1], columns=columns, freq="D")))
