"""Nothing after an origin reaches a forecast made at it: changed targets, past covariates and rows, for any model."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recurra

CHOICES = [
    (residual, scaling)
    for residual in ("none", "naive", "season_mean", "seasonal", "seasonal_change", "linear")
    for scaling in ("running", "standard", "mean_abs", "robust", "none")
]


@pytest.fixture(scope="module")
def rows(make_table):
    """Two series with covariates of every kind."""
    return make_table(p=np.cos(np.arange(60.0)), f=np.arange(60) % 4, c=np.where(np.arange(60) % 3, "u", "v"))


@pytest.fixture(scope="module")
def models(rows, quick):
    """One trained model for each choice, made when it is first asked for."""
    made: dict[tuple[str, str], recurra.Forecaster] = {}

    def model(choice):
        if choice not in made:
            covariates = {"past_covariates": ("p",), "future_covariates": ("f", "c")}
            residual, scaling = choice
            made[choice] = quick(residual=residual, scaling=scaling, missing="mask", **covariates).fit(rows)
        return made[choice]

    return model


@settings(max_examples=90)
@given(choice=st.sampled_from(CHOICES), cut=st.integers(1, 56), value=st.sampled_from([0.0, -1e6, 1e30, np.nan]))
def test_no_forecast_knows_what_comes_after_it(choice, cut, value, rows, models):
    """The hindcast of a spoilt table, and the forecast of the table cut off, are those of the whole table."""
    model = models(choice)
    later = rows.groupby("unique_id").cumcount() > cut
    spoilt = rows.assign(y=rows["y"].where(~later, value), p=rows["p"].where(~later, 1e9))
    first = model.hindcast(rows, 0)
    at = np.flatnonzero(first.rows % 60 <= cut)
    again = model.hindcast(spoilt, 0)
    np.testing.assert_allclose(again.quantiles[at], first.quantiles[at], rtol=1e-9, atol=1e-9)
    number = rows.groupby("unique_id").cumcount()
    future = rows[(number > cut) & (number <= cut + 3)].drop(columns=["y", "p"])
    now = model.forecasts(rows[~later], future)
    np.testing.assert_allclose(now.quantiles, first.quantiles[[cut, 60 + cut]], rtol=1e-9, atol=1e-9)


NETWORKS = [
    (decoder, output, scaling)
    for decoder in ("recurrent", "recursive", "segments")
    for output, scaling in (("quantiles", "running"), ("mixture", "standard"))
]


@pytest.fixture(scope="module")
def networks(rows, quick):
    """One trained model for each decoder, made when it is first asked for."""
    made: dict[tuple[str, str, str], recurra.Forecaster] = {}

    def model(choice):
        if choice not in made:
            decoder, output, scaling = choice
            settings = {"decoder": decoder, "output": output, "scaling": scaling, "missing": "mask"}
            made[choice] = quick(**settings, components=2, future_covariates=("f", "c"), conformal=True).fit(rows)
        return made[choice]

    return model


@settings(max_examples=18)
@given(choice=st.sampled_from(NETWORKS), cut=st.integers(1, 56), value=st.sampled_from([0.0, -1e6, 1e30, np.nan]))
def test_no_decoder_knows_what_comes_after_it(choice, cut, value, rows, networks):
    """As above, for the other networks; what lies beyond the horizon changes nothing of what lies within."""
    model = networks(choice)
    number = rows.groupby("unique_id").cumcount()
    near = rows[number <= cut + 3]
    spoilt = near.assign(y=near["y"].where(number[near.index] <= cut, value))
    first, again = model.hindcast(near, cut), model.hindcast(spoilt, cut)
    at = np.flatnonzero(first.rows % (cut + 4) == cut)
    np.testing.assert_allclose(again.quantiles[at], first.quantiles[at], rtol=1e-9, atol=1e-9)
    before, future = rows[number <= cut], rows[(number > cut) & (number <= cut + 3)].drop(columns=["y", "p"])
    now = model.forecasts(before, future)
    np.testing.assert_allclose(now.quantiles, first.quantiles[at], rtol=1e-9, atol=1e-9)
    further = rows[number > cut].drop(columns=["y", "p"])
    if len(further) >= 8:
        beyond = model.forecasts(before, further, horizon=min(len(further) // 2, 5))
        np.testing.assert_allclose(beyond.quantiles[:, :3], now.quantiles, rtol=1e-9)


@pytest.mark.parametrize("scaling", ["running", "standard"])
def test_a_fit_takes_scales_and_rule_from_the_training_rows(scaling, make_table, quick):
    """Other values in the validation rows change no number that the inputs, or one epoch's weights, are made of."""
    table = make_table(n=80)
    late = table.groupby("unique_id").cumcount() >= 70
    models = [
        quick(residual="linear", scaling=scaling, validation=10).fit(rows)
        for rows in (table, table.assign(y=table["y"].where(~late, 1e5)))
    ]
    configs = [model._predictor.preparation.to_config() for model in models]
    assert configs[0] == configs[1]
    np.testing.assert_array_equal(*[model._predictor.preparation.linear for model in models])
    weights = [model.network_.state_dict() for model in models]
    for name, value in weights[0].items():  # one epoch, and the weights after it are kept by both
        assert value.equal(weights[1][name]), name


def test_the_order_of_the_series_in_a_table_does_not_matter(rows, models):
    model = models(("seasonal", "running"))
    b_first = pd.concat([rows[rows["unique_id"] == "b"], rows[rows["unique_id"] == "a"]])
    one, other = model.hindcast(rows, 20), model.hindcast(b_first, 20)
    np.testing.assert_allclose(one.quantiles[:40], other.quantiles[40:], rtol=1e-12)
