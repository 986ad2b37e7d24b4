"""Few points that cover a distribution evenly: a low-discrepancy sequence, and the normal quantiles of it."""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_GENERALISED_GOLDEN = 1.2207440846057596
"""The real root of x^4 = x + 1, for sequences of three numbers."""
_OUTERMOST = 0.01


def even_points(count: int) -> Floats:
    """Points in the unit cube that lie evenly for every count, [count, 3].

    Point i is the fractional part of 1/2 + i (1/g, 1/g², 1/g³).

    Source: Roberts 2018, "The unreasonable effectiveness of quasirandom sequences" (the R sequence).
    """
    steps = _GENERALISED_GOLDEN ** -np.arange(1.0, 4.0)
    return np.asarray((0.5 + np.arange(1, count + 1)[:, None] * steps) % 1.0)


def even_normals(count: int) -> tuple[Floats, Floats]:
    """Numbers to pick components by, [count], and pairs that cover the normal distribution evenly, [count, 2]."""
    points = even_points(count)
    normal = NormalDist()
    inner = np.clip(points[:, 1:], _OUTERMOST, 1.0 - _OUTERMOST)
    pairs = np.array([[normal.inv_cdf(value) for value in row] for row in inner]).reshape(count, 2)
    return points[:, 0], pairs
