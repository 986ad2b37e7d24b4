"""Every decoder with every output: a fresh network is the rule, a trained one saves, streams and hindcasts alike."""

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.data import SeriesTable
from recurra.data.preparation import Preparation
from recurra.errors import ConfigError
from recurra.learners.fitting import build_network, choose_spec
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
