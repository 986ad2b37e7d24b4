"""Error rates by hand, and the distance against its definition."""

import functools

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.metrics import character_error_rate, edits, word_error_rate


def test_rates_count_over_all_pairs() -> None:
    """Expected by hand: 1 wrong of 3 words and 2 of 1, so 3 of 4."""
    assert word_error_rate(["one two three", "four"], ["one two tree", "for a"]) == pytest.approx(0.75)
    assert character_error_rate(["ab  c"], ["ab c"]) == 0.0
    assert character_error_rate(["abc"], ["abcd"]) == pytest.approx(1 / 3)


def test_the_distance_is_its_definition() -> None:
    """Expected: the recursive definition."""

    @functools.cache
    def distance(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0]))

    rng = np.random.default_rng(2)
    for _ in range(40):
        a, b = ("".join(rng.choice(list("abc"), rng.integers(0, 8))) for _ in range(2))
        assert edits([a], [b]) == [(distance(a, b), len(a))]


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(ShapeError, match="one by one"):
        word_error_rate(["a"], [])
    with pytest.raises(ShapeError, match="empty"):
        word_error_rate([""], ["a"])
