"""Inputs of the network: the past only, turned with the object, mirrored, and what stands beside."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.tracks import Augmentation, InputSpec, TrackColumns, TrackInputs, TrackTable, into, out_of
from recurra.errors import ConfigError

SPEC = InputSpec(step_s=1.0, max_gap_s=2.5, scale=1.0, neighbours=2)


def crowd(seed: int, fixes: int = 9) -> TrackTable:
    """Three objects that walk at random, at uneven times, side by side."""
    random = np.random.default_rng(seed)
    time = np.cumsum(random.choice([0.5, 1.0, 1.5], fixes))
    position = np.cumsum(random.normal(0.3, 0.5, (3, fixes, 2)), axis=1)
    names = np.repeat(["a", "b", "c"], fixes)
    return TrackTable.from_table(
        {"object": names, "time": np.tile(time, 3), "x": position[..., 0].ravel(), "y": position[..., 1].ravel()}
    )


def perturbed(table: TrackTable, after: float, seed: int) -> TrackTable:
    """The same up to a time, and other positions after it."""
    random = np.random.default_rng(seed)
    later = table.time > after
    moved = np.where(later[:, None], table.position + random.normal(0, 50, table.position.shape), table.position)
    return replace(table, position=moved)


@given(st.integers(0, 10_000), st.integers(2, 7), st.booleans())
@settings(max_examples=25)
def test_no_later_position_changes_any_input(seed: int, last: int, aligned: bool) -> None:
    """Perturb every position after the last one observed, of all objects: inputs up to it stay the same to the bit."""
    table, spec = crowd(seed), replace(SPEC, aligned=aligned)
    other = perturbed(table, float(table.time[last]), seed + 1)
    rows = np.arange(last + 1)[None] + table.offsets[:-1, None]
    for name in ("x", "velocity", "frame"):
        before, after = (getattr(TrackInputs(t, spec).windows(rows), name) for t in (table, other))
        assert np.array_equal(before, after)


def test_inputs_of_an_aligned_network_do_not_depend_on_the_direction(rng: np.random.Generator) -> None:
    """Turning every position by one angle leaves the inputs as they are; the frame turns."""
    table = crowd(3)
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rows = np.arange(9)[None] + table.offsets[:-1, None]
    before = TrackInputs(table, SPEC).windows(rows)
    after = TrackInputs(replace(table, position=table.position @ turn.T), SPEC).windows(rows)
    assert np.allclose(before.x, after.x, atol=1e-12)
    assert np.allclose(after.frame, before.frame @ turn.T, atol=1e-12)


def test_an_augmented_window_is_the_window_of_the_augmented_track() -> None:
    """Mirror and scale on the fly against the same done to the table."""
    table = crowd(5)
    matrices = Augmentation(rotate=True, mirror=True, time_scale=2.0).matrices(3, np.random.default_rng(1))
    rows = np.arange(9)[None] + table.offsets[:-1, None]
    on_the_fly = TrackInputs(table, SPEC).windows(rows, np.repeat(matrices[:1], 3, 0))
    beforehand = TrackInputs(replace(table, position=table.position @ matrices[0].T), replace(SPEC, reach=1e9))
    near = TrackInputs(table, replace(SPEC, reach=1e9)).windows(rows, np.repeat(matrices[:1], 3, 0))
    assert np.allclose(near.x, beforehand.windows(rows).x, atol=1e-9)
    assert np.allclose(on_the_fly.velocity, beforehand.windows(rows).velocity, atol=1e-12)


def test_out_of_is_the_exact_inverse_of_into(rng: np.random.Generator) -> None:
    angle = rng.uniform(0, 7, 20)
    frame, vectors = np.stack([np.cos(angle), np.sin(angle)], -1), rng.normal(size=(20, 2))
    assert np.allclose(out_of(frame, into(frame, vectors)), vectors, atol=1e-15)


def test_a_velocity_is_that_of_the_way_behind() -> None:
    """By hand: a way of three in two seconds is one and a half a step of one second; its frame points along it."""
    table = TrackTable.from_table({"object": ["a"] * 3, "time": [0, 2, 3], "x": [0, 0, 0], "y": [0, 3, 5]})
    seen = TrackInputs(table, replace(SPEC, neighbours=0)).windows(np.arange(3)[None])
    assert seen.velocity[0].tolist() == [[0, 1.5], [0, 2]]
    assert seen.frame[0].tolist() == [[0, 1], [0, 1]]
    assert seen.x[0, :, 0].tolist() == [1.5, 2.0]
    assert seen.x[0, :, 4] == pytest.approx([np.log(2.0), 0.0])


def test_an_object_that_stands_still_has_finite_inputs() -> None:
    table = TrackTable.from_table({"object": ["a"] * 4, "time": range(4), "x": [1.0] * 4, "y": [1.0] * 4})
    seen = TrackInputs(table, SPEC).windows(np.arange(4)[None])
    assert np.isfinite(seen.x).all()
    assert seen.frame[0, -1].tolist() == [1.0, 0.0]


def test_features_are_shown_with_whether_they_are_known() -> None:
    columns = TrackColumns(features=("wind",), geographic=True)
    table = TrackTable.from_table(
        {"object": ["a"] * 3, "time": [0, 1, 2], "x": [1, 2, 3], "y": [4, 5, 6], "wind": [10.0, None, 30.0]},
        columns=columns,
    )
    spec = InputSpec(1.0, 2.5, 100.0, aligned=False, features=(("wind", 10.0, 5.0),), place=((2.0, 1.0), (5.0, 1.0)))
    seen = TrackInputs(table, spec).windows(np.arange(3)[None]).x[0]
    assert seen[:, 5:].tolist() == [[0.0, 0.0, 0.0, 0.0], [4.0, 1.0, 1.0, 1.0]]
    assert seen.shape[1] == spec.width
    assert InputSpec.from_config(spec.to_config()) == spec
    with pytest.raises(ConfigError, match="features"):
        TrackInputs(table, replace(spec, features=()))


def test_the_season_needs_dates() -> None:
    table = TrackTable.from_table({"object": ["a"] * 3, "time": [0, 1, 2], "x": [1, 2, 3], "y": [4, 5, 6]})
    with pytest.raises(ConfigError, match="day of the year"):
        TrackInputs(table, replace(SPEC, season=True))
