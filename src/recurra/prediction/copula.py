"""How the errors of a forecast hang together from step to step: a Gaussian copula of held-out hindcast ranks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.preparation.reference import Array

PRIOR_WINDOWS = 4.0
FEWEST_ORIGINS = 3
JITTER = 1e-6
FURTHEST = 1e-12
"""No rank is drawn nearer to 0 or 1: a path has a value at it."""


@dataclass(frozen=True)
class Copula:
    """Correlations of the steps ahead; what a path's ranks at its steps are drawn with.

    Args:
        correlation: of the normal scores of the ranks, positive definite, [horizon, horizon].
    """

    correlation: Array

    @classmethod
    def like_random_walk(cls, horizon: int) -> "Copula":
        """sqrt(k / l) between steps k <= l: the correlations of the errors of a random walk's last value."""
        steps = np.arange(1, horizon + 1, dtype=np.float64)
        return cls(np.sqrt(np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps)))

    @classmethod
    def fit(cls, ranks: Array, windows: float) -> "Copula":
        """Learn the correlations from where the held-out values lay in their forecasts.

        Each step's ranks are ranked among themselves, so that nothing but the dependence is learned. Where there are
        few windows that do not overlap, the correlations are drawn towards those of a random walk:
        R = (w R_seen + 4 R_walk) / (w + 4) with w the number of such windows.

        Args:
            ranks: probability integral transforms, NaN where a value is missing, [origins, horizon].
            windows: how many windows that do not overlap the origins amount to.
        """
        walk = cls.like_random_walk(ranks.shape[1])
        whole = ranks[~np.isnan(ranks).any(axis=1)]
        if len(whole) < FEWEST_ORIGINS or ranks.shape[1] == 1:
            return walk
        scores = _normal_scores(whole)
        seen = np.corrcoef(scores, rowvar=False)
        return cls((windows * seen + PRIOR_WINDOWS * walk.correlation) / (windows + PRIOR_WINDOWS))

    def draw(self, random: np.random.Generator, n_paths: int, steps: int) -> Array:
        """Ranks of paths drawn independently of each other, u = Phi(z) with z ~ N(0, R), [paths, steps].

        Blocks of `horizon` steps are drawn one after the other and do not depend on each other.

        Args:
            random: draws.
            n_paths: how many.
            steps: steps ahead.
        """
        ranks: Array = torch.special.ndtr(torch.from_numpy(self._scores(random, n_paths, steps))).numpy()
        return ranks.clip(FURTHEST, 1.0 - FURTHEST)

    def draw_evenly(self, random: np.random.Generator, n_paths: int, steps: int) -> Array:
        """Ranks of paths that are spread evenly over (0, 1) at each step, [paths, steps].

        The second half of the paths has the opposite ranks of the first, so that the middle of symmetric distributions
        is met exactly.

        Args:
            random: draws.
            n_paths: how many; an even number.
            steps: steps ahead.
        """
        scores = self._scores(random, n_paths // 2, steps)
        return (_places(np.concatenate([scores, -scores])) + 0.5) / n_paths

    def _scores(self, random: np.random.Generator, n_paths: int, steps: int) -> Array:
        horizon = len(self.correlation)
        factor = np.linalg.cholesky(self.correlation + JITTER * np.eye(horizon))
        blocks = [random.standard_normal((n_paths, horizon)) @ factor.T for _ in range(-(-steps // horizon))]
        scores: Array = np.concatenate(blocks, axis=1)[:, :steps]
        return scores


def _places(values: Array) -> npt.NDArray[np.int64]:
    """Place of each value in its column, from 0."""
    places: npt.NDArray[np.int64] = values.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return places


def _normal_scores(ranks: Array) -> Array:
    even = (_places(ranks) + 0.5) / len(ranks)
    scores: Array = torch.special.ndtri(torch.from_numpy(even)).numpy()
    return scores
