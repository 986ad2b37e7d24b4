"""What was said: the text, its words with their times and how sure they are."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recurra.data.audio import Alphabet
from recurra.decoding import Emission


@dataclass(frozen=True)
class Word:
    """One word.

    CTC says when a word's units were recognised, which is a peak within each, not how long it lasts.

    Attributes:
        text: the word.
        start_s: when its first unit was recognised, seconds.
        end_s: when its last one was.
        confidence: geometric mean of its units' probabilities.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What is said in one recording, or why it could not be used.

    Attributes:
        text: the text; empty for silence.
        words: its words.
        seconds: how long the recording is.
        name: the recording's name.
        blemishes: "silent", "clipped": it was used, but look at it.
        error: why it could not be used; None if it could.
    """

    text: str
    words: tuple[Word, ...]
    seconds: float
    name: str = "input"
    blemishes: tuple[str, ...] = ()
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def words_of(
    emissions: Sequence[Emission], alphabet: Alphabet, step_s: float, start_s: float = 0.0
) -> tuple[str, tuple[Word, ...]]:
    """Text and words of some units.

    Args:
        emissions: the units and their steps.
        alphabet: what they stand for.
        step_s: seconds from one step to the next.
        start_s: time of the first step.
    """
    groups: list[list[Emission]] = [[]]
    for emission in emissions:
        if emission.unit == alphabet.space:
            groups.append([])
        elif alphabet.units == "characters":
            groups[-1].append(emission)
        else:
            groups.append([emission])
    words = tuple(_word(group, alphabet, step_s, start_s) for group in groups if group)
    return " ".join(word.text for word in words), words


def _word(group: Sequence[Emission], alphabet: Alphabet, step_s: float, start_s: float) -> Word:
    mean = math.fsum(math.log(max(e.confidence, 1e-300)) for e in group) / len(group)
    begin, end = start_s + group[0].first * step_s, start_s + (group[-1].last + 1) * step_s
    return Word(alphabet.decode(e.unit for e in group), round(begin, 4), round(end, 4), round(math.exp(mean), 4))
