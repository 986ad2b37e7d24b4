"""Streams of every kind of input say what the batch says: masks, static columns, several targets, irregular rows."""

import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, SeriesTable, TablePolicy
from recurra.errors import BadValueError, MissingColumnError, StreamError
from recurra.prediction import ArrivalPolicy, ForecastStream
from tests.prediction.streamed import assert_same, next_rows, rows_at, so_far

MASK = TablePolicy(missing="mask", missing_covariates="mask")


def rich(frame, names="ab", n=40, seed=0):
    """A table with a second target z, static columns s and k, and holes in everything that may have some."""
    rng = np.random.default_rng(seed)
    rows = frame(names, n, seed=seed)
    rows["z"] = 5.0 * rows["y"] + rng.normal(size=len(rows))
    rows["s"] = rows["unique_id"].map(lambda name: "red" if name == "a" else "blue")
    rows["k"] = rows["unique_id"].map(lambda name: float(ord(name[0])))
    for name in ("y", "z", "p", "f", "c"):
        rows[name] = rows[name].where(rng.random(len(rows)) > 0.2, None if name == "c" else np.nan)
    return rows


def read(rows, columns, freq="D", policy=MASK, covariates=("p", "f", "c")):
    return SeriesTable.from_table(rows, columns=columns, covariates=covariates, freq=freq, policy=policy)


SETTINGS = {"past": ("p",), "future": ("f", "c"), "static": ("s", "k"), "show_gap": True, "masked": True}
COLUMNS = Columns(static=("s", "k"))
TWO = Columns(static=("s", "k"), more_targets=("z",))


LAST = TablePolicy(missing="mask", missing_covariates="last")


def test_the_last_value_is_carried_on_as_in_a_table(frame, predictor):
    """Row by row, from a table, after a restart, in rows that never came: what `predict` says on the rows so far."""
    settings = {**SETTINGS, "masked": False}
    model = predictor(read(frame("ab").assign(s="red", k=1.0), COLUMNS), **settings)
    rows = rich(frame, ["b", "new"], 20, seed=1).assign(s="red", k=1.0)
    first = rows.groupby("unique_id").cumcount() == 0
    rows = rows.assign(**{name: rows[name].where(~first, "u" if name == "c" else 1.0) for name in ("p", "f", "c")})
    full = rows.assign(f=0.5, c="v")
    stream = ForecastStream(model, COLUMNS, policy=ArrivalPolicy(skipped="mask"), tables=LAST)
    for t in range(10):
        future = next_rows(full, t).drop(columns="z")
        given = rows_at(rows, t)
        answer = stream.update_many(given if t % 2 else pd.DataFrame(given), future)
        assert_same(answer, model.forecasts(read(so_far(rows, t), COLUMNS, policy=LAST), future, LAST))
    skipped = rows.copy()
    skipped.loc[rows.groupby("unique_id").cumcount() == 10, ["y", "p", "f", "c"]] = [np.nan, np.nan, np.nan, None]
    future = next_rows(full, 11).drop(columns="z")
    expected = model.forecasts(read(so_far(skipped, 11), COLUMNS, policy=LAST), future, LAST)
    begun = ForecastStream(
        model, COLUMNS, read(so_far(rows, 9), COLUMNS, policy=LAST), ArrivalPolicy(skipped="mask"), LAST
    )
    for live in (begun, stream.fork(), ForecastStream.restore(stream.snapshot(), model, COLUMNS, LAST)):
        assert_same(live.update_many(rows_at(rows, 11), future), expected)
    unknown = {**rows_at(rows, 0)[0], "unique_id": "other", "p": None}
    with pytest.raises(BadValueError, match=r"row 1, column 'p' .*no value of it before; fill it in"):
        stream.update(unknown, future)


@pytest.mark.parametrize("scaling", ["running", "instance", "log", "standard"])
@pytest.mark.parametrize("columns", [COLUMNS, TWO], ids=["one", "two"])
def test_masks_static_columns_and_targets(columns, scaling, frame, predictor):
    """Random weights, so that every input counts; "new" was not there at fit, and its categories are unseen."""
    targets = columns.targets if columns.more_targets else ()
    known = read(rich(frame), columns)
    model = predictor(known, scaling=scaling, targets=targets, unseen="ignore", **SETTINGS)
    rows = rich(frame, ["b", "new"], 20, seed=1)
    rows["s"] = rows["s"].where(rows["unique_id"] == "b", "green")
    rows["c"] = rows["c"].where(rows.index % 5 != 0, "w")
    stream = ForecastStream(model, columns, tables=MASK)
    for t in range(15):
        future = next_rows(rows, t).drop(columns="z")
        answer = stream.update_many(rows_at(rows, t), future)
        if t in (0, 1, 4, 9, 14):
            assert_same(answer, model.forecasts(read(so_far(rows, t), columns), future, MASK))
    assert len(answer.ids) == 2 * len(columns.targets)
    again = ForecastStream.restore(stream.snapshot(), model, columns, MASK)
    twin, future = stream.fork(), next_rows(rows, 15).drop(columns="z")
    answers = [s.update_many(rows_at(rows, 15), future).quantiles for s in (stream, again, twin)]
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])
    begun = ForecastStream(model, columns, read(so_far(rows, 9), columns), tables=MASK)
    answer = begun.update_many(rows_at(rows, 10), next_rows(rows, 10).drop(columns="z"))
    assert_same(answer, model.forecasts(read(so_far(rows, 10), columns), next_rows(rows, 10), MASK))


def test_every_input_reaches_the_forecast(frame, predictor):
    """Change one column at the last row of series a: its forecast changes, and so does that of its other target."""
    rows = rich(frame, n=30)
    model = predictor(read(rows, TWO), targets=TWO.targets, unseen="ignore", **SETTINGS)
    future = next_rows(rows, 19)
    cut = so_far(rows, 19).reset_index(drop=True)
    cut.loc[19, ["y", "z", "p", "f", "c"]] = [9.0, 45.0, 0.0, 0.0, "u"]
    before = model.forecasts(read(cut, TWO), future, MASK).quantiles
    for column, value in {"y": 12.0, "z": 60.0, "p": np.nan, "f": 3.0, "c": "w"}.items():
        changed = cut.copy()
        changed.loc[19, column] = value
        after = model.forecasts(read(changed, TWO), future, MASK).quantiles
        assert np.abs(after[:2] - before[:2]).max(axis=(1, 2)).min() > 1e-6, column
        np.testing.assert_array_equal(after[2:], before[2:])


def test_the_length_of_a_gap_reaches_the_forecast(frame, predictor):
    """After one masked row, or three, with the same latest value by the naive rule: only the gap differs."""
    rows = frame("ab", 30).assign(y=5.0)
    rows.loc[rows.index % 4 == 0, "y"] += 1.0
    model = predictor(read(rows, Columns()), reference="naive", season=1, show_gap=True, scaling="standard")
    short, long = rows.copy(), rows.copy()
    short.loc[19, "y"] = np.nan
    long.loc[17:19, "y"] = np.nan
    short.loc[17:18, "y"] = long.loc[16, "y"]
    cut = [read(so_far(table, 19), Columns()) for table in (short, long)]
    forecasts = [model.forecasts(table).quantiles[0] for table in cut]
    assert np.abs(forecasts[0] - forecasts[1]).max() > 1e-6


def test_static_columns_are_given_once_and_never_changed(frame, predictor):
    rows = rich(frame)
    model = predictor(read(rows, COLUMNS), **SETTINGS)
    stream = ForecastStream(model, COLUMNS, read(so_far(rows, 9), COLUMNS), tables=MASK)
    row, future = rows_at(rows, 10)[0], next_rows(rows, 10)
    without = {name: value for name, value in row.items() if name not in ("s", "k")}
    before = stream.snapshot()
    with pytest.raises(BadValueError, match=r"row 1, column 's' \(series 'a', 2024-01-11\): 'blue' is unlike 'red'"):
        stream.update({**row, "s": "blue"}, future)
    with pytest.raises(MissingColumnError, match=r"column 's' \(series 'x', .*first row of a series gives its static"):
        stream.update({**without, "unique_id": "x"}, future)
    assert stream.snapshot() == before
    expected = stream.fork().update(row, future)
    np.testing.assert_array_equal(stream.update(without, future).quantiles, expected.quantiles)


def test_skipped_rows_can_be_masked_where_covariates_may_be_missing(frame, predictor):
    rows = rich(frame, n=20)
    model = predictor(read(rows, COLUMNS), **SETTINGS)
    columns, policy = COLUMNS, TablePolicy(missing="mask", missing_covariates="mask", gaps="fill")
    stream = ForecastStream(model, columns, read(so_far(rows, 9), columns), ArrivalPolicy(skipped="mask"), MASK)
    answer = stream.update(rows_at(rows, 13)[0], next_rows(rows, 13))
    left = rows[(rows["unique_id"] == "a") & (rows.groupby("unique_id").cumcount().isin([*range(10), 13]))]
    assert_same(answer, model.forecasts(read(left, columns, policy=policy), next_rows(rows, 13), MASK))


@pytest.mark.parametrize("numbered", [False, True])
def test_irregular_rows(numbered, frame, predictor):
    """The time between rows is an input, forecasts are dated by the median gap, and no row counts as skipped."""
    rng = np.random.default_rng(4)
    gaps = rng.integers(1, 600, 40)
    stamps = np.cumsum(gaps) if numbered else pd.Timestamp("2024-01-01") + pd.to_timedelta(np.cumsum(gaps), unit="min")
    rows = frame("ab", stamps=stamps)
    table = read(rows, Columns(), "irregular")
    median = int(np.median(np.diff(np.cumsum(gaps))))
    assert table.frequency.code == (f"irregular:{median}" if numbered else f"irregular:{median}min")
    model = predictor(table, future=("f",))
    stream = ForecastStream(model, Columns())
    for t in range(20):
        future = next_rows(rows, t)
        answer = stream.update_many(rows_at(rows, t), future)
        if t in (0, 1, 7, 19):
            assert_same(answer, model.forecasts(read(so_far(rows, t), Columns(), table.frequency.code), future))
    last = stamps[19]
    assert answer.ds[0].tolist() == [
        (last + k * median) if numbered else (last + pd.Timedelta(minutes=k * median)).to_pydatetime()
        for k in (1, 2, 3)
    ]
    with pytest.raises(StreamError, match="has been seen already"):
        stream.update_many(rows_at(rows, 19), next_rows(rows, 19))
    later = rows.copy()
    later["ds"] = later["ds"] + (1000 if numbered else pd.Timedelta(days=1)) * (
        rows.groupby("unique_id").cumcount() >= 19
    )
    moved = read(so_far(later, 19), Columns(), table.frequency.code)
    assert np.abs(model.forecasts(moved, next_rows(later, 19)).quantiles - answer.quantiles).max() > 1e-6


def test_a_negative_row_under_a_log_scale_changes_nothing(frame, predictor):
    rows = frame("ab")
    model = predictor(read(rows, Columns()), scaling="log")
    stream = ForecastStream(model, Columns(), read(so_far(rows, 9), Columns()))
    before = stream.snapshot()
    for wrong in (-1.0, -1):
        with pytest.raises(
            BadValueError, match=r"row 1, column 'y' \(series 'a', 2024-01-11\): -1 is negative; scaling="
        ):
            stream.update({**rows_at(rows, 10)[0], "y": wrong})
    with pytest.raises(BadValueError, match=r"row 1, column 'y'.*is negative"):
        stream.update_many(pd.DataFrame(rows_at(rows, 10)).assign(y=-1.0))
    assert stream.snapshot() == before
