"""Student's t distribution for whole degrees of freedom, by finite sums: numpy has none and scipy is not asked for."""

import math

import numpy as np


def two_sided_p(statistic: float, dof: int) -> float:
    """P(|T| >= |statistic|) for T of Student's t with `dof` degrees of freedom.

    Source: Abramowitz & Stegun 1964, equations 26.7.3 and 26.7.4; absolute error below 1e-12.
    """
    theta = math.atan2(abs(statistic), math.sqrt(dof))
    cosine2 = math.cos(theta) ** 2
    if dof % 2:
        j = np.arange(2, dof - 2, 2)
        terms = np.cumprod(np.concatenate([[1.0], cosine2 * j / (j + 1.0)])) if dof > 1 else np.zeros(1)
        inside = 2.0 / math.pi * (theta + math.sin(theta) * math.cos(theta) * float(np.sum(terms)))
    else:
        j = np.arange(1, dof - 2, 2)
        terms = np.cumprod(np.concatenate([[1.0], cosine2 * j / (j + 1.0)]))
        inside = math.sin(theta) * float(np.sum(terms))
    return min(max(1.0 - inside, 0.0), 1.0)


def upper_quantile(tail: float, dof: int) -> float:
    """The t with P(T > t) = tail, for a tail from 1e-9 to 0.5; by bisection to 1e-12 of its size."""
    low, high = 0.0, 1.0
    while two_sided_p(high, dof) > 2.0 * tail:
        low, high = high, 2.0 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2.0
        low, high = (middle, high) if two_sided_p(middle, dof) > 2.0 * tail else (low, middle)
    return (low + high) / 2.0
