"""Range variances of a day, worked out by hand, and their mean over many simulated days."""

import numpy as np
import pytest

from recurra.data.market import garman_klass, parkinson, rogers_satchell


def test_a_day_that_only_rises():
    """O = L = 1, H = C = e^0.02: x = 2 percent; Parkinson x²/(4 ln 2), Garman-Klass x² (1.5 - 2 ln 2), Rogers 0."""
    one, top = np.array([1.0]), np.exp(np.array([0.02]))
    assert parkinson(top, one)[0] == pytest.approx(4 / (4 * np.log(2)))
    assert garman_klass(one, top, one, top)[0] == pytest.approx(4 * (1.5 - 2 * np.log(2)))
    assert rogers_satchell(one, top, one, top)[0] == pytest.approx(0.0, abs=1e-12)


def test_all_three_find_the_variance_of_a_random_walk(rng):
    """4,000 days of 2,000 steps with a variance of 1 percent squared; discrete steps miss a little of the range."""
    path = np.exp(0.01 * np.cumsum(rng.normal(size=(4000, 2000)) / np.sqrt(2000), axis=1))
    path = np.concatenate([np.ones((4000, 1)), path], axis=1)
    prices = path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]
    for found in (parkinson(*prices[1:3]), garman_klass(*prices), rogers_satchell(*prices)):
        assert found.mean() == pytest.approx(1.0, abs=0.06)
