"""Every decoder with every output: a fresh network is the rule, a trained one saves, streams and hindcasts alike."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.data import SeriesTable
from recurra.data.preparation import Preparation
from recurra.errors import ConfigError
from recurra.learners.fitting import _better, build_network, choose_spec, fit_forecaster
from recurra.learners.schema import ForecasterConfig
from recurra.prediction import ForecastPredictor

DECODERS = ("direct", "recurrent", "recursive", "segments")
OUTPUTS = ("quantiles", "normal", "student_t", "log_normal", "negative_binomial", "mixture")
PAIRS = [(d, o) for i, d in enumerate(DECODERS) for j, o in enumerate(OUTPUTS) if (i + j) % 3 == 0 or o == "normal"]


@pytest.fixture(scope="module")
def counts():
    """Two daily series of whole numbers above zero, with a week's season and a covariate known in advance."""
    rng, frames, t = np.random.default_rng(0), [], np.arange(84)
    for k, name in enumerate("ab"):
        y = np.rint(30.0 * (k + 1) + 6 * np.sin(2 * np.pi * t / 7 + k) + 2 * rng.normal(size=84))
        days = pd.date_range("2024-01-01", periods=84)
        frames.append(pd.DataFrame({"unique_id": name, "ds": days, "y": y, "f": t % 4.0}))
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("residual", ["naive", "seasonal", "season_mean"])
@pytest.mark.parametrize("scaling", ["running", "standard"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("decoder", DECODERS)
def test_a_network_that_has_learned_nothing_is_the_rule(decoder, cell, scaling, residual, counts):
    """The rule, iterated by itself: fed back, the last value stays, the season goes on, its mean stays itself."""
    config = ForecasterConfig(
        horizon=4, decoder=decoder, cell=cell, hidden_size=3, scaling=scaling, residual=residual, context=14, season=7
    )
    table = SeriesTable.from_table(counts[["unique_id", "ds", "y"]])
    spec = choose_spec(table, config)
    preparation = Preparation.fit(table, type(spec)(**{**vars(spec), "reference": residual}))
    answer = ForecastPredictor(preparation, build_network(preparation, config), 4).forecasts(table)
    for i in range(2):
        y = list(table.series(i).y)
        for _ in range(4):
            y.append({"naive": y[-1], "seasonal": y[-7], "season_mean": np.mean(y[-7:])}[residual])
        expected = np.repeat(y[83:84], 4) if residual == "naive" else np.array(y[84:])
        if residual == "season_mean" and decoder != "recursive":
            expected = np.repeat(expected[:1], 4)
        np.testing.assert_allclose(answer.median[i], expected, rtol=1e-9)


@pytest.mark.parametrize(("decoder", "output"), PAIRS)
def test_fit_predict_stream_save_and_sample(decoder, output, counts, quick, tmp_path):
    settings = {"decoder": decoder, "output": output, "scaling": "standard", "future_covariates": ("f",)}
    model = quick(**settings, components=2, conformal=output == "student_t").fit(counts)
    number = counts.groupby("unique_id").cumcount()
    past, ahead = counts[number < 70], counts[(number >= 70) & (number < 73)].drop(columns="y")
    answer = model.forecasts(past, ahead)
    assert (np.diff(answer.quantiles, axis=2) >= 0).all()
    assert np.isfinite(answer.mean).all()
    model.save(tmp_path / "model")
    again = recurra.load(tmp_path / "model")
    assert again.model_hash_ == model.model_hash_
    np.testing.assert_array_equal(again.forecasts(past, ahead).quantiles, answer.quantiles)
    stream = model.stream(counts[number < 69])
    streamed = stream.update_many(counts[number == 69], ahead)
    np.testing.assert_allclose(streamed.quantiles, answer.quantiles, rtol=1e-6)
    restored = again.restore(stream.snapshot())
    np.testing.assert_allclose(restored.forecasts(ahead).quantiles, answer.quantiles, rtol=1e-6)
    paths = model.sample(past, ahead, n_paths=7, seed=1)
    assert paths.columns.tolist() == ["unique_id", "path", "ds", "sample"]
    assert len(paths) == 2 * 7 * 3
    if output in ("log_normal", "negative_binomial"):
        assert (paths["sample"] >= 0).all()
    if output == "negative_binomial":
        assert (paths["sample"] == paths["sample"].round()).all()


def test_options_of_the_layer_reach_it_and_are_saved(counts, quick, tmp_path):
    options = {"layer_norm": "ba", "zoneout": (0.1, 0.05), "learned_state": True}
    model = quick(cell="lstm", num_layers=2, cell_options=options, residual="naive").fit(counts)
    assert model.network_.recurrent.layer_norm == "ba"
    assert model.network_.recurrent.zoneout == (0.1, 0.05)
    model.save(tmp_path / "model")
    again = recurra.load(tmp_path / "model")
    assert again.model_hash_ == model.model_hash_
    whole = model.forecasts(counts)
    np.testing.assert_array_equal(again.forecasts(counts).quantiles, whole.quantiles)
    stream = model.stream()
    for _, rows in counts.groupby("ds", sort=False):
        streamed = stream.update_many(rows)
    np.testing.assert_allclose(streamed.quantiles, whole.quantiles, rtol=1e-9)
    with pytest.raises(ConfigError, match="bidirectional would let the network read the future"):
        quick(cell_options={"bidirectional": True}).fit(counts)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("decoder", ["direct", "segments"])
def test_a_target_without_variance_is_forecast_as_it_is(decoder, output, quick):
    """Declared handling: the level is known, the spread is tiny; nothing is NaN."""
    rows = {"ds": list(range(60)), "y": [7.0] * 60}
    model = quick(unique_id=None, decoder=decoder, output=output, residual="naive", season=None).fit(rows)
    answer = model.forecasts(rows)
    assert np.isfinite(answer.quantiles).all()
    np.testing.assert_allclose(answer.median, 7.0, atol=1.0 if output == "negative_binomial" else 0.1)


@pytest.fixture(scope="module")
def noise():
    """A series in which nothing can be learned."""
    y = 10.0 + np.random.default_rng(5).normal(size=200)
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=200), "y": y})


LEARNER = {"horizon": 3, "unique_id": None, "season": 7, "residual": "none", "hidden_size": 8, "max_epochs": 12}


def test_the_rule_stays_where_the_network_gains_nothing(noise):
    """And says so; the network as it was trained is there for who wants it."""
    twice = pd.concat([noise, noise.assign(ds=noise["ds"] + pd.Timedelta(days=200))])
    model = recurra.Forecaster(**LEARNER, learning_rate=2e-2).fit(noise)
    assert model.history_.best_epoch == 0
    assert model.reasons_["kept"].startswith("the rule itself: ")
    assert model.network_.head.state.weight.abs().max() == 0.0
    assert "kept" not in model.update(twice).reasons_
    trained = recurra.Forecaster(**LEARNER, learning_rate=2e-2, keep="trained").fit(noise)
    assert trained.history_.best_epoch > 0
    assert trained.network_.head.state.weight.abs().max() > 0.0
    assert "kept" not in trained.reasons_


def test_what_is_learned_is_kept_where_it_shows(noise):
    """A season that the level knows nothing of."""
    t = np.arange(200)
    model = recurra.Forecaster(**LEARNER, learning_rate=2e-2).fit(
        noise.assign(y=noise["y"] + 5 * np.sin(2 * np.pi * t / 7))
    )
    assert model.history_.best_epoch > 0
    assert "kept" not in model.reasons_
    assert model.validation_["network"] < 0.5 * model.validation_["naive"]


def test_targets_that_are_all_missing_decide_nothing(noise):
    """The last 60 rows are masked: nothing can be shown, the first rule and the trained weights stay."""
    masked = noise.assign(y=noise["y"].where(np.arange(200) < 140))
    settings = {**LEARNER, "residual": "auto", "missing": "mask", "validation": 40}
    model = recurra.Forecaster(**settings).fit(masked)
    assert model.residual_ == "none"
    assert model.history_.best_epoch == 1
    assert "kept" not in model.reasons_


def test_ctrl_c_after_the_training_keeps_what_was_learned(noise, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("recurra.learners.fitting.keep_what_shows", interrupt)
    t = np.arange(200)
    model = recurra.Forecaster(**LEARNER, learning_rate=2e-2).fit(noise.assign(y=noise["y"] + 5 * np.sin(t)))
    assert model.history_.ending == "interrupted"
    assert model.history_.best_epoch > 0


def test_a_later_rule_needs_more_than_a_standard_error(noise):
    table = SeriesTable.from_table(noise, columns=recurra.data.Columns(unique_id=None))
    fitted = fit_forecaster(table, ForecasterConfig(**LEARNER))
    other = replace(fitted, reasons={"residual": "another"})
    step = np.where(np.arange(len(fitted.stretches)) % 2, 0.9, 1.0)
    assert _better(fitted, replace(other, stretches=fitted.stretches - 0.01 * step)).reasons["residual"] == "another"
    assert _better(fitted, replace(other, stretches=fitted.stretches + 0.01 * step)) is fitted
    swaying = 0.1 * np.where(np.arange(len(step)) % 2, 1.0, -0.99)
    assert _better(fitted, replace(other, stretches=fitted.stretches - swaying)) is fitted
    brief = replace(other, stretches=None, history=replace(fitted.history, best_loss=0.0))
    assert _better(fitted, brief) is brief
