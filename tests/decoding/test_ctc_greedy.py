"""The best path: repeats merged, blanks dropped, the same in pieces."""

import numpy as np
import pytest

from recurra.decoding import Emission, GreedyDecoder, greedy


def scores(path: list[int], units: int = 4, sure: float = 0.7) -> np.ndarray:
    p = np.full((len(path), units), (1 - sure) / (units - 1))
    p[np.arange(len(path)), path] = sure
    return np.log(p)


def test_repeats_are_one_unit_unless_a_blank_is_between() -> None:
    """Expected by hand: 0 1 1 0 1 2 2 0 is 1, 1, 2."""
    found = greedy(scores([0, 1, 1, 0, 1, 2, 2, 0]))
    assert [(e.unit, e.first, e.last) for e in found] == [(1, 1, 2), (1, 4, 4), (2, 5, 6)]
    assert all(e.confidence == pytest.approx(0.7) for e in found)


def test_nothing_is_nothing() -> None:
    assert greedy(scores([0, 0, 0])) == []
    assert greedy(np.zeros((0, 4))) == []


@pytest.mark.parametrize("cuts", [[1] * 8, [3, 0, 5], [2, 2, 4]])
def test_pieces_give_the_same(cuts: list[int]) -> None:
    whole = scores([0, 1, 1, 0, 1, 2, 2, 0])
    decoder = GreedyDecoder()
    first = 0
    for n in cuts:
        decoder.push(whole[first : first + n])
        first += n
    assert decoder.emissions == greedy(whole)
    assert decoder.units == [1, 1, 2]


def test_confidence_is_the_highest_of_the_steps() -> None:
    log_p = np.log(np.array([[0.4, 0.6], [0.1, 0.9], [0.45, 0.55]]))
    assert greedy(log_p) == [Emission(1, 0, 2, pytest.approx(0.9))]
