"""BLEU against a sentence counted by hand, and shares of wrong answers."""

import math

import pytest

from recurra.errors import ConfigError, ShapeError
from recurra.metrics import bleu, wrong_answers


def test_bleu_is_the_papers_formula() -> None:
    """By hand: 5 of 6 words, 4 of 5 pairs, 3 of 4 triples and 2 of 3 quadruples are right; both have 6 words."""
    found = bleu(["the cat sat on the sofa"], ["the cat sat on the mat"])
    expected = 100 * math.prod((5 / 6, 4 / 5, 3 / 4, 2 / 3)) ** 0.25
    assert found.score == pytest.approx(expected)
    assert "tok:13a" in found.signature
    assert "case:mixed" in found.signature


def test_small_letters_and_the_tokeniser_are_in_the_signature() -> None:
    cased, lowered = (bleu(["A Dog runs far ."], ["a dog runs far ."], lowercase=lower) for lower in (False, True))
    assert (lowered.score, "case:lc" in lowered.signature) == (pytest.approx(100.0), True)
    assert cased.score < lowered.score
    assert "tok:none" in bleu(["a b c d"], ["a b c d"], tokenize="none").signature
    with pytest.raises(ConfigError, match="tokenize='mine'"):
        bleu(["a"], ["a"], tokenize="mine")


def test_wrong_answers_are_those_that_nobody_accepts() -> None:
    assert wrong_answers(["x", "y", "z", "x"], [["x"], ["a", "y"], ["a"], []]) == 0.5


def test_there_is_one_reference_for_each() -> None:
    for numbers in (([], []), (["a"], [])):
        with pytest.raises(ShapeError):
            bleu(*numbers)
        with pytest.raises(ShapeError):
            wrong_answers(*numbers)
