"""A vocabulary of characters, or of symbols separated by spaces."""

from collections.abc import Sequence
from typing import Any, Literal

from recurra.data.text.pieces import SPECIAL, UNKNOWN, Blob
from recurra.errors import TableError


class SymbolPieces:
    """Every character, or every symbol between spaces, is a piece.

    Args:
        symbols: the pieces that are text, in the order of their numbers.
        units: "characters" or "symbols".

    >>> pieces = SymbolPieces.learn(["K AE T", "T AE K"], "symbols")
    >>> pieces.decode(pieces.encode("T AE K AE"))
    'T AE K AE'
    """

    def __init__(self, symbols: Sequence[str], units: Literal["characters", "symbols"]) -> None:
        self.units: Literal["characters", "symbols"] = units
        self._symbols = (*SPECIAL, *symbols)
        self._numbers = {symbol: number for number, symbol in enumerate(symbols, start=len(SPECIAL))}
        self._spaces = {number for symbol, number in self._numbers.items() if symbol.isspace()}

    @classmethod
    def learn(cls, texts: Sequence[str], units: Literal["characters", "symbols"]) -> "SymbolPieces":
        """The symbols that occur in the texts, in the order of their code points.

        Raises:
            TableError: there are none.
        """
        found = {symbol for text in texts for symbol in (text if units == "characters" else text.split())}
        if not found:
            raise TableError("the texts are all empty; there is nothing to learn")
        return cls(sorted(found), units)

    def __len__(self) -> int:
        return len(self._symbols)

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's symbols; UNKNOWN for those never seen."""
        parts = text if self.units == "characters" else text.split()
        return [self._numbers.get(symbol, UNKNOWN) for symbol in parts]

    def decode(self, numbers: Sequence[int]) -> str:
        """The text again; pieces that are no text are passed over."""
        parts = [self._symbols[number] for number in numbers if number >= len(SPECIAL)]
        return ("" if self.units == "characters" else " ").join(parts)

    def piece(self, number: int) -> str:
        """A symbol as it is written."""
        return self._symbols[number]

    def starts_word(self, number: int) -> bool:
        """Every symbol is a word; so is a character, unless there is a space among them: then words lie between."""
        return not self._spaces and number >= 0

    def parts_words(self, number: int) -> bool:
        """Whether a character is a space."""
        return number in self._spaces

    def spelling(self, number: int) -> str:
        """A symbol, and the space after it where symbols are separated."""
        if number < len(SPECIAL):
            return ""
        return self._symbols[number] + ("" if self.units == "characters" else " ")

    def spell(self, text: str) -> str:
        """A beginning as `spelling` joins it; where symbols are separated, a space ends the last one."""
        if self.units == "characters":
            return text
        return " ".join(text.split()) + (" " if text.split() and text[-1].isspace() else "")

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {"units": self.units, "symbols": list(self._symbols[len(SPECIAL) :])}

    def to_blob(self) -> Blob | None:
        """Nothing: the plain values hold everything."""
        return None
