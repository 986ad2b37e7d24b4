"""What a stream refuses, ignores and masks, how it is kept, restored and forked; a refused row changes nothing."""

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
from tests.prediction.streamed import assert_same, next_rows, rows_at, so_far

MASK = TablePolicy(missing="mask")


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
    np.testing.assert_allclose(answer.quantiles[0], now.quantiles[0], rtol=1e-12)
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
        (
            next_rows(rows, 9),
            TableError,
            r"row 1, column 'ds' \(series 'a'\): expected 2024-01-12, found 2024-01-11",
        ),
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
    model = predictor(read(frame("ab", stamps=pd.bdate_range("2024-01-01", periods=40)), "B"))
    stream = ForecastStream(model, Columns())
    with pytest.raises(TimeStampError, match=r"series 'x', 2024-06-01\): such a time cannot occur .*'B'"):
        stream.update({"unique_id": "x", "ds": "2024-06-01", "y": 1.0})  # a Saturday
    assert stream.series == ()


def test_stamps_need_the_zone_of_the_model_and_are_shown_in_it(frame, read, predictor):
    rows = frame("ab", stamps=pd.date_range("2024-03-30 12:00", periods=40, freq="h", tz="Europe/Berlin"))
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
