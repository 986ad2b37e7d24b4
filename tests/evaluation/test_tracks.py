"""The report on paths: figures by hand, calibration of what is calibrated, and the verdict."""

import numpy as np
import pytest

from recurra.data.tracks import PathForecasts
from recurra.errors import ConfigError, ShapeError
from recurra.evaluation import Truth, best_of, compare_paths, density_ranks, log_density, report_tracks


def forecasts(path: np.ndarray, spread: float = 1.0, weights: tuple[float, ...] = (1.0,)) -> PathForecasts:
    """Paths [n, horizon, 2] with circles of one size around them, all components alike."""
    n, horizon, k = *path.shape[:2], len(weights)
    means = np.repeat(path[:, None], k, 1)
    factors = np.broadcast_to(spread * np.eye(2), (n, k, horizon, 2, 2))
    ids = tuple(range(n))
    return PathForecasts(
        ids,
        np.zeros((n, 2)),
        np.zeros(n),
        1.0,
        path,
        np.broadcast_to(np.array(weights), (n, k)),
        means,
        np.array(factors),
    )


def truth(offsets: np.ndarray) -> Truth:
    n = len(offsets)
    return Truth(offsets, np.arange(n), np.arange(n) // 2)


def test_ranks_are_uniform_where_the_distribution_is_right(rng: np.random.Generator) -> None:
    """Actual positions drawn from the claimed distribution: half of them lie in the region of one half."""
    path = np.zeros((3_000, 1, 2))
    actual = rng.normal(0, 2.0, path.shape)
    exact = density_ranks(forecasts(path, 2.0), actual)
    counted = density_ranks(forecasts(path, 2.0, (0.4, 0.6)), actual)
    for ranks in (exact, counted):
        assert np.quantile(ranks, [0.2, 0.5, 0.9]) == pytest.approx([0.2, 0.5, 0.9], abs=0.03)
    assert log_density(forecasts(path, 2.0), actual) == pytest.approx(
        log_density(forecasts(path, 2.0, (0.4, 0.6)), actual)
    )


def test_the_network_is_better_worse_or_no_better(rng: np.random.Generator) -> None:
    actual = rng.normal(0, 1.0, (60, 3, 2)) + 5.0
    near, far = actual + 0.1, actual + 1.0
    report = report_tracks({"network": forecasts(near), "rule": forecasts(far)}, truth(actual), usual=1.0)
    assert report.comparison.verdict == "better"
    assert report.improved["rule"] == 1.0
    assert report.scores["network"].ade == pytest.approx(0.1 * np.sqrt(2))
    assert report.scores["network"].miss_rate == 0.0
    other = report_tracks({"network": forecasts(far), "rule": forecasts(near)}, truth(actual), usual=1.0)
    assert other.comparison.verdict == "worse"
    tie = report_tracks({"network": forecasts(near), "rule": forecasts(near)}, truth(actual), usual=1.0)
    assert "a tie" in tie.sentence


def test_windows_of_one_object_are_no_independent_evidence(rng: np.random.Generator) -> None:
    """The interval over 5 objects with 40 windows each is wider than over 200 objects."""
    errors, rule = rng.uniform(0, 1, (200, 2)), rng.uniform(0.2, 1.2, (200, 2))
    errors += np.repeat(rng.normal(0, 0.5, 5), 40)[:, None]
    few = compare_paths(errors, rule, np.repeat(np.arange(5), 40), "rule").interval
    many = compare_paths(errors, rule, np.arange(200), "rule").interval
    assert few.upper - few.lower > 2 * (many.upper - many.lower)
    assert few.blocks == 5


def test_more_futures_come_nearer(rng: np.random.Generator) -> None:
    actual = rng.normal(0, 1.0, (100, 3, 2))
    answer = forecasts(np.zeros((100, 3, 2)))
    few, many = best_of(answer, truth(actual), 2), best_of(answer, truth(actual), 40)
    assert many["draws"].ade < few["draws"].ade
    assert many["draws"].ade <= many["draws"].ade_scene


def test_what_cannot_be_scored_is_refused() -> None:
    path = np.zeros((3, 2, 2))
    with pytest.raises(ConfigError, match="a rule beside it"):
        report_tracks({"network": forecasts(path)}, truth(path), usual=1.0)
    with pytest.raises(ShapeError, match="predicts"):
        report_tracks({"network": forecasts(path), "rule": forecasts(path[:2])}, truth(path), usual=1.0)
