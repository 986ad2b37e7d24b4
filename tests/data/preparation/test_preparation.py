"""Inputs of a network: no look into the future, scales from training rows only, and a stream gives the same numbers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data import SeriesTable, TablePolicy
from recurra.data.preparation import Preparation, PreparationSpec, StreamedRows
from recurra.data.preparation.preparation import one_step_errors
from recurra.data.preparation.reference import Reference
from recurra.data.preparation.rows import fill_missing

KINDS = ("none", "naive", "season_mean", "seasonal", "seasonal_change", "linear")
SCALINGS = ("running", "instance", "log", "standard", "mean_abs", "robust", "none")
LENGTHS = (23, 14, 30)
SPEC = PreparationSpec(
    horizon=3, season=4, reference="naive", scaling="running", frequency="D", memory=6, calendar=("weekday",),
    past=("p",), future=("f", "c"), show_missing=True, show_gap=True,
)  # fmt: skip
LINEAR = np.array([[0.3, 0.2, 0.1], [0.1, 0.0, -0.1], [0.05, -0.2, 0.3], [0.02, 0.01, 0.0]])
"""Weights of a linear rule over four values, made up."""


def table(seed: int, missing: bool = True, level: float = 10.0) -> SeriesTable:
    """Three daily series; each row of the first two may be missing."""
    rng = np.random.default_rng(seed)
    frames = []
    for name, n in zip("abc", LENGTHS, strict=True):
        y = level + rng.normal(size=n)
        if missing:
            y[rng.random(n) < 0.2] = np.nan
            y[: rng.integers(0, 4)] = np.nan
        days = pd.date_range("2024-01-01", periods=n)
        codes = np.where(rng.random(n) < 0.5, "u", "v")
        codes[:2] = ["u", "v"]
        frame = {"unique_id": name, "ds": days, "y": y, "p": rng.normal(size=n), "f": rng.normal(size=n), "c": codes}
        frames.append(pd.DataFrame(frame))
    return SeriesTable.from_table(
        pd.concat(frames), covariates=("p", "f", "c"), freq="D", policy=TablePolicy(missing="mask")
    )


def fitted(rows: SeriesTable, kind: str, scaling: str) -> Preparation:
    return Preparation.fit(rows, replace(SPEC, reference=kind, scaling=scaling), LINEAR if kind == "linear" else None)


def everything_at(preparation: Preparation, rows: SeriesTable, at: np.ndarray) -> list[np.ndarray]:
    """All that a forecast from these rows is made of, but for what is known in advance."""
    prepared = preparation.rows(rows)
    return [prepared.inputs(at), prepared.ahead(at), prepared.shift[at], prepared.scale[at], prepared.step[at]]


@settings(max_examples=60)
@given(seed=st.integers(0, 999), cut=st.integers(1, 13), kind=st.sampled_from(KINDS), scaling=st.sampled_from(SCALINGS))
def test_nothing_after_a_row_reaches_it(seed, cut, kind, scaling):
    """Change every target and past covariate after row `cut` of each series, and cut the table off there."""
    whole, training = table(seed), table(seed + 5000)
    number = np.arange(len(whole)) - whole.offsets[whole.series_of_rows]
    later = number >= cut
    preparation = fitted(training.select([0, 1]), kind, scaling)  # the third series is new to it
    covariates = {**whole.covariates, "p": np.where(later, 1e9, whole.covariates["p"])}
    changed = replace(whole, y=np.where(later, 1e6, whole.y), covariates=covariates)
    at = np.flatnonzero(~later)
    before = everything_at(preparation, whole, at)
    for a, b in zip(before, everything_at(preparation, changed, at), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    short = whole.truncate(np.full(3, cut))
    for a, b in zip(before, everything_at(preparation, short, np.arange(len(short))), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_scales_and_codes_come_from_the_training_rows(kind, scaling):
    """Other values in the validation rows: the training rows' inputs and targets stay the same, to the bit."""
    whole = table(7)
    cuts = whole.lengths - 5
    later = np.arange(len(whole)) - whole.offsets[whole.series_of_rows] >= cuts[whole.series_of_rows]
    covariates = {**whole.covariates, "p": np.where(later, 1e9, whole.covariates["p"])}
    changed = replace(whole, y=np.where(later, 1e6, whole.y), covariates=covariates)
    results = []
    for rows in (whole, changed):
        preparation = fitted(rows.truncate(cuts), kind, scaling)
        prepared, at = preparation.rows(rows), np.flatnonzero(~later)
        targets = prepared.targets(at, rows.offsets[:-1] + cuts)
        results.append([*everything_at(preparation, rows, at), targets, prepared.future(at)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999), kind=st.sampled_from(KINDS), scaling=st.sampled_from(SCALINGS),
    begin=st.integers(0, 13), level=st.sampled_from([0.0, 1e6, -1e9]),
)  # fmt: skip
def test_row_by_row_gives_the_numbers_of_the_whole_table(seed, kind, scaling, begin, level):
    """From the first row, or from a table of the first `begin` rows; the third series is new to the preparation."""
    rows = table(seed, level=abs(level) + 9.0 if scaling == "log" else level)
    preparation = fitted(rows.select([0, 1]), kind, scaling)
    prepared = preparation.rows(rows)
    if begin:
        streams = StreamedRows.after(preparation, rows.truncate(np.full(3, begin)))
    else:
        streams = StreamedRows(preparation, rows.ids)
    for t in range(begin, 14):
        at = rows.offsets[:-1] + t
        past, _ = streams.encode(np.arange(3), {n: v[at] for n, v in rows.covariates.items()}, np.full(3, np.nan))
        x, origins = streams.advance(np.arange(3), rows.y[at], past, prepared.known[at + 3 * np.arange(3)])
        np.testing.assert_allclose(x, prepared.inputs(at), rtol=1e-7, atol=1e-7)
        whole = prepared.origins(at)
        np.testing.assert_array_equal(origins.begun, whole.begun)
        for name in ("shift", "scale", "step"):
            np.testing.assert_allclose(getattr(origins, name), getattr(whole, name), rtol=1e-9)
        ahead = preparation.rule.ahead(origins.lookback, origins.shift, 3)
        np.testing.assert_allclose(ahead, prepared.ahead(at), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scaling", ["running", "instance"])
def test_without_a_rule_a_missing_row_takes_the_level_by_then(scaling):
    # expected: the level of the rows before, near 1010 as they are; and no leap in the inputs
    rows = table(3, level=1010.0)
    preparation = fitted(rows, "none", scaling)
    prepared = preparation.rows(rows)
    gaps = np.flatnonzero(np.isnan(prepared.y) & (prepared.age >= 0))
    assert len(gaps)
    np.testing.assert_array_equal(prepared.fill[gaps], prepared.shift[gaps - 1])
    np.testing.assert_allclose(prepared.fill[gaps], 1010.0, atol=3.0)
    assert np.abs(prepared.inputs(gaps)[:, : 1 + len(preparation.spec.lags)]).max() < 5.0


def test_a_series_has_a_level_from_its_first_observation_or_from_fit():
    rows = table(3)
    unknown = replace(rows, y=np.where(np.arange(len(rows)) < 23, np.nan, rows.y))
    for scaling in ("running", "standard"):
        assert not fitted(unknown, "naive", scaling).rows(unknown).begun[:23].any()
        assert fitted(rows, "naive", scaling).rows(unknown).begun[:23].all() == (scaling == "standard")


def test_the_state_goes_through_arrays_and_copies():
    rows = table(3)
    preparation = fitted(rows, "seasonal", "running")
    streams = StreamedRows.after(preparation, rows)
    again, twin = StreamedRows.from_arrays(preparation, rows.ids, streams.to_arrays()), streams.copy()
    known = np.zeros((3, preparation.n_known))
    for other in (streams, again):
        other.advance(np.arange(3), np.array([1.0, np.nan, 3.0]), np.zeros((3, 1)), known)
    for a, b in zip(streams.to_arrays().values(), again.to_arrays().values(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert twin.recent[0, 0] != 1.0


@pytest.mark.parametrize("kind", ["seasonal", "linear"])
def test_config_round_trip_through_json(kind):
    rows = table(1)
    preparation = fitted(rows, kind, "standard")
    again = Preparation.from_config(json.loads(json.dumps(preparation.to_config())), preparation.linear)
    assert again.spec == preparation.spec
    np.testing.assert_array_equal(
        again.rows(rows).inputs(np.arange(80 - 13)), preparation.rows(rows).inputs(np.arange(67))
    )


def test_a_series_is_known_by_its_name_as_text():
    """A table whose only series is "7" calls it 7; its level at fit is found all the same."""
    rows = replace(table(1, missing=False), ids=("7", "b", "c"))
    preparation = fitted(rows, "naive", "standard")
    assert not np.isnan(preparation.fixed_levels([7])).any()
    assert np.isnan(preparation.fixed_levels(["unknown"])).all()


def test_targets_and_what_is_known_of_the_future():
    rows = table(2, missing=False)
    prepared = fitted(rows, "naive", "running").rows(rows)
    first = prepared.targets(np.array([0, 21, 22]), rows.offsets[1:])
    assert first[0].tolist() == rows.y[1:4].tolist()
    assert first[1][0] == rows.y[22]
    assert np.isnan(first[1][1:]).all()
    assert np.isnan(first[2]).all()
    known = prepared.future(np.array([0]))[0]
    assert known.shape == (3, 2 + 1 + 2)  # weekday as sine and cosine, f, and two categories of c
    np.testing.assert_array_equal(known[:, 3:].argmax(1), (rows.covariates["c"][1:4] == "v").astype(int))


def test_errors_of_a_long_linear_rule_are_those_of_its_windows(rng, monkeypatch):
    """Products along a series say what the rule says row by row: with holes, late beginnings, far-off values."""
    offsets = np.array([0, 90, 91, 250, 250 + 120])
    y = rng.normal(size=offsets[-1]) + 5.0
    y[[0, 1, 2, 120, 121, 200, 300]] = np.nan
    y[250:300] = np.nan
    y[91] = 1e12
    rule = Reference("linear", 7, rng.normal(size=(71, 3)) / 70)
    fill, age = fill_missing(y, offsets, rule, np.zeros(4))
    along = one_step_errors(y, fill, age, rule)
    with monkeypatch.context() as small:
        small.setattr("recurra.data.preparation.preparation.VALUES_AT_ONCE", 1)
        small.setattr("recurra.data.preparation.reference.VALUES_AT_ONCE", 1)
        np.testing.assert_allclose(one_step_errors(y, fill, age, rule), along, rtol=1e-12)
    monkeypatch.setattr("recurra.data.preparation.preparation.LONG", 10_000)
    by_window = one_step_errors(y, fill, age, rule)
    np.testing.assert_array_equal(np.isnan(along), np.isnan(by_window))
    far = slice(91, 91 + 71)  # windows that hold 1e12 have its rounding
    np.testing.assert_allclose(along[far], by_window[far], rtol=1e-9, atol=0.1)
    along[far] = by_window[far] = 0.0
    np.testing.assert_allclose(along, by_window, rtol=1e-9)
