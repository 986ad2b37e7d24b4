"""Going on learning: better on what is new, no worse on what is old; nothing else moves."""

import copy

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.errors import ConfigError, SnapshotError, StreamError, TableError, UpdateWarning

ROWS = 140


def promoted(names: str = "ab", turn: int = ROWS) -> pd.DataFrame:
    """A week's season and noise; from the turn on a promotion, known ahead, adds 4 on every fifth day or so."""
    frames = []
    for k, name in enumerate(names):
        random, t = np.random.default_rng(k), np.arange(2 * turn)
        promo = ((random.random(2 * turn) < 0.2) & (t >= turn)).astype(np.float64)
        y = 10 + np.sin(2 * np.pi * t / 7 + k) + 0.3 * random.normal(size=2 * turn) + 4 * promo
        days = pd.date_range("2020-01-01", periods=2 * turn)
        frames.append(pd.DataFrame({"unique_id": name, "ds": days, "y": y, "promo": promo}))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    return promoted()


@pytest.fixture(scope="module")
def model(whole) -> recurra.Forecaster:
    """Fitted before there was any promotion."""
    return recurra.Forecaster(
        horizon=1, residual="season_mean", scaling="standard", hidden_size=8, max_epochs=6, dropout=0.0, keep="trained",
        learning_rate=5e-3, context=32, future_covariates=("promo",), quantiles=(0.1, 0.5, 0.9),
    ).fit(first(whole, ROWS))  # fmt: skip


def first(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    return table[table.groupby("unique_id").cumcount() < rows]


def errors(model: recurra.Forecaster, table: pd.DataFrame) -> tuple[float, float]:
    """Mean absolute error before the turn, and after the rows that an update may have learned from."""
    found = model.hindcast(table, since=0)
    error, row = np.abs(found.median - found.actual)[:, 0], found.rows % (2 * ROWS)
    return float(error[(row > 30) & (row < ROWS - 1)].mean()), float(error[(row > 220) & (row < 279)].mean())


def test_it_learns_the_new_and_keeps_the_old(model, whole) -> None:
    # expected: the same network before; rows after number 220 are seen by no update
    updated = copy.deepcopy(model).update(first(whole, 220), learning_rate=3e-3)
    (old_before, new_before), (old_after, new_after) = errors(model, whole), errors(updated, whole)
    assert new_after < 0.95 * new_before
    assert old_after < 1.01 * old_before
    told = updated.updates_[0]
    assert told["rows"] == 2 * 80
    assert told["networks"][0]["old"][1] <= 1.01 * told["networks"][0]["old"][0]
    assert updated.model_hash_ != model.model_hash_


def test_without_what_keeps_the_old_it_is_forgotten(model, whole) -> None:
    # expected: more is learned of the new, and the old part gets worse: replay, pull and tolerance are what keeps it
    careless = {"replay": 0.0, "pull": 0.0, "tolerance": 100.0, "epochs": 8, "learning_rate": 1e-2}
    careless = copy.deepcopy(model).update(first(whole, 220), **careless)
    careful = copy.deepcopy(model).update(first(whole, 220), learning_rate=3e-3)
    assert errors(careless, whole)[0] > 1.02 * errors(careful, whole)[0]


def test_only_rows_after_the_learned_ones_are_new(model, whole) -> None:
    with pytest.raises(TableError, match="add the new ones"):
        copy.deepcopy(model).update(first(whole, ROWS))
    once = copy.deepcopy(model).update(first(whole, 160), epochs=1)
    with pytest.raises(TableError, match="add the new ones"):
        once.update(first(whole, 160))
    twice = once.update(first(whole, 180), epochs=1)
    assert [told["rows"] for told in twice.updates_] == [40, 40]


def test_scales_and_encodings_stay_as_fitted(model, whole) -> None:
    updated = copy.deepcopy(model).update(first(whole, 200), epochs=1)
    assert updated._predictor.preparation.to_config() == model._predictor.preparation.to_config()


def test_a_stream_is_carried_along(model, whole) -> None:
    # expected: the state of the old weights, then steps of the new ones; with time the same as a stream made anew
    updated = copy.deepcopy(model)
    stream = updated.stream(first(whole, 200))
    ahead = whole[whole.groupby("unique_id").cumcount() == 200]
    before = stream.forecasts(ahead).quantiles
    updated.update(first(whole, 200))
    carried = updated.carry(stream)
    np.testing.assert_array_equal(stream.forecasts(ahead).quantiles, before)
    assert not np.array_equal(carried.forecasts(ahead).quantiles, before)
    both = (carried, updated.stream(first(whole, 200)))
    for row in whole[whole.groupby("unique_id").cumcount() >= 200].to_dict("records"):
        one, other = (live.update(row, [{"ds": row["ds"] + pd.Timedelta(days=1), "promo": 0.0}]) for live in both)
    np.testing.assert_allclose(one.quantiles, other.quantiles, rtol=1e-6)
    other = recurra.Forecaster(**{**model.get_params(), "max_epochs": 1, "seed": 1}).fit(first(whole, ROWS))
    with pytest.raises(StreamError, match="another model's"):
        other.carry(stream)


def test_the_state_is_carried_from_process_to_process(model, whole, tmp_path) -> None:
    # expected: saved, updated and loaded elsewhere, it goes on as `carry` does within one process
    service = copy.deepcopy(model)
    service.save(tmp_path / "model")
    stream = service.stream(first(whole, 180))
    nightly = recurra.load(tmp_path / "model").update(first(whole, 180), epochs=1)
    nightly.save(tmp_path / "model", overwrite=True)
    updated, ahead = recurra.load(tmp_path / "model"), whole[whole.groupby("unique_id").cumcount() == 180]
    carried = updated.carry(stream)
    with pytest.raises(SnapshotError, match="another model"):
        updated.restore(stream.snapshot())
    restored = updated.restore(stream.snapshot(), carry=True)
    np.testing.assert_array_equal(restored.forecasts(ahead).quantiles, carried.forecasts(ahead).quantiles)
    assert not np.array_equal(stream.forecasts(ahead).quantiles, carried.forecasts(ahead).quantiles)
    again = updated.update(first(whole, 200), epochs=1)
    assert again.restore(carried.snapshot(), carry=True).series == ("a", "b")
    other = recurra.Forecaster(**{**model.get_params(), "max_epochs": 1, "seed": 1}).fit(first(whole, ROWS))
    with pytest.raises(SnapshotError, match="another model"):
        other.restore(stream.snapshot(), carry=True)


def test_saved_it_goes_on_where_it_was(model, whole, tmp_path) -> None:
    model.save(tmp_path / "model")
    loaded = recurra.load(tmp_path / "model")
    one, other = (m.update(first(whole, 200), epochs=1) for m in (loaded, copy.deepcopy(model)))
    assert one.model_hash_ == other.model_hash_
    one.save(tmp_path / "again")
    assert recurra.load(tmp_path / "again").updates_ == one.updates_


def test_members_of_an_ensemble_each_go_on(quick, make_table) -> None:
    table = make_table(n=80)
    ensemble = quick(n_ensemble=2).fit(first(table, 60)).update(table, epochs=1)
    assert len(ensemble.updates_[0]["networks"]) == 2
    assert ensemble.forecasts(table).quantiles.shape == (2, 3, 3)


def test_a_distribution_learns_too(quick, make_table) -> None:
    # expected: a little noise makes the loss negative; the weights move all the same
    table = make_table(n=90, noise=0.02)
    settings = {"output": "normal", "scaling": "standard", "max_epochs": 3}
    told = quick(**settings).fit(first(table, 60)).update(table, epochs=1, learning_rate=1e-5).updates_[0]
    assert told["networks"][0]["share"] == 1.0


def test_new_rows_alone_are_not_held_against_anything_and_it_says_so(model, whole) -> None:
    late = first(whole, 200)
    late = late[late.groupby("unique_id").cumcount() >= ROWS]
    with pytest.warns(UpdateWarning, match="none was replayed"):
        updated = copy.deepcopy(model).update(late, epochs=1)
    assert "none was replayed" in updated.updates_[0]["networks"][0]["reason"]
    copy.deepcopy(model).update(late, epochs=1, replay=0.0)  # was asked for: no warning


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"replay": 1.0}, {"pull": -1.0}, {"learning_rate": 0.0}])
def test_numbers_out_of_range_are_refused(wrong, model, whole) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        copy.deepcopy(model).update(whole, **wrong)
