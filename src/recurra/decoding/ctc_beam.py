"""Prefix beam search: the likeliest text, summed over all ways to align it, and the likeliest way; language models."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recurra.decoding.ctc_greedy import Array, Emission
from recurra.decoding.ctc_words import WordScorer, WordState

NEVER = -math.inf
BEGINNING = WordState()


class _Heard(NamedTuple):
    """The last unit of an alignment, its steps and highest log probability in them, and what was heard before."""

    unit: int
    first: int
    last: int
    score: float
    before: "_Heard | None"

    def again(self, step: int, score: float) -> "_Heard":
        """The same unit at one more step."""
        return _Heard(self.unit, self.first, step, max(self.score, score), self.before)


class _Way(NamedTuple):
    """One alignment of a text: its log probability, and what was heard when."""

    score: float = NEVER
    heard: _Heard | None = None


NO_WAY = _Way()


@dataclass(slots=True)
class _Prefix:
    """A text so far: probability of its alignments that end in a blank, of those that do not, and what words add.

    Of both kinds the likeliest alignment is kept too.
    """

    blank: float = NEVER
    unit: float = NEVER
    words: float = 0.0
    state: WordState = BEGINNING
    best_blank: _Way = NO_WAY
    best_unit: _Way = NO_WAY

    @property
    def acoustic(self) -> float:
        return log_add(self.blank, self.unit)

    @property
    def total(self) -> float:
        return self.acoustic + self.words

    @property
    def best(self) -> _Way:
        return _likelier(self.best_unit, self.best_blank)

    @property
    def emissions(self) -> list[Emission]:
        found, heard = [], self.best.heard
        while heard is not None:
            found.append(Emission(heard.unit, heard.first, heard.last, math.exp(heard.score)))
            heard = heard.before
        return found[::-1]


def _likelier(a: _Way, b: _Way) -> _Way:
    return a if a.score >= b.score else b


class BeamDecoder:
    """Takes log probabilities step by step and keeps the best texts so far.

        p_b(l, t) = P(blank | t) (p_b(l, t-1) + p_n(l, t-1))
        p_n(l + c, t) = P(c | t) (p_b(l, t-1) + p_n(l, t-1) if c is not the last unit of l, else p_b(l, t-1))
        p_n(l, t) += P(last unit of l | t) p_n(l, t-1)                        (Graves & Jaitly 2014; Hannun et al. 2014)

    With max in place of the sums the same recursion keeps each text's likeliest alignment (Viterbi), so that memory
    grows with the texts, not with the steps.

    Args:
        width: texts that are kept.
        scorer: a language model of words, if any.
        least: units that are less likely than this at a step are not tried there.
    """

    def __init__(self, width: int = 16, scorer: WordScorer | None = None, least: float = 1e-4) -> None:
        self.width, self.scorer = width, scorer
        self._least = math.log(least)
        self._beam: dict[tuple[int, ...], _Prefix] = {(): _Prefix(blank=0.0, best_blank=_Way(0.0))}
        self.steps = 0

    def push(self, log_probabilities: Array) -> None:
        """More steps, [steps, units]; unit 0 is the blank."""
        for row in log_probabilities:
            self._step(row)
            self.steps += 1

    def _step(self, row: Array) -> None:
        blank = float(row[0])
        tried = [(int(u), float(row[u])) for u in np.flatnonzero(row >= self._least) if u]
        if not tried and blank < self._least:
            tried = [(int(u), float(row[u])) for u in np.argsort(row)[-2:] if u]
        after: dict[tuple[int, ...], _Prefix] = {}
        for text, old in self._beam.items():
            kept = after.get(text)
            if kept is None:
                kept = after[text] = _Prefix(words=old.words, state=old.state)
            kept.blank, best = old.acoustic + blank, old.best
            kept.best_blank = _Way(best.score + blank, best.heard)
            last = text[-1] if text else 0
            if last:
                self._repeat(kept, old, float(row[last]))
            for unit, score in tried:
                reached = (old.blank if unit == last else old.acoustic) + score
                if reached > NEVER:
                    self._extend(after, text, unit, reached, score)
        ranked = sorted(after.items(), key=lambda item: item[1].total, reverse=True)
        self._beam = dict(ranked[: self.width])

    def _repeat(self, kept: _Prefix, old: _Prefix, score: float) -> None:
        kept.unit = log_add(kept.unit, old.unit + score)
        heard, reached = old.best_unit.heard, old.best_unit.score + score
        if heard is not None and reached > kept.best_unit.score:
            kept.best_unit = _Way(reached, heard.again(self.steps, score))

    def _extend(
        self, after: dict[tuple[int, ...], _Prefix], text: tuple[int, ...], unit: int, reached: float, score: float
    ) -> None:
        longer, old = (*text, unit), self._beam[text]
        entry = after.get(longer)
        if entry is None:
            words, state = self._words(text, longer, unit)
            if words == NEVER:
                return
            entry = after[longer] = _Prefix(words=words, state=state)
        entry.unit = log_add(entry.unit, reached)
        way = old.best_blank if text and unit == text[-1] else old.best
        if way.score + score > entry.best_unit.score:
            entry.best_unit = _Way(way.score + score, _Heard(unit, self.steps, self.steps, score, way.heard))

    def _words(self, text: tuple[int, ...], longer: tuple[int, ...], unit: int) -> tuple[float, WordState]:
        if self.scorer is None:
            return 0.0, BEGINNING
        if longer in self._beam:
            return self._beam[longer].words, self._beam[longer].state
        old = self._beam[text]
        state, added = self.scorer.extend(old.state, unit)
        return old.words + added, state

    @property
    def units(self) -> list[int]:
        """The best text so far."""
        return list(max(self._beam.items(), key=lambda item: item[1].total)[0])

    @property
    def emissions(self) -> list[Emission]:
        """The units of the best text so far, and where they were said."""
        return max(self._beam.values(), key=lambda entry: entry.total).emissions

    def finish(self) -> list[int]:
        """The best text, now that it ends: its last word counts too."""
        return [emission.unit for emission in self.finished()]

    def finished(self) -> list[Emission]:
        """The units of that text, and where they were said.

        Where no text that is kept may end here, as every one is in the midst of a word that a closed vocabulary does
        not have, the likeliest one ends before that word.
        """
        entry = max(self._beam.values(), key=lambda entry: entry.total + self._ending(entry))
        if self.scorer is None or entry.total + self._ending(entry) > NEVER:
            return entry.emissions
        emissions = self.emissions
        return emissions[: self.scorer.complete([emission.unit for emission in emissions])]

    def _ending(self, entry: _Prefix) -> float:
        return 0.0 if self.scorer is None else self.scorer.finish(entry.state)

    def scores(self) -> Mapping[tuple[int, ...], float]:
        """Log probability of each text that is kept, without what words add."""
        return {text: entry.acoustic for text, entry in self._beam.items()}


def log_add(a: float, b: float) -> float:
    """log(e^a + e^b)."""
    if a < b:
        a, b = b, a
    return a if b == NEVER else a + math.log1p(math.exp(b - a))
