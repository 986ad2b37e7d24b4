"""Conformal calibration: margins, one for each step ahead and level, that held-out forecasts would have needed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurra.data.preparation.reference import Array


@dataclass(frozen=True)
class Conformal:
    """What is added to quantiles so that held-out values lie below them as often as their levels say.

    Args:
        levels: increasing quantile levels.
        margins: in units of each origin's step scale, zero at the median, [horizon, levels].
        origins: held-out origins that the margins come from.
    """

    levels: tuple[float, ...]
    margins: Array
    origins: int

    @classmethod
    def fit(cls, levels: Sequence[float], quantiles: Array, actual: Array, step: Array) -> "Conformal":
        """Margins from held-out forecasts.

        With scores e = (y - q) / step of n held-out values, the margin of a level above one half is the
        ceil((n + 1) level)-th smallest score, that of one below it the floor((n + 1) level)-th; the largest or smallest
        one where there are too few. Were the windows exchangeable, at least `level` of later values would lie below an
        upper quantile so moved; windows of a series are so only nearly.

        Args:
            levels: increasing.
            quantiles: [origins, horizon, levels].
            actual: what came, NaN where unknown, [origins, horizon].
            step: step scale of each origin, [origins].

        Source: Romano, Patterson & Candès 2019, theorem 2.
        """
        scores = (actual[:, :, None] - quantiles) / step[:, None, None]
        margins = np.zeros(scores.shape[1:])
        for k in range(scores.shape[1]):
            for i, level in enumerate(levels):
                known = np.sort(scores[:, k, i][~np.isnan(scores[:, k, i])])
                if level != 0.5 and len(known):
                    margins[k, i] = known[_place(level, len(known))]
        return cls(tuple(levels), margins, int((~np.isnan(actual)).any(axis=1).sum()))

    def apply(self, quantiles: Array, step: Array) -> Array:
        """Quantiles with their margins, pushed outwards from the median where they would cross.

        Args:
            quantiles: [n, steps, levels] with at most as many steps as there are margins.
            step: [n].
        """
        moved = quantiles + step[:, None, None] * self.margins[: quantiles.shape[1]]
        middle = min(range(len(self.levels)), key=lambda i: abs(self.levels[i] - 0.5))
        moved[..., middle:] = np.maximum.accumulate(moved[..., middle:], axis=-1)
        moved[..., : middle + 1] = np.minimum.accumulate(moved[..., middle::-1], axis=-1)[..., ::-1]
        return moved


def _place(level: float, n: int) -> int:
    """Position of a level's margin among n sorted scores, from 0."""
    place = math.ceil((n + 1) * level) if level > 0.5 else math.floor((n + 1) * level)
    return min(max(place, 1), n) - 1
