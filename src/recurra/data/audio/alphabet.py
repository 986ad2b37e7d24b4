"""The units that a recogniser writes: characters, phonemes or words, and their numbers; 0 is CTC's blank."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, get_args

from recurra.errors import ConfigError, TranscriptError

Units = Literal["characters", "words", "phonemes"]
BLANK = 0


class Alphabet:
    """Units in a fixed order, numbered from 1; number 0 is the blank that CTC puts between them.

    Characters are those of the text, the space between words among them. Words and phonemes are what spaces part.

    Args:
        symbols: the units, without the blank.
        units: what they are.

    >>> Alphabet(["no", "yes"], "words").encode("yes no  yes")
    [2, 1, 2]
    """

    def __init__(self, symbols: Sequence[str], units: Units = "characters") -> None:
        if units not in get_args(Units):
            raise ConfigError(f"units={units!r} is unknown; choose from {', '.join(get_args(Units))}")
        if not symbols or len(set(symbols)) != len(symbols):
            raise ConfigError("an alphabet needs at least one unit, and none twice")
        self.symbols, self.units = tuple(symbols), units
        self._numbers = {symbol: i for i, symbol in enumerate(self.symbols, start=1)}

    def __len__(self) -> int:
        """Units, the blank not counted."""
        return len(self.symbols)

    @classmethod
    def of(cls, texts: Iterable[str], units: Units = "characters") -> "Alphabet":
        """All units of some texts, in order of their code points."""
        return cls(sorted({unit for text in texts for unit in split_units(text, units)}), units)

    @property
    def space(self) -> int | None:
        """The number of the unit that parts words; None where every unit is a word of its own."""
        return self._numbers.get(" ") if self.units == "characters" else None

    def encode(self, text: str, place: str = "the text") -> list[int]:
        """The numbers of a text's units; spaces at its ends, and more than one between words, do not count.

        Raises:
            TranscriptError: for a unit outside the alphabet; names it.
        """
        units = split_units(text, self.units)
        unknown = [unit for unit in units if unit not in self._numbers]
        if unknown:
            known = " ".join(repr(symbol)[1:-1] for symbol in self.symbols[:40])
            raise TranscriptError(
                f"{place}: {unknown[0]!r} is not in the alphabet of {len(self)} {self.units} ({known}); "
                "correct the transcript, or name an alphabet that has it"
            )
        return [self._numbers[unit] for unit in units]

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of some units; blanks are left out."""
        chosen = [self.symbols[number - 1] for number in numbers if number != BLANK]
        return ("" if self.units == "characters" else " ").join(chosen)

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {"symbols": list(self.symbols), "units": self.units}

    @classmethod
    def from_saved(cls, config: Mapping[str, Any]) -> "Alphabet":
        """The alphabet that was saved."""
        return cls(config["symbols"], config["units"])


def split_units(text: str, units: Units) -> list[str]:
    """A text's units."""
    words = text.split()
    return list(" ".join(words)) if units == "characters" else words


def frames_needed(units: Sequence[int]) -> int:
    """Frames that CTC needs for some units: one each, and a blank between equal neighbours."""
    return len(units) + sum(a == b for a, b in pairwise(units))
