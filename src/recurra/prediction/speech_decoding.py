"""How texts are searched for in a recogniser's scores: best path, or beam search with a language model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.data.audio import Alphabet
from recurra.decoding import BeamDecoder, Emission, GreedyDecoder, NGramModel, WordScorer, align
from recurra.errors import ConfigError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decoding:
    """Settings of the search.

    Args:
        beam_width: texts that prefix beam search keeps; 0 for the best path.
        language_model: n-gram model of words, for beam search.
        weight: of its log probabilities.
        bonus: added for each word.
        closed: whether only its words may be written.
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

    def beam(self, alphabet: Alphabet) -> BeamDecoder:
        """A beam decoder at its beginning."""
        scorer = None
        if self.language_model is not None:
            scorer = WordScorer(
                self.language_model, alphabet.symbols, alphabet.space, self.weight, self.bonus, self.closed
            )
        return BeamDecoder(self.beam_width, scorer)


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
        self._scores: list[Array] = []
        self._placed: tuple[list[int], list[Emission]] = ([], [])

    def push(self, scores: Array) -> None:
        """More steps, [steps, units]."""
        self._path.push(scores)
        if self._beam is not None:
            self._beam.push(scores)
            self._scores.append(scores)

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
        if self._beam is None:
            return self._path.emissions
        units = self._beam.units
        if units != self._placed[0]:
            self._placed = (units, self._aligned(units))
        return self._placed[1]

    def finish(self) -> list[Emission]:
        """The units, now that no more steps come."""
        return self._path.emissions if self._beam is None else self._aligned(self._beam.finish())

    def _aligned(self, units: list[int]) -> list[Emission]:
        return align(np.concatenate(self._scores), units) if units else []
