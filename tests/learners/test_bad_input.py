"""The issue's list of bad input through the Forecaster: one clear error each, and nothing half-done."""

import re

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.errors import (
    BadValueError,
    ConfigError,
    DamagedModelError,
    MissingColumnError,
    OutputFolderError,
    RecurraError,
    TableError,
    TimeStampError,
    TooShortError,
)


def changed(table, column, row, value):
    """The table with one cell changed; rows count from 1."""
    cells = table[column].astype(object).tolist()
    cells[row - 1] = value
    return table.assign(**{column: pd.Series(cells, dtype=object if not isinstance(value, float) else None)})


def swapped(table):
    order = list(range(len(table)))
    order[4], order[5] = order[5], order[4]
    return table.iloc[order]


def mixed_zones(table):
    days = [stamp.tz_localize("UTC" if i % 2 else "Europe/Berlin") for i, stamp in enumerate(table["ds"])]
    return table.assign(ds=pd.Series(days, dtype=object))


WRONG = {
    "missing column": (lambda t: t.drop(columns="y"), MissingColumnError, "there is no column 'y'; the columns are"),
    "text": (lambda t: changed(t, "y", 17, "abc"), BadValueError, "row 17, column 'y'.*'abc' is not a number; correct"),
    "NaN": (
        lambda t: changed(t, "y", 17, float("nan")),
        BadValueError,
        r"row 17, column 'y' \(series 'a', 2024-01-17\): the value is missing or NaN; use missing='mask'",
    ),
    "infinity": (lambda t: changed(t, "y", 17, float("inf")), BadValueError, "row 17, column 'y'.*infinite; correct"),
    "absurd": (
        lambda t: changed(t, "y", 17, 1e31),
        BadValueError,
        "row 17, column 'y'.*larger than 1e.30; use",
    ),
    "duplicate": (
        lambda t: pd.concat([t.iloc[:5], t.iloc[4:]]),
        TimeStampError,
        "row 6, column 'ds'.*2024-01-05 is already in row 5; remove one",
    ),
    "unsorted": (swapped, TimeStampError, "row 6, column 'ds'.*comes after.*unsorted='sort'"),
    "gap": (lambda t: t.drop(index=7), TimeStampError, "row 8, column 'ds'.*gaps='fill'"),
    "mixed zones": (mixed_zones, TimeStampError, "row 2, column 'ds'.*bring the column to one time zone"),
    "no rows": (lambda t: t.iloc[:0], TableError, "the table has no rows; give at least"),
    "one row": (lambda t: t.iloc[:1], RecurraError, "freq="),
    "too short": (
        lambda t: t.groupby("unique_id").head(12),
        TooShortError,
        r"series 'a' has 12 rows; horizon=3 needs at least 13 \(context \+ horizon\); leave the series out, or",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_table_is_refused_at_fit_and_the_model_stays_as_it_was(what, table, fitted):
    spoil, error, said = WRONG[what]
    before = fitted.model_hash_, dict(vars(fitted))
    with pytest.raises(error, match=said):
        fitted.fit(spoil(table))
    assert fitted.model_hash_ == before[0]
    assert vars(fitted).keys() == before[1].keys()


@pytest.mark.parametrize("what", [w for w in WRONG if w not in ("one row", "too short")])
def test_a_wrong_table_is_refused_at_predict(what, table, fitted):
    spoil, error, said = WRONG[what]
    with pytest.raises(error, match=said):
        fitted.predict(spoil(table))


def test_one_row_is_enough_to_predict_from(table, fitted):
    assert fitted.predict(table.iloc[:1])["ds"].dt.day.tolist() == [2, 3, 4]


def test_what_is_asked_for_is_mended(table, quick):
    """Unsorted rows sorted, gaps and NaN masked: the same model as from the tidy table with the same holes."""
    holes = table.assign(y=table["y"].where(table.index != 7))
    masked = quick(missing="mask").fit(holes)
    filled = quick(missing="mask", gaps="fill").fit(table.drop(index=7))
    assert filled.network_.state_dict()["head.state.weight"].equal(masked.network_.state_dict()["head.state.weight"])
    assert quick(unsorted="sort").fit(swapped(table)).model_hash_ == quick().fit(table).model_hash_
    assert np.isfinite(masked.predict(holes)["forecast"]).all()


@pytest.mark.parametrize("scaling", ["running", "instance", "log", "standard", "robust"])
@pytest.mark.parametrize("residual", ["auto", "none", "seasonal_change", "linear"])
def test_a_constant_series_works(residual, scaling, table, quick):
    constant = table.assign(y=np.where(table["unique_id"] == "a", 5.0, 0.0))
    model = quick(residual=residual, scaling=scaling).fit(constant)
    answer = model.predict(constant)
    assert np.isfinite(answer[["forecast", "q10", "q90"]]).all(axis=None)
    if residual == "seasonal_change":
        assert answer["forecast"].to_numpy() == pytest.approx(np.repeat([5.0, 0.0], 3), abs=1.0)
    assert "2 of 2 series ('a', 'b') do not vary" in model.reasons_["constant series"]


@pytest.mark.parametrize("scaling", ["running", "standard", "none"])
def test_values_at_1e30_work(scaling, table, quick):
    """One extreme value among small ones, and a series that is all extreme."""
    extreme = changed(table, "y", 20, 1e30)
    extreme = extreme.assign(y=np.where(extreme["unique_id"] == "b", -1e30 + extreme["y"] * 1e27, extreme["y"]))
    model = quick(scaling=scaling).fit(extreme)
    answer = model.predict(extreme)
    assert np.isfinite(answer[["forecast", "mean", "q10", "q90"]]).all(axis=None)
    stream = model.stream(extreme)
    row = {"unique_id": "a", "ds": "2024-03-01", "y": 1e30}
    assert np.isfinite(stream.update(row).quantiles).all()


SETTINGS = [
    ({"horizon": 0}, "horizon: .*greater than or equal to 1, not 0"),
    ({"cell": "transformer"}, "cell: .*'rnn', 'lstm' or 'gru', not 'transformer'"),
    ({"quantiles": (0.5, 1.0)}, "quantiles must lie strictly between 0 and 1"),
    ({"residual": "best"}, "residual: .*'auto'"),
    ({"hidden_size": 0, "patience": 0}, "hidden_size.*; patience"),
    ({"past_covariates": ("y",)}, "'y' has two roles"),
    ({"gaps": "fill"}, "gaps='fill' makes missing targets: it needs missing='mask'"),
    ({"device": "abacus"}, "device='abacus' cannot be used here"),
    ({"freq": "fortnight"}, "unknown frequency 'fortnight'"),
    ({"freq": "irregular:1D@UTC"}, "the gap must be of fixed size"),
    ({"y": ()}, "name at least one column to forecast"),
    ({"y": ("y", "y")}, "'y' has two roles"),
    ({"scaling": "log", "output": "log_normal"}, "use one of them"),
    ({"static_covariates": ("y",)}, "'y' has two roles"),
    ({"calendar": ("moon",)}, "unknown calendar feature 'moon'"),
    ({"validation": 58}, "validation=58 leaves too few to learn from"),
]


@pytest.mark.parametrize(("change", "said"), SETTINGS, ids=[next(iter(change)) for change, _ in SETTINGS])
def test_a_wrong_setting_is_refused_by_name(change, said, table, quick):
    with pytest.raises((ConfigError, TooShortError), match=said) as caught:
        quick(**change).fit(table)
    assert "\n" not in str(caught.value)


def test_calendar_features_of_whole_numbers_are_refused(quick, make_table):
    numbered = make_table().assign(ds=list(range(60)) * 2)
    with pytest.raises(ConfigError, match="calendar features need dates"):
        quick(calendar=("weekday",)).fit(numbered)


def test_a_covariate_that_is_not_there_for_the_future(quick, make_table):
    table = make_table(n=63, f=1.0)
    number = table.groupby("unique_id").cumcount()
    past, future = table[number < 60], table[number >= 60].drop(columns="y")
    model = quick(future_covariates=("f",)).fit(past)
    holes = future.assign(f=future["f"].where(future.index != future.index[1]))
    with pytest.raises(
        BadValueError, match=r"row 2, column 'f'.*the covariate is missing; use missing_covariates='last'"
    ):
        model.predict(past, holes)
    with pytest.raises(MissingColumnError, match="no column 'f'"):
        model.predict(past, future.drop(columns="f"))
    with pytest.raises(TableError, match="hand them in as a second table"):
        model.predict(past)


def test_a_category_that_comes_only_after_the_training_rows_is_named(quick, make_table):
    table = make_table(c=np.where(np.arange(60) == 58, "fair", "none"))
    with pytest.raises(BadValueError, match=r"row 59, column 'c': category 'fair' was not seen at fit.*validation"):
        quick(past_covariates=("c",)).fit(table)


def test_a_category_that_was_never_seen_is_refused_or_unknown(quick, make_table):
    """At fit (in the validation rows), in a table, in its future and in a stream; never a crash."""
    table = make_table(n=63, c=np.where(np.arange(63) % 3, "u", "v"), k=np.where(np.arange(63) % 2, "r", "s"))
    table["s"] = table["unique_id"]
    number = table.groupby("unique_id").cumcount()
    past, future = table[number < 60], table[number >= 60].drop(columns="y")
    kinds = {"past_covariates": ("k",), "future_covariates": ("c",), "static_covariates": ("s",)}
    strict, lenient = (quick(unseen=unseen, **kinds).fit(past) for unseen in ("refuse", "ignore"))
    cases = (
        (past.assign(k=past["k"].where(past.index != 5, "new")), future, r"row 6, column 'k': category 'new'"),
        (past.assign(s="new"), future, "column 's': category 'new' was not seen at fit"),
        (past, future.assign(c="new"), "column 'c': category 'new' was not seen at fit"),
    )
    for rows, ahead, said in cases:
        with pytest.raises(BadValueError, match=said):
            strict.predict(rows, ahead)
        assert np.isfinite(lenient.predict(rows, ahead)["forecast"]).all()
    fitted = quick(unseen="ignore", **kinds).fit(past.assign(k=past["k"].where(past.index != 58, "late")))
    assert np.isfinite(fitted.predict(past, future)["forecast"]).all()


def test_a_future_table_with_wrong_dates_names_row_expected_and_found(quick, make_table):
    table = make_table(n=63, f=1.0)
    number = table.groupby("unique_id").cumcount()
    past, future = table[number < 60], table[number >= 60].drop(columns="y")
    model = quick(future_covariates=("f",)).fit(past)
    moved = future.assign(ds=future["ds"].where(future["unique_id"] == "a", future["ds"] + pd.Timedelta(days=1)))
    said = r"row 4, column 'ds' \(series 'b'\): expected 2024-03-01, found 2024-03-02; .*needs the 3 rows 2024-03-01 to"
    with pytest.raises(TableError, match=said):
        model.predict(past, moved)
    skipping = future.drop(index=future.index[1])
    with pytest.raises(TableError, match=r"row 2, column 'ds' \(series 'a'\): expected 2024-03-02, found 2024-03-03"):
        model.predict(past, skipping)


def test_a_negative_value_under_a_log_scale_is_named(quick, table):
    wrong = changed(table, "y", 17, -0.25)
    with pytest.raises(BadValueError, match=r"row 17, column 'y' \(series 'a'\): -0.25 is negative; .*another scaling"):
        quick(scaling="log").fit(wrong)
    model = quick(scaling="log").fit(table)
    with pytest.raises(BadValueError, match="row 17, column 'y'"):
        model.predict(wrong)
    assert (model.predict(table.assign(y=0.0)).drop(columns=["unique_id", "ds"]) >= 0).all(axis=None)


def test_a_static_column_with_two_values_is_refused(quick, table):
    """Given in one row of a series it holds for all of them."""
    static = table.assign(s=np.where(table["unique_id"] == "a", 1.0, 2.0))
    with pytest.raises(BadValueError, match=r"row 17, column 's' .*5.0 is unlike 1.0 in row 1, .*one value a series"):
        quick(static_covariates=("s",)).fit(changed(static, "s", 17, 5.0))
    once = static.assign(s=static["s"].where(static.groupby("unique_id").cumcount() == 7))
    models = [quick(static_covariates=("s",)).fit(rows) for rows in (static, once)]
    assert models[0].model_hash_ == models[1].model_hash_
    with pytest.raises(BadValueError, match=r"row 61, column 's'.*the series gives no value of this static column"):
        quick(static_covariates=("s",)).fit(static.assign(s=static["s"].where(static["unique_id"] == "a")))


def test_short_series_are_learned_from_and_forecast(quick, make_table):
    """One row, five rows, fewer than a season and fewer than the context, beside long ones."""
    table = pd.concat([make_table("a", 60), make_table("b", 1), make_table("c", 5), make_table("d", 9)])
    model = quick(residual="auto").fit(table)
    assert model.reasons_["short series"].startswith("2 of 4 series ('b', 'c') have fewer than 8 rows")
    assert model.reasons_["bare series"].startswith("1 of 4 series ('b')")
    answer = model.predict(table)
    assert answer["unique_id"].tolist() == [name for name in "abcd" for _ in range(3)]
    assert np.isfinite(answer[["forecast", "q10", "q90"]]).all(axis=None)
    stream = model.stream(table)
    np.testing.assert_allclose(stream.forecasts().quantiles, model.forecasts(table).quantiles, rtol=1e-9)


def test_rows_at_any_time_need_to_be_declared(quick, make_table):
    table = make_table()
    table["ds"] += pd.to_timedelta(table.groupby("unique_id").cumcount() ** 2, unit="min")
    with pytest.raises(TimeStampError, match="row 3, column 'ds'"):
        quick().fit(table)
    with pytest.raises(ConfigError, match="calendar features need steps whose dates are known"):
        quick(freq="irregular", calendar=("hour",)).fit(table)
    model = quick(freq="irregular", season=None).fit(table)
    assert "dated by the median gap, 1499min" in model.reasons_["frequency"]  # 24 h and 59 min, the middle of 59 gaps
    assert (model.season_, model.frequency_) == (1, "irregular:1499min")
    last = table.groupby("unique_id")["ds"].max().iloc[0]
    assert model.predict(table)["ds"].iloc[0] == last + pd.Timedelta(minutes=1499)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "README.md", "manifest.json"])
def test_a_damaged_folder_is_refused_by_name(name, fitted, tmp_path):
    fitted.save(tmp_path / "model")
    path = tmp_path / "model" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DamagedModelError, match=re.escape(name)):
        recurra.load(tmp_path / "model")
    path.unlink()
    with pytest.raises(DamagedModelError, match=re.escape(name)):
        recurra.load(tmp_path / "model")


def test_an_output_folder_that_cannot_be_written(fitted, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputFolderError):
        fitted.save(tmp_path / "file" / "model")
    fitted.save(tmp_path / "model")
    with pytest.raises(OutputFolderError, match="overwrite"):
        fitted.save(tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "model"]  # nothing half-written beside it
