"""Several networks fitted as one forecaster: their seeds, their choices, saving and streaming."""

import numpy as np

import recurra


def test_members_are_the_networks_of_their_seeds(quick, table, tmp_path) -> None:
    # expected: the mean of two forecasters fitted by themselves
    model = quick(n_ensemble=2, seed=3).fit(table)
    alone = [quick(seed=seed).fit(table).forecasts(table).quantiles for seed in (3, 4)]
    np.testing.assert_allclose(model.forecasts(table).quantiles, np.mean(alone, axis=0))
    assert model.n_parameters_ == 2 * quick().fit(table).n_parameters_
    assert "seeds 3 to 4" in model.reasons_["ensemble"]
    assert model.validation_["network"] > 0
    model.save(tmp_path / "model")
    again = recurra.load(tmp_path / "model")
    assert again.model_hash_ == model.model_hash_
    np.testing.assert_array_equal(again.forecasts(table).quantiles, model.forecasts(table).quantiles)
    stream = again.stream(table)
    np.testing.assert_allclose(stream.forecasts().quantiles, model.forecasts(table).quantiles)
    assert again.restore(stream.snapshot()).series == ("a", "b")
    assert len(again.sample(table, n_paths=3)) == 2 * 3 * 3


def test_its_own_intervals_are_calibrated_and_told_of(quick, make_table, tmp_path) -> None:
    # expected: by numpy, the coverage of the last 40 rows of each series, which decided nothing else, is the one told
    table = make_table(n=200, noise=1.0)
    model = quick(n_ensemble=2, conformal=True, validation=80, residual="naive").fit(table)
    found = model.hindcast(table, since=159)
    known = ~np.isnan(found.actual)
    inside = (found.quantiles[..., 0] <= found.actual) & (found.actual <= found.quantiles[..., -1])
    assert f"and {100 * inside[known].mean():.1f} % after" in model.reasons_["conformal"]
    assert 0.75 < inside[known].mean() < 0.87  # of 80 origins the 73rd and the 8th score: a little more than 80 %
    margins = [member.conformal.margins for member in model._predictor.members]
    np.testing.assert_array_equal(*margins)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(recurra.load(tmp_path / "model").hindcast(table, 159).quantiles, found.quantiles)


def test_the_first_network_s_choices_hold_for_all(quick, table) -> None:
    model = quick(n_ensemble=2, residual="auto", max_seconds=20.0).fit(table)
    kinds = {member.preparation.spec.reference for member in model._predictor.members}
    assert kinds == {model.residual_}


def test_how_many_stayed_the_rule_is_told(make_table) -> None:
    """Of noise nothing can be learned; with keep="trained" nothing is said of it."""
    table = make_table("a", n=120, noise=30.0)
    settings = {"horizon": 3, "hidden_size": 8, "season": 7, "residual": "none", "max_epochs": 6, "n_ensemble": 2}
    model = recurra.Forecaster(**settings, learning_rate=2e-2).fit(table)
    assert model.reasons_["kept"] == "the rule itself by 2 of 2 networks, which gained nothing that shows"
    assert all(not member.network.head.state.weight.any() for member in model._predictor.members)
    assert "kept" not in recurra.Forecaster(**settings, keep="trained").fit(table).reasons_
