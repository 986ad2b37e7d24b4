"""A stream says after every row what the batch says on the rows so far; a refused row changes nothing."""

import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, SeriesTable, TablePolicy
from recurra.errors import (
    BadValueError,
    ConfigError,
    LateRowError,
    MissingColumnError,
    SkippedRowError,
    SnapshotError,
    StreamError,
    TableError,
    TimeStampError,
)
from recurra.prediction import ArrivalPolicy, ForecastStream

KINDS = ("none", "naive", "season_mean", "seasonal", "seasonal_change", "linear")
SCALINGS = ("running", "standard", "mean_abs", "robust", "none")
MASK = TablePolicy(missing="mask")


def rows_at(frame, t):
    """Row number t of each series, as dicts."""
    return [group.iloc[t].to_dict() for _, group in frame.groupby("unique_id", sort=False)]


def so_far(frame, t):
    return frame[frame.groupby("unique_id").cumcount() <= t]


def next_rows(frame, t, horizon=3):
    number = frame.groupby("unique_id").cumcount()
    return frame[(number > t) & (number <= t + horizon)].drop(columns="y")


def assert_same(streamed, batch):
    """To 1e-6, relative and absolute; it is float64 inside, so 1e-9 of the size holds."""
    assert [str(name) for name in streamed.ids] == [str(name) for name in batch.ids]
    np.testing.assert_array_equal(streamed.ds, batch.ds)
    np.testing.assert_allclose(streamed.quantiles, batch.quantiles, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(streamed.mean, batch.mean, rtol=1e-9, atol=1e-6)


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


# --- what may come late, twice, or not at all -----------------------------------------------------------------------


@pytest.fixture
def live(frame, read, predictor):
    """A stream over ten rows of two series, as a function of its policy."""
    rows = frame("ab", 14)
    model = predictor(read(rows))

    def build(**policy):
        return ForecastStream(model, Columns(), read(so_far(rows, 9)), ArrivalPolicy(**policy), MASK), rows, model

    return build


def state_of(stream):
    return stream.snapshot()


@pytest.mark.parametrize(("name", "t"), [("late", 7), ("repeated", 9)])
def test_late_and_repeated_rows(name, t, live):
    stream, rows, _ = live()
    before = state_of(stream)
    with pytest.raises(LateRowError, match=rf"row 1 \(series 'a', 2024-01-\d+\): .*{name}='ignore'"):
        stream.update(rows_at(rows, t)[0])
    assert state_of(stream) == before
    stream, rows, _ = live(**{name: "ignore"})
    before, now = state_of(stream), stream.forecasts()
    answer = stream.update(rows_at(rows, t)[0])
    np.testing.assert_array_equal(answer.quantiles[0], now.quantiles[0])
    assert state_of(stream) == before
    both = stream.update_many([rows_at(rows, t)[0], rows_at(rows, 10)[1]])
    np.testing.assert_allclose(both.quantiles[0], now.quantiles[0], rtol=1e-12)


def test_skipped_rows(live, read):
    stream, rows, model = live()
    before = state_of(stream)
    with pytest.raises(SkippedRowError, match=r"series 'a', 2024-01-13\).*comes 3 steps after.*skipped='mask'"):
        stream.update(rows_at(rows, 12)[0])
    assert state_of(stream) == before
    stream, rows, _ = live(skipped="mask")
    answer = stream.update(rows_at(rows, 12)[0])
    masked = so_far(rows, 12).assign(y=lambda t: t.y.where(~t.ds.isin(pd.to_datetime(["2024-01-11", "2024-01-12"]))))
    assert_same(answer, model.forecasts(read(masked[masked.unique_id == "a"], "D")))


def test_skipped_rows_cannot_be_masked_without_a_model_that_knows_missing_ones(frame, read, predictor):
    table = read(frame("ab"))
    with pytest.raises(ConfigError, match="missing='mask'"):
        ForecastStream(predictor(table, show_missing=False), Columns(), policy=ArrivalPolicy(skipped="mask"))
    with pytest.raises(ConfigError, match="cannot make up the covariates"):
        ForecastStream(predictor(table, past=("p",)), Columns(), policy=ArrivalPolicy(skipped="mask"))


# --- refusals change nothing ----------------------------------------------------------------------------------------

BAD = [
    ({"y": "abc"}, BadValueError, r"row 1, column 'y' \(series 'a', 2024-01-11\): 'abc' is not a finite number"),
    ({"y": float("inf")}, BadValueError, "column 'y'.*inf is not a finite number"),
    ({"y": 1e31}, BadValueError, "larger than 1e30; use a larger unit"),
    ({"y": None}, BadValueError, "the target is missing; leave the row out, or fit the model with missing='mask'"),
    ({"y": ...}, MissingColumnError, "column 'y' is missing; the row has"),
    ({"unique_id": None}, BadValueError, "row 1, column 'unique_id': the series is not named"),
    ({"ds": "soon"}, TimeStampError, "row 1, column 'ds': 'soon' is not a date; write it as"),
    ({"ds": pd.NaT}, TimeStampError, "is not a date"),
    ({"ds": "2024-01-11T00:00+01:00"}, TimeStampError, "have no time zone and this one has"),
    ({"ds": "2024-01-11T06:00"}, TimeStampError, "2024-01-11 06:00.* is not a whole number of steps of 'D'"),
    ({"p": float("nan")}, BadValueError, "column 'p'.*nan is not a finite number"),
    ({"c": "w"}, BadValueError, "column 'c'.*category 'w' was not seen at fit"),
    ({"c": None}, BadValueError, "column 'c'.*category None"),
    ({"d": "w"}, BadValueError, "column 'd'.*category 'w' was not seen at fit"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "said"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_a_refused_row_changes_nothing(change, error, said, frame, predictor):
    rows = frame("ab", 20)
    rows["d"] = rows["c"]
    table = SeriesTable.from_table(rows, covariates=("p", "c", "d"))
    model = predictor(table, past=("p", "d"), future=("c",), show_missing=False)
    stream = ForecastStream(model, Columns(), table.truncate([10, 10]))
    before = state_of(stream)
    good = rows_at(rows, 10)
    bad = {name: value for name, value in {**good[0], **change}.items() if value is not ...}
    with pytest.raises(error, match=said):
        stream.update(bad, next_rows(rows, 10))
    with pytest.raises(error, match=said.replace("row 1", "row 2")):
        stream.update_many([good[1], bad], next_rows(rows, 10))
    assert state_of(stream) == before
    assert stream.series == ("a", "b")


def test_a_wrong_future_changes_nothing(frame, read, predictor):
    """Not there, too early, an unseen category: refused before the row is taken."""
    rows = frame("ab", 20)
    model = predictor(read(rows), future=("f", "c"))
    stream = ForecastStream(model, Columns(), read(so_far(rows, 9)))
    before, row = state_of(stream), rows_at(rows, 10)[0]
    for future, error, said in (
        (None, TableError, "needs the columns 'f', 'c' of the next 3 steps"),
        (next_rows(rows, 9), TableError, "series 'a': .*2024-01-12 to 2024-01-14.*it has 3 from 2024-01-11"),
        (next_rows(rows, 10).drop(columns="c"), MissingColumnError, "no column 'c'"),
        (next_rows(rows, 10).assign(c="w"), BadValueError, "column 'c': category 'w'"),
        (next_rows(rows, 10).assign(f="text"), BadValueError, "column 'f' holds categories"),
        ([3, 4, 5], BadValueError, "must be a list of rows"),
    ):
        with pytest.raises(error, match=said):
            stream.update(row, future)
        assert state_of(stream) == before


def test_the_future_may_come_in_any_shape(frame, read, predictor):
    rows = frame("ab", 20)
    model = predictor(read(rows), future=("f", "c"))
    stream = ForecastStream(model, Columns(), read(so_far(rows, 9)))
    row, future = rows_at(rows, 10)[0], next_rows(rows, 10, horizon=6)
    own = future[future.unique_id == "a"]
    expected = stream.fork().update(row, future).quantiles
    for other in (own, own.drop(columns="unique_id"), own.to_dict("records"), own.to_dict("list"),
                  own.drop(columns="unique_id").to_dict("records")):  # fmt: skip
        np.testing.assert_array_equal(stream.fork().update(row, other).quantiles, expected)


def test_a_first_row_must_lie_where_the_frequency_allows(frame, read, predictor):
    model = predictor(read(frame("ab", stamps=STAMPS["B"]), "B"))
    stream = ForecastStream(model, Columns())
    with pytest.raises(TimeStampError, match=r"series 'x', 2024-06-01\): such a time cannot occur .*'B'"):
        stream.update({"unique_id": "x", "ds": "2024-06-01", "y": 1.0})  # a Saturday
    assert stream.series == ()


def test_stamps_need_the_zone_of_the_model_and_are_shown_in_it(frame, read, predictor):
    rows = frame("ab", stamps=STAMPS["h@Europe/Berlin"])
    model = predictor(read(rows))
    stream = ForecastStream(model, Columns(), read(so_far(rows, 9)))
    assert stream.time_zone == "Europe/Berlin"
    with pytest.raises(TimeStampError, match="in time zone Europe/Berlin and this one has no zone"):
        stream.update({**rows_at(rows, 10)[0], "ds": "2024-03-30T22:00"})
    with pytest.raises(LateRowError, match="2024-03-30 21:00 has been seen already"):
        stream.update(rows_at(rows, 9)[0])
    utc = stream.fork().update({**rows_at(rows, 10)[0], "ds": "2024-03-30T21:00Z"})
    assert_same(utc, stream.update(rows_at(rows, 10)[0]))


def test_no_rows_and_no_streams_are_refused(live):
    stream, *_ = live()
    with pytest.raises(StreamError, match="no row"):
        stream.update_many([])
    empty = ForecastStream(stream._predictor, Columns())
    with pytest.raises(StreamError, match="no stream has begun"):
        empty.forecasts()


def test_unknown_policies_are_refused():
    with pytest.raises(ConfigError, match="late='drop' is unknown; choose 'refuse' or 'ignore'"):
        ArrivalPolicy(late="drop")


# --- snapshot, restore, fork ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_snapshot_goes_on_where_the_stream_was(cell, frame, read, predictor):
    rows = frame("ab", 20, missing=True)
    model = predictor(read(rows, "D"), cell=cell)
    stream = ForecastStream(model, Columns(), read(so_far(rows, 9), "D"), ArrivalPolicy(late="ignore"), MASK)
    saved = stream.snapshot()
    again = ForecastStream.restore(saved, model, Columns(), MASK)
    assert again.snapshot() == saved
    assert again.series == stream.series
    assert len(saved) < 4000  # a few kilobytes for two series
    for t in range(10, 20):
        for row in rows_at(rows, t):
            np.testing.assert_array_equal(again.update(row).quantiles, stream.update(row).quantiles)
    again.update(rows_at(rows, 3)[0])  # late='ignore' came along


def test_an_empty_stream_can_be_kept(frame, read, predictor):
    model = predictor(read(frame("ab")))
    again = ForecastStream.restore(ForecastStream(model, Columns()).snapshot(), model, Columns())
    assert again.series == ()


def test_snapshots_that_do_not_fit_are_refused_by_name(frame, read, predictor):
    table = read(frame("ab"))
    model = predictor(table)
    saved = ForecastStream(model, Columns(), table).snapshot()
    with pytest.raises(SnapshotError, match="another model"):
        ForecastStream.restore(saved, predictor(table, scaling="standard"), Columns())
    with pytest.raises(SnapshotError, match="schema version 99; this Recurra knows 1"):
        ForecastStream.restore(saved.replace(b'"schema_version": 1', b'"schema_version": 99'), model, Columns())
    flipped = bytearray(saved)
    flipped[-1] ^= 1
    with pytest.raises(SnapshotError, match="have changed since it was taken"):
        ForecastStream.restore(bytes(flipped), model, Columns())
    for damaged in (saved[:-10], saved[:20], b"", b"text"):
        with pytest.raises(SnapshotError):
            ForecastStream.restore(damaged, model, Columns())


def test_a_fork_goes_its_own_way(frame, read, predictor):
    rows = frame("ab", 20)
    model = predictor(read(rows), cell="lstm")
    stream = ForecastStream(model, Columns(), read(so_far(rows, 9)))
    before, twin = stream.snapshot(), stream.fork()
    assert twin.snapshot() == before
    twin.update({**rows_at(rows, 10)[0], "y": 1e6})
    twin.update({"unique_id": "new", "ds": "2024-05-01", "y": 1.0})
    assert stream.snapshot() == before
    assert stream.series == ("a", "b")
    after = twin.snapshot()
    stream.update(rows_at(rows, 10)[1])
    assert twin.snapshot() == after
