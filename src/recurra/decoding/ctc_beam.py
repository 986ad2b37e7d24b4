"""Prefix beam search: the likeliest text, summed over all ways to align it; takes a language model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recurra.decoding.ctc_greedy import Array
from recurra.decoding.ctc_words import WordScorer, WordState

NEVER = -math.inf
BEGINNING = WordState()


@dataclass(slots=True)
class _Prefix:
    """A text so far: probability of its alignments that end in a blank, of those that do not, and what words add."""

    blank: float = NEVER
    unit: float = NEVER
    words: float = 0.0
    state: WordState = BEGINNING

    @property
    def acoustic(self) -> float:
        return log_add(self.blank, self.unit)

    @property
    def total(self) -> float:
        return self.acoustic + self.words


class BeamDecoder:
    """Takes log probabilities step by step and keeps the best texts so far.

        p_b(l, t) = P(blank | t) (p_b(l, t-1) + p_n(l, t-1))
        p_n(l + c, t) = P(c | t) (p_b(l, t-1) + p_n(l, t-1) if c is not the last unit of l, else p_b(l, t-1))
        p_n(l, t) += P(last unit of l | t) p_n(l, t-1)                        (Graves & Jaitly 2014; Hannun et al. 2014)

    Args:
        width: texts that are kept.
        scorer: a language model of words, if any.
        least: units that are less likely than this at a step are not tried there.
    """

    def __init__(self, width: int = 16, scorer: WordScorer | None = None, least: float = 1e-4) -> None:
        self.width, self.scorer = width, scorer
        self._least = math.log(least)
        self._beam: dict[tuple[int, ...], _Prefix] = {(): _Prefix(blank=0.0)}
        self.steps = 0

    def push(self, log_probabilities: Array) -> None:
        """More steps, [steps, units]; unit 0 is the blank."""
        for row in log_probabilities:
            self._step(row)
        self.steps += len(log_probabilities)

    def _step(self, row: Array) -> None:
        blank = float(row[0])
        tried = [(int(u), float(row[u])) for u in np.flatnonzero(row >= self._least) if u]
        if not tried and blank < self._least:
            tried = [(int(u), float(row[u])) for u in np.argsort(row)[-2:] if u]
        after: dict[tuple[int, ...], _Prefix] = {}
        for text, old in self._beam.items():
            kept = after.setdefault(text, _Prefix(words=old.words, state=old.state))
            kept.blank = log_add(kept.blank, old.acoustic + blank)
            last = text[-1] if text else 0
            if last:
                kept.unit = log_add(kept.unit, old.unit + float(row[last]))
            for unit, score in tried:
                reached = (old.blank if unit == last else old.acoustic) + score
                if reached > NEVER:
                    self._extend(after, text, unit, reached)
        ranked = sorted(after.items(), key=lambda item: item[1].total, reverse=True)
        self._beam = dict(ranked[: self.width])

    def _extend(self, after: dict[tuple[int, ...], _Prefix], text: tuple[int, ...], unit: int, reached: float) -> None:
        longer = (*text, unit)
        entry = after.get(longer)
        if entry is None:
            words, state = self._words(text, longer, unit)
            if words == NEVER:
                return
            entry = after[longer] = _Prefix(words=words, state=state)
        entry.unit = log_add(entry.unit, reached)

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

    def finish(self) -> list[int]:
        """The best text, now that it ends: its last word counts too."""
        scores = {text: entry.total + self._ending(entry) for text, entry in self._beam.items()}
        return list(max(scores.items(), key=lambda item: item[1])[0])

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
