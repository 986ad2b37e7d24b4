"""How texts are searched for in a recogniser's scores: best path, or beam search with a language model."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data.audio import Alphabet
from recurra.decoding import BeamDecoder, Emission, GreedyDecoder, NGramModel, WordScorer
from recurra.errors import ConfigError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decoding:
    """Settings of the search.

    Args:
        beam_width: texts that prefix beam search keeps; 0 for the best path.
        language_model: n-gram model of words, for beam search.
        weight: of its log probabilities, 0 or more; at 0 it only says which words there are.
        bonus: added for each word.
        closed: whether only its words may be written. If not, a word that it does not know counts as a tenth of its
            rarest word, or as its <unk> if it has one.

    Raises:
        ConfigError: a setting is wrong, or has no effect.
    """

    beam_width: int = 0
    language_model: NGramModel | None = None
    weight: float = 0.5
    bonus: float = 0.0
    closed: bool = False

    def __post_init__(self) -> None:
        if self.beam_width < 0:
            raise ConfigError(f"beam_width={self.beam_width} must be 0 or more")
        if self.language_model is not None and not self.beam_width:
            raise ConfigError("a language model needs beam search: set beam_width, such as 16")
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"weight={self.weight} of the language model must be a number of 0 or more")
        if not math.isfinite(self.bonus):
            raise ConfigError(f"bonus={self.bonus} must be a finite number")
        if self.closed and self.language_model is None:
            raise ConfigError("closed=True holds texts to a language model's words: give a language_model")

    def beam(self, alphabet: Alphabet) -> BeamDecoder:
        """A beam decoder at its beginning.

        Raises:
            ConfigError: the alphabet can write no word of the language model.
        """
        model = self.language_model
        if model is None:
            return BeamDecoder(self.beam_width)
        require_writable(model, alphabet)
        whole = alphabet.units != "characters"
        scorer = WordScorer(model, alphabet.symbols, alphabet.space, self.weight, self.bonus, self.closed, whole)
        return BeamDecoder(self.beam_width, scorer)


def require_writable(model: NGramModel, alphabet: Alphabet) -> None:
    """Refuse a language model of which an alphabet can write no word, as one in capitals.

    Raises:
        ConfigError: it can write none.
    """
    symbols, spelled = frozenset(alphabet.symbols), alphabet.units == "characters"
    if not any(symbols.issuperset(word if spelled else (word,)) for word in model.words):
        words, units = sorted(model.words)[:3], " ".join(alphabet.symbols[:20])
        raise ConfigError(
            f"the language model has no word that this model can write: its words are {', '.join(words)} ..., the "
            f"{alphabet.units} are {units}; write both in the same case and spelling"
        )


def decode(scores: Array, decoding: Decoding, alphabet: Alphabet) -> list[Emission]:
    """The units in log probabilities [steps, units], and where they were said."""
    decoder = UnitDecoder(decoding, alphabet)
    decoder.push(scores)
    return decoder.finish()


class UnitDecoder:
    """Takes log probabilities in pieces of any size; gives units so far, and at the end.

    Args:
        decoding: settings.
        alphabet: the units.
    """

    def __init__(self, decoding: Decoding, alphabet: Alphabet) -> None:
        self._path = GreedyDecoder()
        self._beam = decoding.beam(alphabet) if decoding.beam_width else None

    def push(self, scores: Array) -> None:
        """More steps, [steps, units]."""
        self._path.push(scores)
        if self._beam is not None:
            self._beam.push(scores)

    @property
    def last_heard(self) -> int | None:
        """The last step whose likeliest unit was not the blank; None if there was none."""
        return self._path.emissions[-1].last if self._path.emissions else None

    @property
    def steps(self) -> int:
        """Steps so far."""
        return self._path.steps

    def units(self) -> list[Emission]:
        """The units so far; under beam search later steps may change them, and their places with them."""
        return self._path.emissions if self._beam is None else self._beam.emissions

    def finish(self) -> list[Emission]:
        """The units, now that no more steps come."""
        return self._path.emissions if self._beam is None else self._beam.finished()
