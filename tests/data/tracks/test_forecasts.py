"""Paths with their distribution: samples against moments, ellipses, tables."""

import numpy as np
import pytest

from recurra.data.tracks import Globe, PathForecasts, TrackColumns
from recurra.errors import ConfigError, ShapeError


def forecasts(correlation: float = 0.8) -> PathForecasts:
    """One object, two components, three steps."""
    means = np.array([[[[1.0, 0], [2, 0], [3, 0]], [[0, 1.0], [0, 2], [0, 3]]]])
    factor = np.array([[0.5, 0.0], [0.2, 0.3]])
    factors = np.broadcast_to(factor, (1, 2, 3, 2, 2)) * np.arange(1, 4)[None, None, :, None, None]
    weights = np.array([[0.7, 0.3]])
    path = np.einsum("nk,nkti->nti", weights, means)
    return PathForecasts(
        ("a",), np.array([[10.0, 20.0]]), np.array([5.0]), 1.0, path, weights, means, np.array(factors), correlation
    )


def test_draws_have_the_mean_and_covariance_that_are_claimed() -> None:
    """Expected: the moments of 20,000 draws, within their own sampling error."""
    answer = forecasts()
    drawn = answer.futures(20_000)[0]
    assert np.allclose(drawn.mean(0), answer.path[0], atol=0.05)
    for step in range(3):
        assert np.allclose(np.cov(drawn[:, step].T), answer.covariance[0, step], atol=0.1)


def test_misses_of_a_draw_hang_together_over_the_steps() -> None:
    """Expected: within a component the standardised misses of neighbouring steps correlate by rho."""
    answer = forecasts(0.8)
    drawn = answer.futures(20_000)[0]
    first = drawn[:, 0, 0] > 0.5 * drawn[:, 0, 1] + 0.25  # mostly the component that goes to the east
    z = (drawn - np.array([[1, 0], [2, 0], [3, 0]]))[first][:, :, 0] / (0.5 * np.arange(1, 4))
    assert np.corrcoef(z[:, 1], z[:, 2])[0, 1] == pytest.approx(0.8, abs=0.06)


def test_spread_futures_take_components_by_their_shares() -> None:
    spread = forecasts().futures(200, how="spread")[0]
    assert np.allclose(spread.mean(0), forecasts().path[0], atol=0.15)
    assert np.array_equal(spread, forecasts().futures(200, seed=9, how="spread")[0])


def test_ellipses_hold_the_share_that_they_claim() -> None:
    """The 80 % ellipse of a component against 20,000 draws of a single component."""
    one = forecasts()
    alone = PathForecasts(
        one.ids,
        one.origin,
        one.origin_time,
        1.0,
        one.means[:, 0],
        np.ones((1, 1)),
        one.means[:, :1],
        one.factors[:, :1],
    )
    drawn = alone.futures(20_000)[0, :, 1]
    z = np.linalg.solve(alone.factors[0, 0, 1], (drawn - alone.means[0, 0, 1]).T)
    outline = alone.ellipses(0.8)[0, 0, 1] - alone.origin[0] - alone.means[0, 0, 1]
    edge = np.linalg.solve(alone.factors[0, 0, 1], outline.T)
    radius = np.hypot(*edge)
    assert np.allclose(radius, radius[0])
    assert np.mean(np.hypot(*z) <= radius[0]) == pytest.approx(0.8, abs=0.01)


def test_tables_have_a_row_for_each_step_and_future() -> None:
    columns = forecasts().to_columns(TrackColumns(object="who"), futures=2)
    assert list(columns) == ["who", "future", "time", "step", "x", "y", "sd_x", "sd_y", "correlation"]
    assert columns["future"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert columns["time"][:3].tolist() == [6.0, 7.0, 8.0]
    assert columns["x"][:3] == pytest.approx([10.7, 11.4, 12.1])
    assert np.isnan(columns["sd_x"][3:]).all()
    rows = forecasts().to_rows()
    assert rows[0]["object"] == "a"
    assert rows[0]["sd_x"] == pytest.approx(np.sqrt(0.7 * 1.0 + 0.25 - 0.49))


def test_on_the_globe_positions_are_degrees() -> None:
    """By hand: 111.195 km to the east on the equator is a degree."""
    globe = PathForecasts(
        (1,), np.array([[179.5, 0.0]]), np.zeros(1), 1.0, np.array([[[111.19508, 0.0]]]), np.zeros((1, 0)),
        np.zeros((1, 0, 1, 2)), np.zeros((1, 0, 1, 2, 2)), space=Globe("km"),
    )  # fmt: skip
    assert globe.positions[0, 0] == pytest.approx([-179.5, 0.0], abs=1e-5)
    with pytest.raises(ConfigError, match="without a distribution"):
        globe.futures(3)


def test_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(ShapeError, match="origin"):
        PathForecasts(
            ("a",), np.zeros((2, 2)), np.zeros(1), 1.0, np.zeros((1, 3, 2)), np.zeros((1, 0)), np.zeros((1, 0, 3, 2)),
            np.zeros((1, 0, 3, 2, 2)),
        )  # fmt: skip
    with pytest.raises(ConfigError, match="counted from 1"):
        forecasts().futures(0)
