"""Prefix beam search against every path there is, and what a language model changes."""

import itertools
import math

import numpy as np
import pytest

from recurra.decoding import BeamDecoder, NGramModel, WordScorer, align


def by_enumeration(log_p: np.ndarray) -> dict[tuple[int, ...], float]:
    """Log probability of each text: the sum over all paths that give it."""
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        merged = tuple(unit for unit, _ in itertools.groupby(path) if unit)
        p = math.exp(sum(log_p[t, unit] for t, unit in enumerate(path)))
        totals[merged] = totals.get(merged, 0.0) + p
    return {text: math.log(p) for text, p in totals.items()}


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_the_likeliest_text_and_its_probability(seed: int) -> None:
    """Expected: enumeration of all 3^6 paths."""
    log_p = np.log(np.random.default_rng(seed).dirichlet(np.ones(3), 6))
    wanted = by_enumeration(log_p)
    decoder = BeamDecoder(1000, least=1e-12)
    decoder.push(log_p[:2])
    decoder.push(log_p[2:])
    assert tuple(decoder.units) == max(wanted, key=lambda text: wanted[text])
    assert tuple(decoder.finish()) == tuple(decoder.units)
    for text, score in decoder.scores().items():
        assert score == pytest.approx(wanted[text], abs=1e-9)


def test_the_sum_of_paths_beats_the_best_path() -> None:
    """Expected by hand: blank blank has 0.36, yet the three paths that give 1 have 0.64 (the classic example)."""
    decoder = BeamDecoder(4)
    decoder.push(np.log(np.array([[0.6, 0.4], [0.6, 0.4]])))
    assert decoder.units == [1]


WORDS = NGramModel({("<s>",): (-99.0, 0.0), ("</s>",): (-1.0, 0.0), ("AB",): (-0.1, 0.0), ("BA",): (-2.0, 0.0)}, 1)
SYMBOLS = (" ", "A", "B")


def letters(text: str, sure: float) -> np.ndarray:
    """A step for each letter with a blank after it; the rest of the probability on the other letters."""
    rows = []
    for letter in text:
        for unit in (SYMBOLS.index(letter) + 1, 0):
            row = np.full(4, (1 - sure) / 3)
            row[unit] = sure
            rows.append(row)
    return np.log(np.array(rows))


def test_a_closed_vocabulary_writes_its_words_only() -> None:
    scorer = WordScorer(WORDS, SYMBOLS, 1, weight=0.1, closed=True)
    decoder = BeamDecoder(50, scorer)
    decoder.push(letters("AA", 0.6))
    assert "".join(SYMBOLS[u - 1] for u in decoder.finish()) in ("AB", "BA", "")
    plain = BeamDecoder(50)
    plain.push(letters("AA", 0.6))
    assert plain.finish() == [2, 2]


def test_the_likelier_word_wins_where_sound_does_not_tell() -> None:
    """Expected: AB and BA are equally likely by sound; the model prefers AB by 10^1.9."""
    row = np.log(np.array([0.02, 0.02, 0.48, 0.48]))
    blank = np.log(np.array([0.94, 0.02, 0.02, 0.02]))
    decoder = BeamDecoder(50, WordScorer(WORDS, SYMBOLS, 1, weight=1.0, closed=True))
    decoder.push(np.stack([row, blank, row, blank]))
    assert decoder.finish() == [2, 3]


def test_a_bonus_makes_more_words() -> None:
    texts = []
    for bonus in (-5.0, 5.0):
        decoder = BeamDecoder(50, WordScorer(WORDS, SYMBOLS, 1, 0.1, bonus, closed=True))
        decoder.push(letters("AB AB", 0.45))
        texts.append("".join(SYMBOLS[u - 1] for u in decoder.finish()).split())
    assert len(texts[0]) < len(texts[1])


def test_a_step_without_any_likely_unit_is_survived() -> None:
    decoder = BeamDecoder(4, least=0.9)
    decoder.push(np.log(np.array([[0.2, 0.4, 0.4]])))
    assert len(decoder.units) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_the_likeliest_alignment_comes_with_the_text(seed: int) -> None:
    """Expected: Viterbi's path through the text that was found."""
    log_p = np.log(np.random.default_rng(seed).dirichlet(np.ones(3), 12))
    decoder = BeamDecoder(4000, least=1e-12)
    decoder.push(log_p)
    wanted = align(log_p, decoder.units)
    assert [(e.unit, e.first, e.last) for e in decoder.emissions] == [(e.unit, e.first, e.last) for e in wanted]
    for found, other in zip(decoder.emissions, wanted, strict=True):
        assert found.confidence == pytest.approx(other.confidence)


def test_a_closed_vocabulary_holds_at_the_end() -> None:
    """Expected: A begins the word AB, but is none; the text ends before it."""
    for text, left in (("AB A", "AB"), ("A", "")):
        decoder = BeamDecoder(1, WordScorer(WORDS, SYMBOLS, 1, closed=True))
        decoder.push(letters(text, 0.97))
        assert "".join(SYMBOLS[u - 1] for u in decoder.finish()) == left


def test_letters_without_a_space_make_one_word() -> None:
    for closed in (False, True):
        scorer = WordScorer(WORDS, ("?", "A", "B"), None, closed=closed, whole_words=False)
        decoder = BeamDecoder(8, scorer)
        decoder.push(letters("AB", 0.97))
        assert decoder.finish() == [2, 3]


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_an_unknown_word_is_rare_not_impossible(weight: float) -> None:
    """Expected: AA is none of the model's words, and clear enough to win against its tenth of the rarest word's."""
    decoder = BeamDecoder(8, WordScorer(WORDS, SYMBOLS, 1, weight))
    decoder.push(letters("AB AA", 0.97))
    assert "".join(SYMBOLS[u - 1] for u in decoder.finish()) == "AB AA"
