"""TrajectoryForecaster: what it refuses, that nothing leaks, zero weights are constant velocity, saving, backtest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra.baselines import ConstantVelocity, Histories
from recurra.data.tracks import TrackTable, TrackWindows
from recurra.errors import ConfigError, NotFittedError, StreamingUnsupported, TableError, TimeStampError, TooShortError
from recurra.prediction import TrajectoryPredictor

QUICK: dict[str, Any] = {"horizon": 3, "context": 6, "hidden_size": 6, "max_epochs": 1, "components": 2}


def circles(count: int = 14, fixes: int = 16, first: int = 0) -> dict[str, Any]:
    """Objects that walk in circles; those with a later number come later."""
    names = np.repeat(np.arange(first, first + count), fixes)
    times = np.tile(np.arange(float(fixes)), count) + names
    speed, angle = 0.3 + 0.03 * (names % 14), 0.25 * times + 0.9 * names
    return {"object": names, "time": times, "x": 4 * speed * np.sin(angle), "y": -4 * speed * np.cos(angle)}


@pytest.fixture(scope="module")
def model() -> Any:
    return recurra.TrajectoryForecaster(**QUICK, neighbours=1, futures=2).fit(circles())


def test_predictions_have_a_row_for_each_object_future_and_step(model: Any) -> None:
    table = model.predict(circles(2))
    assert list(table["object"].unique()) == [0, 1]
    assert len(table) == 2 * 3 * 3
    assert table["time"].iloc[:3].tolist() == [16.0, 17.0, 18.0]
    assert set(model.validation_) >= {"network", "correction switched off", "constant velocity", "stand still"}


def test_no_position_after_the_last_one_observed_changes_a_prediction(model: Any) -> None:
    """Perturb every later position of every object: what was predicted from earlier fixes stays the same to the bit."""
    table = TrackTable.from_table(circles(5))
    random = np.random.default_rng(3)
    for moment in (6.0, 9.0, 13.0):
        later = (table.time > moment)[:, None]
        moved = np.where(later, table.position + random.normal(0, 30, table.position.shape), table.position)
        before, after = (model.hindcast(replace(table, position=p)) for p in (table.position, moved))
        seen = before.origin_time <= moment
        for name in ("path", "means", "factors", "weights"):
            assert np.array_equal(getattr(before, name)[seen], getattr(after, name)[seen])
        assert not np.allclose(before.path[~seen], after.path[~seen])


def test_a_hindcast_is_what_would_have_been_predicted_then(model: Any) -> None:
    """Every row of the one pass against the table cut at that row's time."""
    table = TrackTable.from_table(circles(4))
    whole = model.hindcast(table)
    for moment in (3.0, 8.0, 15.0):
        then = model.forecasts(table.until(moment))
        for i, name in enumerate(then.ids):
            place = [j for j, n in enumerate(whole.ids) if n == name and whole.origin_time[j] == then.origin_time[i]]
            assert np.allclose(whole.path[place[0]], then.path[i], atol=1e-9)


def test_zero_weights_are_constant_velocity_exactly(model: Any) -> None:
    """Expected: the rule itself, to the bit, for every component."""
    table = TrackTable.from_table(circles(3))
    network = model.predictor_.network
    bare = TrajectoryPredictor(model.predictor_.spec, network)
    with torch.no_grad():
        for parameter in bare.network.parameters():
            parameter.zero_()
    windows = TrackWindows(np.arange(6)[None] + table.offsets[:-1, None], np.full(3, 6), np.arange(3))
    answer = bare.windows(table, windows)
    expected = ConstantVelocity().paths(Histories.of(table, windows, 1.0), 3)
    assert np.array_equal(answer.means[:, 0], expected)
    assert np.array_equal(answer.path, expected)


def test_a_saved_model_predicts_the_same(model: Any, tmp_path: Path) -> None:
    model.save(tmp_path / "model", data_name="circles")
    same = recurra.load(tmp_path / "model")
    one, two = model.forecasts(circles(3)), same.forecasts(circles(3))
    assert np.array_equal(one.path, two.path)
    assert np.array_equal(one.futures(5), two.futures(5))
    assert same.model_hash_ == model.model_hash_
    assert "mean displacement error" in (tmp_path / "model" / "README.md").read_text().lower()


def test_the_same_seed_is_the_same_model() -> None:
    one, two = (recurra.TrajectoryForecaster(**QUICK, output="points", seed=4).fit(circles(8)) for _ in range(2))
    assert one.model_hash_ == two.model_hash_


def test_a_stream_of_the_learner_says_what_predict_says(model: Any) -> None:
    table = TrackTable.from_table(circles(3))
    stream = model.stream(table.until(8.0))
    moment = [
        {"object": table.ids[o], "time": 9.0, "x": float(x), "y": float(y)}
        for o, t, (x, y) in zip(table.owner, table.time, table.position, strict=True)
        if t == 9.0
    ]
    answer, expected = stream.update_many(moment), model.forecasts(table.until(9.0))
    for i, name in enumerate(answer.ids):
        place = [str(n) for n in expected.ids].index(name)
        assert np.allclose(answer.path[i], expected.path[place], atol=1e-9)
    again = model.restore(stream.snapshot())
    assert again.objects == stream.objects


def test_an_object_in_both_tables_is_refused_when_the_split_is_by_objects() -> None:
    with pytest.raises(TableError, match="object 13 is in the training table and in the other one too"):
        recurra.TrajectoryForecaster(**QUICK).fit(circles(), circles(3, first=13))
    ok = recurra.TrajectoryForecaster(**QUICK, output="points", split="time").fit(circles(4), circles(4))
    assert ok.horizon == 3


def test_by_time_nothing_after_the_cut_is_learned_from() -> None:
    """Perturbing what comes after the cut changes the validation, never the epoch-by-epoch training loss."""
    table = TrackTable.from_table(circles(8))
    cut = np.quantile(table.time, 0.85)
    moved = np.where((table.time >= cut)[:, None], table.position + 50.0, table.position)
    losses = []
    for position in (table.position, moved):
        learner = recurra.TrajectoryForecaster(**QUICK, output="points", split="time", max_speed=1e9)
        learner.fit(replace(table, position=position))
        losses.append([epoch.training_loss for epoch in learner.history_.epochs])
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("settings", "changes", "error", "words"),
    [
        ({}, {"time": np.zeros(224)}, TimeStampError, "a fix at that time already"),
        ({}, {"object": np.arange(224)}, TableError, "one fix only"),
        ({"x": "z"}, {}, TableError, "no column 'z'"),
        ({"futures": 3, "output": "points"}, {}, ConfigError, "futures need a distribution"),
        ({"geographic": True, "mirror": True}, {}, ConfigError, "make no sense on the globe"),
        ({"cell": "transformer"}, {}, ConfigError, "cell"),
        ({"season": True}, {}, ConfigError, "dates"),
        ({"object": None, "unsorted": "sort", "repeated": "first"}, {}, TooShortError, "split='time'"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], changes: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        recurra.TrajectoryForecaster(**{**QUICK, **settings}).fit({**circles(), **changes})


def test_objects_that_all_stand_still_are_learned_without_a_word() -> None:
    still = {**circles(6), "x": np.ones(96), "y": np.ones(96)}
    answer = recurra.TrajectoryForecaster(**QUICK).fit(still).forecasts(still)
    assert np.isfinite(answer.path).all()
    assert np.abs(answer.path).max() < 1.0


def test_an_object_seen_once_is_left_out_by_name(model: Any) -> None:
    table = circles(2)
    one = {name: np.append(values, values[-1] + 5) for name, values in table.items()}
    one["object"] = np.append(table["object"], 99)
    assert model.forecasts(one).left_out == (99,)


def test_uneven_steps_gaps_and_resampling_are_learned_from() -> None:
    table = circles(10)
    kept = np.random.default_rng(0).random(160) > 0.2
    uneven = {name: values[kept] for name, values in table.items()}
    learner = recurra.TrajectoryForecaster(**QUICK, output="points").fit(uneven)
    assert learner.step_s_ == 1.0
    even = recurra.TrajectoryForecaster(**QUICK, output="points", resample_s=0.5).fit(uneven)
    assert even.step_s_ == 0.5
    with pytest.raises(StreamingUnsupported, match="fit without resample_s"):
        even.stream()


def test_a_backtest_stands_beside_the_rules_and_says_so_in_words() -> None:
    learner = recurra.TrajectoryForecaster(**{**QUICK, "max_epochs": 2})
    report = learner.backtest(circles(20), share=0.3)
    assert report.names[:2] == ("network", "correction switched off")
    assert report.scores["correction switched off"].ade == pytest.approx(report.scores["constant velocity"].ade)
    assert "naive rule" in report.sentence
    assert "ADE" in str(report)
    assert report.to_dict()["scores"]["network"]["n"] == report.scores["network"].n
    with pytest.raises(NotFittedError):
        learner.predict(circles(2))
