"""Nothing after an origin reaches a forecast made at it: changed targets, covariates, stamps and rows; any model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recurra
from recurra.data.audio import as_recording
from recurra.data.tracks import TrackTable
from recurra.learners.adapters import RecurrentRegressor
from tests.beeps import RATE, SETTINGS, corpus

RESIDUALS = ("none", "naive", "season_mean", "seasonal", "seasonal_change", "linear")
SCALINGS = ("running", "instance", "log", "standard", "mean_abs", "robust", "none")
KINDS: dict[str, dict[str, Any]] = {
    "alone": {},
    "past": {"past_covariates": ("p", "d")},
    "future": {"future_covariates": ("f", "c")},
    "static": {"static_covariates": ("s",)},
    "all": {"past_covariates": ("p", "d"), "future_covariates": ("f", "c"), "static_covariates": ("s",)},
    "two targets": {"y": ("y", "z"), "past_covariates": ("p",)},
    "irregular": {"freq": "irregular", "past_covariates": ("p",)},
}
MISSING: dict[str, dict[str, Any]] = {
    "refuse": {},
    "mask": {"missing": "mask", "missing_covariates": "mask", "unseen": "ignore"},
    "last": {"missing": "mask", "missing_covariates": "last"},
}
CHOICES = [
    (residual, scaling, kind, missing)
    for i, scaling in enumerate(SCALINGS)
    for j, kind in enumerate(KINDS)
    for residual, missing in [(RESIDUALS[(i + j) % len(RESIDUALS)], list(MISSING)[(i + 2 * j) % len(MISSING)])]
]
"""Every scaling with every kind of input, the rules and the policies taking turns."""


@pytest.fixture(scope="module")
def rows(make_table):
    """Two series with a second target and covariates of every kind."""
    t = np.arange(60)
    columns = {"p": np.cos(t), "d": np.where(t % 5, "g", "h"), "f": t % 4, "c": np.where(t % 3, "u", "v")}
    table = make_table(z=50 + 9 * np.sin(t), **columns)
    return table.assign(s=table["unique_id"])


def holes(rows, missing):
    """The table with what its policy allows to be missing; the first row of each series is whole."""
    if missing == "refuse":
        return rows
    hole = (rows.index % 7 == 3) & (rows.groupby("unique_id").cumcount() > 0)
    names = ["y", "z", "p", "d", "f", "c"]
    return rows.assign(**{name: rows[name].where(~hole, None if name in "dc" else np.nan) for name in names})


@pytest.fixture(scope="module")
def models(rows, quick):
    """One trained model for each choice, made when it is first asked for."""
    made: dict[tuple[str, ...], recurra.Forecaster] = {}

    def model(choice):
        if choice not in made:
            residual, scaling, kind, missing = choice
            changes = {"residual": residual, "scaling": scaling, **KINDS[kind], **MISSING[missing]}
            made[choice] = quick(**changes).fit(holes(rows, missing))
        return made[choice]

    return model


@settings(max_examples=60)
@given(choice=st.sampled_from(CHOICES), cut=st.integers(1, 56), value=st.sampled_from([0.0, 1e6, 1e30, np.nan]))
def test_no_forecast_knows_what_comes_after_it(choice, cut, value, rows, models):
    """The hindcast of a spoilt table, and the forecast of the table cut off, are those of the whole table.

    Only what is declared to be known in advance stays as it is: the future covariates, and the stamps of a grid.
    """
    model, (_, _, kind, missing) = models(choice), choice
    table = holes(rows, missing)
    number = table.groupby("unique_id").cumcount()
    later = number > cut
    value = 0.0 if missing == "refuse" and np.isnan(value) else value
    changed = {name: table[name].where(~later, value) for name in ("y", "z")}
    spoilt = table.assign(p=table["p"].where(~later, 1e9), d=table["d"].where(~later, "h"), **changed)
    if kind == "irregular":
        spoilt["ds"] = spoilt["ds"].where(~later, spoilt["ds"] + pd.to_timedelta(3 * (number - cut), unit="D"))
    first, again = model.hindcast(table, 0), model.hindcast(spoilt, 0)
    at = np.flatnonzero(first.rows % 60 <= cut)
    np.testing.assert_allclose(again.quantiles[at], first.quantiles[at], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(again.mean[at], first.mean[at], rtol=1e-9, atol=1e-9)
    known = table.assign(**table.groupby("unique_id")[["f", "c"]].ffill()) if missing == "last" else table
    ahead = known[later & (number <= cut + 3)].drop(columns=["y", "z", "p", "d"])
    now = model.forecasts(table[~later], ahead if model.future_covariates else None)
    last = 60 * np.arange(len(now.ids)) + cut
    np.testing.assert_allclose(now.quantiles, first.quantiles[last], rtol=1e-9, atol=1e-9)


@settings(max_examples=15)
@given(choice=st.sampled_from([c for c in CHOICES if c[3] == "mask"]), seed=st.integers(0, 99))
def test_what_stands_in_a_masked_place_changes_nothing(choice, seed, rows, models, tmp_path_factory):
    """NaN, None, an empty cell of a file or no row at all: the same forecasts, to the bit."""
    model = models(choice)
    rng = np.random.default_rng(seed)
    names, whole = ["y", "z", "p", "d", "f", "c"], rows["unique_id"].groupby(rows["unique_id"]).cumcount()
    missing = (rng.random(len(rows)) < 0.2) & (whole > 0) & (whole < 59)
    cells = rows.astype(dict.fromkeys(names, object))
    none = cells.assign(**{name: cells[name].where(~missing, None) for name in names})
    nan = cells.assign(**{name: cells[name].where(~missing, float("nan")) for name in names})
    path = tmp_path_factory.mktemp("masked") / "table.csv"
    none.to_csv(path, index=False)
    expected = model.hindcast(none, 0)
    for other in (nan, path):
        np.testing.assert_array_equal(model.hindcast(other, 0).quantiles, expected.quantiles)
    if choice[2] != "irregular":  # where a row that is not there is no row
        filled = recurra.Forecaster(**{**model.get_params(), "gaps": "fill", "missing_covariates": "mask"})
        table = filled._table(rows[~missing], model._config.model_copy(update={"gaps": "fill"}))
        np.testing.assert_array_equal(model._predictor.hindcast(table, np.zeros(table.n_series, int)).quantiles,
                                      expected.quantiles)  # fmt: skip


@pytest.mark.parametrize("scaling", [*SCALINGS, "auto"])
def test_a_fit_takes_scales_and_rule_from_the_training_rows(scaling, make_table, quick):
    """Other values in the validation rows change no number that the inputs, or one epoch's weights, are made of."""
    table = make_table(n=80, p=np.cos(np.arange(80)), c=np.where(np.arange(80) % 3, "u", "v"))
    late = table.groupby("unique_id").cumcount() >= 70
    spoilt = table.assign(
        y=table["y"].where(~late, 1e5), p=table["p"].where(~late, -1e5), c=table["c"].where(~late, "u")
    )
    settings = {"residual": "linear", "scaling": scaling, "validation": 10, "past_covariates": ("p", "c")}
    models = [quick(**settings).fit(rows) for rows in (table, spoilt)]
    assert models[0].reasons_ == models[1].reasons_
    configs = [model._predictor.preparation.to_config() for model in models]
    assert configs[0] == configs[1]
    np.testing.assert_array_equal(*[model._predictor.preparation.linear for model in models])
    weights = [model.network_.state_dict() for model in models]
    for name, value in weights[0].items():  # one epoch, and the weights after it are kept by both
        assert value.equal(weights[1][name]), name


def test_the_order_of_the_series_in_a_table_does_not_matter(rows, models):
    model = models(CHOICES[4])
    table = holes(rows, CHOICES[4][3])
    b_first = pd.concat([table[table["unique_id"] == "b"], table[table["unique_id"] == "a"]])
    one, other = model.hindcast(table, 20), model.hindcast(b_first, 20)
    np.testing.assert_allclose(one.quantiles[:40], other.quantiles[40:], rtol=1e-12)


@dataclass(frozen=True)
class Case:
    """A learner and a table of its kind.

    Args:
        fit: trains a model.
        rows: the table.
        spoil: the table with everything after place `cut` changed.
        said: everything that was said at places up to `cut`, from a whole table.
        places: number of places in time.
    """

    fit: Callable[[], Any]
    rows: Any
    spoil: Callable[[Any, int], Any]
    said: Callable[[Any, Any, int], Any]
    places: int


def series(past_covariates: tuple[str, ...] = ("p",), **changes: Any) -> Case:
    t = np.arange(80)
    table = pd.DataFrame({"ds": t, "y": np.rint(20 + 5 * np.sin(t / 3) + 3 * np.cos(7 * t)), "p": np.cos(t)})
    learner = {"horizon": 2, "hidden_size": 4, "context": 12, "max_epochs": 1, "unique_id": None, "season": 6,
               "keep": "trained"}  # fmt: skip
    return Case(
        lambda: recurra.Forecaster(**learner, past_covariates=past_covariates, **changes).fit(table),
        table,
        lambda rows, cut: rows.assign(**{name: rows[name].where(t <= cut, 1e4) for name in ("y", "p")}),
        lambda model, rows, cut: model.hindcast(rows, 0).quantiles[: cut + 1],
        80,
    )


def market(**changes: Any) -> Case:
    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(160)))
    days = pd.bdate_range("2020-01-06", periods=160)
    table = pd.DataFrame(
        {"ds": days, "close": close, "open": close, "high": 1.01 * close, "low": 0.99 * close, "vix": 20}
    )
    table["vix"] += np.sin(np.arange(160))
    prices = {"open": "open", "high": "high", "low": "low", "log_covariates": ("vix",)}

    def spoil(rows: pd.DataFrame, cut: int) -> pd.DataFrame:
        late = rows.index > cut
        return rows.assign(**{c: rows[c].where(~late, rows[c] * (1.2 if c != "vix" else 3)) for c in rows.columns[1:]})

    def said(model: Any, rows: pd.DataFrame, cut: int) -> Any:
        found = model.hindcast(rows)[0]
        return np.stack([found.variance, found.returns.mean, found.returns.std])[:, : cut + 1]

    learner = {"hidden_size": 4, "max_epochs": 1, "context": 32, **prices, **changes}
    return Case(lambda: recurra.MarketForecaster(**learner).fit(table), table, spoil, said, 160)


def tracks(**changes: Any) -> Case:
    names, times = np.repeat(np.arange(8), 16), np.tile(np.arange(16.0), 8)
    angle = 0.25 * times + 0.9 * names
    columns = {"object": names, "time": times, "x": (2 + 0.1 * names) * np.sin(angle), "y": -2 * np.cos(angle)}
    table = TrackTable.from_table(columns)

    def spoil(rows: TrackTable, cut: int) -> TrackTable:
        return replace(rows, position=rows.position + np.where((rows.time > cut)[:, None], 30.0, 0.0))

    def said(model: Any, rows: TrackTable, cut: int) -> Any:
        found = model.hindcast(rows)
        return found.path[found.origin_time <= cut]

    learner = {"horizon": 3, "context": 6, "hidden_size": 6, "max_epochs": 1, "components": 2, "neighbours": 1}
    return Case(
        lambda: recurra.TrajectoryForecaster(**learner, **changes).fit(columns), table, spoil, said, 16
    )  # fmt: skip


def windows(**changes: Any) -> Case:
    lags = np.lib.stride_tricks.sliding_window_view(np.sin(np.arange(120) / 5) ** 3, 12)
    return Case(
        lambda: RecurrentRegressor(max_epochs=1, **changes).fit(lags[:-1], lags[1:, -1]),
        lags,
        lambda rows, cut: np.where(np.arange(len(rows))[:, None] > cut, 50.0, rows),
        lambda model, rows, cut: model.predict(rows)[: cut + 1],
        len(lags),
    )


def speech(normalisation: str) -> Case:
    sounds, texts = corpus(12, 3)
    sound, second = np.concatenate(sounds[:2]), RATE // 50  # a place is 20 ms: two hops, the stride of the network

    def said(model: Any, rows: np.ndarray, cut: int) -> Any:
        return model._predictor.log_probabilities([as_recording(rows, RATE)])[0][: max(cut - 4, 0)]

    return Case(
        lambda: recurra.SpeechRecognizer(**{**SETTINGS, "max_epochs": 1, "normalisation": normalisation}).fit(
            sounds, texts
        ),
        sound,
        lambda rows, cut: np.concatenate([rows[: cut * second], 0.5 * np.ones_like(rows[cut * second :])]),
        said,
        len(sound) // second,
    )


LEARNERS: dict[str, Callable[[], Case]] = {
    **{f"Forecaster, {scaling}": lambda scaling=scaling: series(scaling=scaling) for scaling in (*SCALINGS, "auto")},
    "Forecaster, recursive": lambda: series(decoder="recursive", past_covariates=()),
    "Forecaster, recursive, of two targets": lambda: series(decoder="recursive", past_covariates=(), y=("y", "p")),
    "Forecaster, segments": lambda: series(decoder="segments"),
    "Forecaster, calibrated ensemble": lambda: series(n_ensemble=2, conformal=True, output="normal"),
    "MarketForecaster": market,
    "MarketForecaster, mixture": lambda: market(distribution="mixture"),
    "TrajectoryForecaster": tracks,
    "TrajectoryForecaster, linear": lambda: tracks(residual="linear", output="gaussian"),
    "RecurrentRegressor": windows,
    **{f"SpeechRecognizer, {n}": lambda n=n: speech(n) for n in ("running", "fixed", "none")},
}
"""Every learner with a time axis, under every scaler that may follow time.

Further decoders, outputs and the sktime adapter: tests/conformance/test_no_leak.py.

Left out: normalisation over an utterance and layers that read in both directions, which refuse to stream by name; the
classifier and the translator, which answer once for a whole sequence.
"""


@pytest.mark.parametrize("name", LEARNERS)
def test_changing_the_future_changes_nothing_that_was_said(name):
    assert_blind(LEARNERS[name]())


def assert_blind(case: Case) -> None:
    """What was said up to a place is said again where everything after it is another."""
    model = case.fit()
    for share in (0.3, 0.6, 0.9):
        cut = int(share * case.places)
        before = case.said(model, case.rows, cut)
        after = case.said(model, case.spoil(case.rows, cut), cut)
        assert before.size
        assert np.isfinite(before).any()
        np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)
