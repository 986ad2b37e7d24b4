"""Points that cover a distribution evenly."""

import numpy as np

from recurra.data.tracks.spreading import even_normals, even_points


def test_points_lie_evenly_in_every_part_of_the_cube() -> None:
    """Each eighth of the unit cube holds its share of 800 points, within 15 %."""
    points = even_points(800)
    eighth = (points > 0.5) @ np.array([1, 2, 4])
    assert np.bincount(eighth, minlength=8).min() > 85
    assert np.bincount(eighth, minlength=8).max() < 115


def test_the_pairs_have_the_moments_of_the_normal_distribution() -> None:
    pick, pairs = even_normals(500)
    assert np.abs(pairs.mean(0)).max() < 0.05
    assert np.abs(pairs.std(0) - 1.0).max() < 0.05
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.05
    assert (pick >= 0).all()
    assert (pick < 1).all()
