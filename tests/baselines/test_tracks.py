"""The naive rules of tracks, by hand, and the published table of constant velocity to three decimals."""

import os

import numpy as np
import pytest

from recurra.baselines import ConstantVelocity, Histories, LinearMap, MeanVelocity, StandStill, track_rules
from recurra.data.catalogue import ETH_UCY_SCENES, load_eth_ucy
from recurra.data.tracks import TrackTable, TrackWindows, scene_windows
from recurra.errors import NotFittedError
from recurra.metrics import ade, distances, fde

NEEDS_DATA = pytest.mark.skipif("RECURRA_DATA_DIR" not in os.environ, reason="needs RECURRA_DATA_DIR with eth_ucy")


def histories(x: list[float], times: list[float] | None = None) -> Histories:
    """One object that moves along the first axis, seen as one window of all its fixes."""
    times = list(np.arange(len(x), dtype=float)) if times is None else times
    table = TrackTable.from_table({"object": ["a"] * len(x), "time": times, "x": x, "y": [0.0] * len(x)})
    windows = TrackWindows(np.arange(len(x))[None], np.array([len(x)]), np.zeros(1, np.int64))
    return Histories.of(table, windows, 1.0)


def test_the_rules_go_on_as_they_say() -> None:
    """By hand: the last way is 3, the mean of the last two is 2."""
    seen = histories([0.0, 1.0, 4.0])
    assert StandStill().paths(seen, 2)[0, :, 0].tolist() == [0, 0]
    assert ConstantVelocity().paths(seen, 2)[0, :, 0].tolist() == [3, 6]
    assert MeanVelocity(2).paths(seen, 2)[0, :, 0].tolist() == [2, 4]


def test_uneven_times_are_minded() -> None:
    seen = histories([0.0, 1.0, 4.0], [0.0, 1.0, 3.0])
    assert ConstantVelocity().paths(seen, 2)[0, :, 0].tolist() == [1.5, 3.0]


def test_a_history_of_one_fix_stands_still() -> None:
    assert ConstantVelocity().paths(histories([5.0]), 2)[0].tolist() == [[0, 0], [0, 0]]


def test_the_linear_map_finds_the_map_that_made_the_data(rng: np.random.Generator) -> None:
    """Each next way is 0.9 of the last less 0.4 of the one before: the fitted map says so to six digits."""
    ways = [rng.normal(size=2), rng.normal(size=2)]
    for _ in range(400):
        ways.append(0.9 * ways[-1] - 0.4 * ways[-2])
        if np.hypot(*ways[-1]) < 1e-2:
            ways[-1] = rng.normal(size=2)
    position = np.cumsum(ways, 0)
    table = TrackTable.from_table(
        {
            "object": ["a"] * len(position),
            "time": np.arange(float(len(position))),
            "x": position[:, 0],
            "y": position[:, 1],
        }
    )
    exact = [i for i in range(3, 395) if np.allclose(ways[i + 1], 0.9 * ways[i] - 0.4 * ways[i - 1])]
    rows = np.array(exact)[:, None] + np.arange(-2, 1)
    seen = Histories.of(table, TrackWindows(rows, np.full(len(rows), 3), np.arange(len(rows))), 1.0)
    ahead = (position[np.array(exact) + 1] - position[exact])[:, None]
    rule = LinearMap(2, ridge=0.0).fit(seen, ahead)
    assert np.allclose(rule.paths(seen, 1), ahead, atol=1e-6)
    with pytest.raises(NotFittedError, match="no coefficients"):
        LinearMap(2).paths(seen, 1)


def test_the_distribution_has_the_covariance_of_the_misses(rng: np.random.Generator) -> None:
    """Misses of constant velocity with spreads 2 along and 0.5 across the heading, in all directions."""
    n = 4_000
    angle = rng.uniform(0, 2 * np.pi, n)
    heading = np.stack([np.cos(angle), np.sin(angle)], -1)
    side = np.stack([-heading[:, 1], heading[:, 0]], -1)
    position = np.stack([np.zeros((n, 2)), heading], 1)
    names = np.repeat(np.arange(n), 2)
    table = TrackTable.from_table(
        {"object": names, "time": np.tile([0.0, 1.0], n), "x": position[..., 0].ravel(), "y": position[..., 1].ravel()}
    )
    rows = np.arange(2 * n).reshape(n, 2)
    seen = Histories.of(table, TrackWindows(rows, np.full(n, 2), np.arange(n)), 1.0)
    misses = rng.normal(size=(n, 1)) * 2.0 * heading + rng.normal(size=(n, 1)) * 0.5 * side
    answer = ConstantVelocity().fit(seen, (heading + misses)[:, None]).forecast(seen)
    covariance = answer.covariance[:, 0]
    along = np.einsum("ni,nij,nj->n", heading, covariance, heading)
    across = np.einsum("ni,nij,nj->n", side, covariance, side)
    assert along == pytest.approx(np.full(n, 4.0), rel=0.06)
    assert across == pytest.approx(np.full(n, 0.25), rel=0.06)
    with pytest.raises(NotFittedError, match="own misses"):
        StandStill().forecast(seen)
    assert [rule.name for rule in track_rules(8)] == ["stand still", "constant velocity", "mean velocity", "linear map"]


@NEEDS_DATA
def test_constant_velocity_on_eth_ucy_equals_the_published_table() -> None:
    """Expected: ADE/FDE computed for this project on the published files, windows of two people or more, and of one."""
    two = {
        "eth": (0.995, 2.234, 181), "hotel": (0.323, 0.617, 1_053), "univ": (0.524, 1.165, 24_334),
        "zara1": (0.431, 0.960, 2_253), "zara2": (0.326, 0.728, 5_833),
    }  # fmt: skip
    found = {1: [], 2: []}
    for scene in ETH_UCY_SCENES:
        table = load_eth_ucy(scene).test
        for people in (1, 2):
            whole = scene_windows(table, 8, 12, people)
            seen = TrackWindows(whole.rows[:, :8], np.full(len(whole), 8), whole.moment)
            ahead = table.position[whole.rows[:, 8:]] - table.position[whole.rows[:, 7]][:, None]
            errors = distances(ahead, ConstantVelocity().paths(Histories.of(table, seen, 0.4), 12))
            found[people].append((ade(errors), fde(errors)))
            if people == 2:
                assert (round(ade(errors), 3), round(fde(errors), 3), len(errors)) == two[scene]
    assert np.mean(found[2], 0).round(3).tolist() == [0.520, 1.141]
    assert np.mean(found[1], 0).round(3).tolist() == [0.534, 1.148]
