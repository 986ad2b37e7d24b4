"""What is learned from held-out forecasts: margins from rows that decided nothing else, or a word that they did."""

import numpy as np
import pytest

import recurra


@pytest.fixture(scope="module")
def noisy(make_table):
    """Two series of 400 days."""
    return make_table(n=400, noise=1.0)


def test_margins_come_from_rows_that_decided_nothing(noisy, quick):
    """Changed calibration rows change no weight, and the margins; the report says so."""
    settings = {"conformal": True, "validation": 80, "max_epochs": 2}
    model = quick(**settings).fit(noisy)
    late = noisy.groupby("unique_id").cumcount() >= 360
    other = quick(**settings).fit(noisy.assign(y=noisy["y"].where(~late, 3 * noisy["y"])))
    for name, value in model.network_.state_dict().items():
        assert value.equal(other.network_.state_dict()[name]), name
    assert not np.allclose(model._predictor.conformal.margins, other._predictor.conformal.margins)
    assert "in rows that decided nothing else" in model.reasons_["conformal"]
    assert model._predictor.conformal.origins == 2 * 40


def test_a_short_validation_part_is_shared_and_that_is_said(table, quick):
    model = quick(conformal=True, validation=6).fit(table)
    assert "which training was stopped on too" in model.reasons_["conformal"]


@pytest.mark.parametrize("decoder", ["direct", "recursive"])
def test_calibrated_intervals_cover_new_rows_better(decoder, noisy, quick):
    """A network stopped at once has intervals of the wrong width; calibrated ones hold about 80 % of 2 x 150 days."""
    start = noisy[noisy.groupby("unique_id").cumcount() < 250]
    shares = []
    for conformal in (False, True):
        model = quick(conformal=conformal, validation=100, residual="naive", max_epochs=1, decoder=decoder).fit(start)
        later = model.hindcast(noisy, 249) if decoder == "direct" else model.hindcast(noisy, 380)
        known = ~np.isnan(later.actual)
        inside = (later.quantiles[..., 0] <= later.actual) & (later.actual <= later.quantiles[..., -1])
        shares.append(float(inside[known].mean()))
    assert abs(shares[1] - 0.8) < max(abs(shares[0] - 0.8), 0.1)


def test_margins_are_saved_and_shown(noisy, quick, tmp_path):
    """In the model card, and in the report of a backtest."""
    model = quick(conformal=True, validation=80).fit(noisy)
    model.save(tmp_path / "model")
    assert "margins from 80 origins" in (tmp_path / "model" / "README.md").read_text()
    again = recurra.load(tmp_path / "model")
    np.testing.assert_array_equal(again.forecasts(noisy).quantiles, model.forecasts(noisy).quantiles)
    report = quick(conformal=True, validation=40).backtest(noisy, folds=2)
    assert "Intervals: margins from 40 origins" in str(report)
    assert report.to_dict()["notes"][0].startswith("Intervals: margins")


def test_sampled_paths_hang_together_as_held_out_errors_did(quick):
    """A random walk's errors at steps 1 and 3 correlate by sqrt(1 / 3); independent draws would not correlate."""
    y = np.cumsum(np.random.default_rng(0).normal(size=600))
    rows = {"ds": list(range(600)), "y": y}
    model = quick(unique_id=None, season=None, residual="naive", validation=200).fit(rows)
    paths = model.sample(rows, n_paths=2000, seed=3)
    values = np.asarray(paths["sample"]).reshape(2000, 3)
    assert np.corrcoef(values[:, 0], values[:, 2])[0, 1] == pytest.approx(np.sqrt(1 / 3), abs=0.2)
    answer = model.forecasts(rows)
    np.testing.assert_allclose(np.quantile(values, (0.1, 0.5, 0.9), axis=0).T, answer.quantiles[0], atol=0.1)
    again = model.sample(rows, n_paths=2000, seed=3)
    np.testing.assert_array_equal(again["sample"], paths["sample"])
    assert (model.sample(rows, n_paths=2000, seed=4)["sample"] != paths["sample"]).any()
