"""The copula: correlations that are known come back, ranks are even, and draws are a function of the generator."""

import numpy as np
import torch

from recurra.prediction.copula import Copula


def ranks_like(correlation, n, seed=0):
    z = np.random.default_rng(seed).multivariate_normal(np.zeros(len(correlation)), correlation, n)
    return torch.special.ndtr(torch.from_numpy(z)).numpy()


def test_known_correlations_come_back():
    true = np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.6], [0.3, 0.6, 1.0]])
    fitted = Copula.fit(ranks_like(true, 4000) ** 3, windows=4000)  # margins of any form do not matter
    np.testing.assert_allclose(fitted.correlation, true, atol=0.05)
    drawn = fitted.draw(np.random.default_rng(1), 4000, 3)
    np.testing.assert_allclose(np.corrcoef(torch.special.ndtri(torch.from_numpy(drawn)), rowvar=False), true, atol=0.05)


def test_few_windows_are_drawn_towards_a_random_walk():
    """Errors of a random walk at steps 1 and 4 correlate by sqrt(1 / 4)."""
    walk = Copula.like_random_walk(4).correlation
    assert walk[0, 3] == 0.5
    ranks = ranks_like(np.eye(4), 50)
    few, many = Copula.fit(ranks, windows=1.0), Copula.fit(ranks, windows=400.0)
    assert abs(few.correlation[0, 1] - walk[0, 1]) < 0.3 < abs(many.correlation[0, 1] - walk[0, 1])
    np.testing.assert_array_equal(Copula.fit(np.full((50, 4), np.nan), 1.0).correlation, walk)


def test_paths_are_drawn_independently_and_blocks_follow_each_other():
    """expected: one path alone is uniform over (0, 1): mean 1/2, variance 1/12."""
    walk = Copula.like_random_walk(3)
    alone = np.array([walk.draw(np.random.default_rng(seed), 1, 5)[0] for seed in range(2000)])
    np.testing.assert_allclose(alone.mean(axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(alone.var(axis=0), 1 / 12, atol=0.01)
    assert abs(np.corrcoef(alone[:, 0], alone[:, 3])[0, 1]) < 0.1


def test_every_step_has_even_ranks_where_they_are_spread():
    drawn = Copula.like_random_walk(3).draw_evenly(np.random.default_rng(0), 10, 8)
    assert drawn.shape == (10, 8)
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.repeat((np.arange(10)[:, None] + 0.5) / 10, 8, axis=1))
    again = Copula.like_random_walk(3).draw_evenly(np.random.default_rng(0), 10, 8)
    np.testing.assert_array_equal(drawn, again)


def test_mirrored_paths_have_opposite_ranks():
    drawn = Copula.like_random_walk(3).draw_evenly(np.random.default_rng(0), 10, 5)
    np.testing.assert_allclose(drawn[:5] + drawn[5:], 1.0)
