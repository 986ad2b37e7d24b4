"""Words on units: what a word adds, and which may be begun."""

import math

import pytest

from recurra.decoding import NGramModel, WordScorer, WordState

BIGRAMS = NGramModel(
    {
        ("<s>",): (-99.0, -0.5), ("</s>",): (-1.0, 0.0), ("no",): (-0.5, -0.2), ("on",): (-0.7, 0.0),
        ("<s>", "no"): (-0.1, 0.0), ("no", "on"): (-0.3, 0.0),
    },
    2,
)  # fmt: skip
LN10 = math.log(10)


def test_words_of_characters_count_at_the_space() -> None:
    """Expected: weight * ln P(no | <s>) + bonus = 0.5 * -0.1 ln 10 + 2 at the space, nothing before."""
    scorer = WordScorer(BIGRAMS, (" ", "n", "o"), 1, weight=0.5, bonus=2.0)
    state, total = WordState(), 0.0
    for unit in (2, 3):
        state, added = scorer.extend(state, unit)
        total += added
    assert total == 0.0
    assert state.begun == "no"
    state, added = scorer.extend(state, 1)
    assert added == pytest.approx(0.5 * -0.1 * LN10 + 2.0)
    assert state == WordState(("no",), "")
    assert scorer.extend(state, 1)[1] == -math.inf
    assert scorer.finish(state) == pytest.approx(0.5 * (-0.2 - 1.0) * LN10)


def test_words_as_units_count_at_once() -> None:
    scorer = WordScorer(BIGRAMS, ("no", "on"), None, weight=1.0)
    state, added = scorer.extend(WordState(), 1)
    assert added == pytest.approx(-0.1 * LN10)
    assert scorer.extend(state, 2)[1] == pytest.approx(-0.3 * LN10)


def test_a_closed_vocabulary_begins_its_words_only() -> None:
    scorer = WordScorer(BIGRAMS, (" ", "n", "o"), 1, closed=True)
    state, added = scorer.extend(WordState(), 2)
    assert added == 0.0
    assert scorer.extend(state, 2)[1] == -math.inf
    assert scorer.extend(state, 1)[1] == -math.inf
    assert scorer.finish(state) == -math.inf


def test_a_word_without_probability_gets_the_floor() -> None:
    """Expected by hand: a tenth of the rarest word's 10^-0.7."""
    scorer = WordScorer(BIGRAMS, ("no", "oo"), None, weight=1.0)
    assert scorer.extend(WordState(), 2)[1] == pytest.approx(-1.7 * LN10)
