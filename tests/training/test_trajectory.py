"""The trajectory task: targets as seen along the heading, jitter, epochs that repeat, and a network that learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recurra.data.tracks import Augmentation, InputSpec, TrackInputs, TrackTable, learning_windows
from recurra.models.trajectory import TrajectoryNetwork, TrajectoryShape
from recurra.training import TrainingOptions, train
from recurra.training.trajectory import LearningTracks, TrackPlan, TrajectoryTask, lagged, usual_step
from recurra.training.trajectory_start import choose_gain, fit_linear, fit_spread

HORIZON = 3
SPEC = InputSpec(step_s=1.0, max_gap_s=2.5, scale=0.5)


def circles(count: int = 12, fixes: int = 14) -> TrackTable:
    """Objects that walk in circles at several speeds: their turn is what a network can learn."""
    names, times = np.repeat(np.arange(count), fixes), np.tile(np.arange(float(fixes)), count)
    speed = np.repeat(np.linspace(0.3, 0.7, count), fixes)
    start = np.repeat(np.arange(count) * 0.9, fixes)
    angle = start + 0.25 * times
    x, y = 4.0 * speed * np.sin(angle), -4.0 * speed * np.cos(angle)
    return TrackTable.from_table({"object": names, "time": times, "x": x, "y": y})


def task(plan: TrackPlan | None = None, *, lags: int = 0, components: int = 0) -> TrajectoryTask:
    torch.manual_seed(0)
    network = TrajectoryNetwork(TrajectoryShape(SPEC.width, HORIZON, components, hidden_size=8, dropout=0.0, lags=lags))
    tracks = LearningTracks(TrackInputs(circles(), SPEC), HORIZON)
    windows = learning_windows(tracks.table, 6, 2.5, tracks.known.any(1))
    return TrajectoryTask(network, tracks, tracks, windows, windows, plan or TrackPlan(batch_size=16))


def test_targets_are_what_constant_velocity_is_off_by_along_the_heading() -> None:
    """Expected: the same from positions and headings with complex numbers."""
    work = task()
    rows = np.arange(5)[None]
    batch = work.training.batch(rows, np.array([5]), np.array([4]), torch.float64)
    table = work.training.table
    z = table.position[:, 0] + 1j * table.position[:, 1]
    v = np.diff(z[:5])
    h = v[0]
    for way in v[1:]:
        h = h + 0.6 * (way - h)
    off = (z[5:8] - z[4] - v[-1] * np.arange(1, 4)) / 0.5 * np.conj(h) / abs(h)
    assert batch.error[0, :, 0].numpy() == pytest.approx(off.real, abs=1e-12)
    assert batch.error[0, :, 1].numpy() == pytest.approx(off.imag, abs=1e-12)
    assert batch.known.all()


def test_a_jittered_window_is_the_window_of_a_jittered_track() -> None:
    """Moving the fixes on the fly against moving them in the table, with the later positions left where they were."""
    work, errors = task(), np.random.default_rng(4).normal(0, 0.1, (1, 5, 2))
    rows, lengths, steps = np.arange(5)[None], np.array([5]), np.array([4])
    fly = work.training.batch(rows, lengths, steps, torch.float64, None, errors)
    table = work.training.table
    position = table.position.copy()
    position[:5] += 0.5 * errors[0]
    moved = LearningTracks(TrackInputs(replace(table, position=position), SPEC), HORIZON)
    beforehand = moved.batch(rows, lengths, steps, torch.float64)
    assert torch.allclose(fly.x, beforehand.x, atol=1e-12)
    assert torch.allclose(fly.error, beforehand.error, atol=1e-12)


def test_an_epoch_is_a_function_of_seed_and_epoch() -> None:
    plan = TrackPlan(batch_size=16, augmentation=Augmentation(mirror=True, time_scale=1.5, jitter=0.1), seed=3)
    first, again = ([batch.x for batch in task(plan).batches(2)] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], next(iter(task(plan).batches(3))).x)
    assert len(first) == task(plan).n_batches


def test_the_linear_map_and_the_spread_are_fitted_before_training() -> None:
    """A circle's next way is a turned copy of the last one, which a linear map of the inputs knows exactly."""
    work = task(lags=2, components=1)
    fit_linear(work)
    assert work.network.linear is not None
    assert not work.network.linear.weight.requires_grad
    fit_spread(work)
    assert work.network.spread.max() < 0.05
    plain = task(components=1)
    fit_spread(plain)
    batch = plain.training.batch(plain.windows.rows, plain.windows.lengths, np.array([5]), torch.float32)
    error, known = batch.error.numpy(), batch.known.numpy()
    expected = np.sqrt(np.nanmean(np.where(known[..., None], error, np.nan) ** 2, axis=0))
    assert plain.network.spread.numpy() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("components", [0, 2])
def test_a_network_learns_to_turn(components: int) -> None:
    work = task(components=components)
    fit_spread(work)
    before = work.validation_loss()
    train(work.network, work, TrainingOptions(max_epochs=8, learning_rate=1e-2))
    assert work.validation_loss() < before - 0.1
    assert choose_gain(work) > 0.5
    if components == 0:
        assert work.validation_loss() < 0.5 * before


def test_lagged_inputs_are_the_last_ones_first_and_zero_before_the_first() -> None:
    x = torch.arange(6.0).view(1, 3, 2)
    assert lagged(x, torch.tensor([0, 0]), torch.tensor([2, 0]), 2).tolist() == [[4, 5, 2, 3], [0, 1, 0, 0]]


def test_the_usual_step_does_not_count_the_way_over_a_gap() -> None:
    """By hand: ways of 3 and 4 in one second each; the way over the gap is 100."""
    table = TrackTable.from_table({"object": ["a"] * 4, "time": [0, 1, 9, 10], "x": [0, 3, 103, 107], "y": [0] * 4})
    assert usual_step(table, 1.0, table.pieces(2.0)) == pytest.approx(np.sqrt(12.5))
