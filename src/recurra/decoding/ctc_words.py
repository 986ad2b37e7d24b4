"""A language model of words on a decoder of units: scores words as they are completed, and says which may be begun."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recurra.decoding.language_model import BEGIN, END, NGramModel


@dataclass(frozen=True)
class WordState:
    """Where a text stands in the language model: the words that count, and the word that is being written."""

    before: tuple[str, ...] = (BEGIN,)
    begun: str = ""


class WordScorer:
    """log P(text) = sum over words of weight * log P(word | words before) + bonus.

    A word that has no probability in the model counts as the model's `floor`, unless the vocabulary is closed.

    Args:
        model: the language model.
        symbols: the text of each unit, the blank not counted.
        space: the unit that parts words, if there is one.
        weight: of the model's log probabilities.
        bonus: added for each word, against the model's liking for few words.
        closed: only the model's words may be written.
        whole_words: whether every unit is a word; if not, units between spaces make one. By default where `space` is
            None.
    """

    def __init__(
        self,
        model: NGramModel,
        symbols: tuple[str, ...],
        space: int | None,
        weight: float = 0.5,
        bonus: float = 0.0,
        closed: bool = False,
        whole_words: bool | None = None,
    ) -> None:
        self.model, self.symbols, self.space = model, symbols, space
        self.weight, self.bonus, self.closed = weight, bonus, closed
        self.whole_words = space is None if whole_words is None else whole_words

    def extend(self, state: WordState, unit: int) -> tuple[WordState, float]:
        """The state after one more unit, and what that adds to the score; minus infinity if it may not follow."""
        if self.whole_words:
            return self._complete(state, self.symbols[unit - 1])
        if unit == self.space:
            return self._complete(state, state.begun) if state.begun else (state, -math.inf)
        begun = state.begun + self.symbols[unit - 1]
        allowed = not self.closed or begun in self.model.beginnings
        return WordState(state.before, begun), 0.0 if allowed else -math.inf

    def finish(self, state: WordState) -> float:
        """What the end of the text adds: its last word, and the end itself."""
        added = 0.0
        if state.begun:
            state, added = self._complete(state, state.begun)
        end = self.model.log_probability(END, state.before)
        return added + (self.weight * end if math.isfinite(end) else 0.0)

    def complete(self, units: Sequence[int]) -> int:
        """How many of some units are left without the word at the end, which is not finished."""
        if self.whole_words:
            return len(units)
        return max((i for i, unit in enumerate(units) if unit == self.space), default=0)

    def _complete(self, state: WordState, word: str) -> tuple[WordState, float]:
        if self.closed and word not in self.model.words:
            return state, -math.inf
        log_p = self.model.log_probability(word, state.before)
        if log_p == -math.inf and not self.closed:
            log_p = self.model.floor
        kept = (*state.before, word)[-max(self.model.order - 1, 1) :]
        return WordState(kept), (self.weight * log_p if self.weight else 0.0) + self.bonus
