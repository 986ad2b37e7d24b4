"""The vocabulary of one side or of both: subwords, characters, or symbols separated by spaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from recurra.errors import DamagedModelError

PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3
"""Numbers of the pieces that are no text; every vocabulary has them in these places."""

NO_WORD = -1
"""In place of a word's number, for a piece that belongs to no word."""

SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")
Units = Literal["subwords", "characters", "symbols"]
Blob = npt.NDArray[np.uint8]


class Pieces(Protocol):
    """A text as piece numbers and back."""

    def __len__(self) -> int:
        """Pieces, those that are no text included."""

    def encode(self, text: str) -> list[int]:
        """The pieces of a text; UNKNOWN for what was never seen, neither BEGIN nor END."""

    def decode(self, numbers: Sequence[int]) -> str:
        """The text of pieces; those that are no text are passed over."""

    def piece(self, number: int) -> str:
        """A piece as it is written."""

    def starts_word(self, number: int) -> bool:
        """Whether a piece begins a new word."""

    def parts_words(self, number: int) -> bool:
        """Whether a piece stands between words and belongs to none."""

    def spelling(self, number: int) -> str:
        """A piece as it stands in `spell`'s texts; "" for those that are no text."""

    def spell(self, text: str) -> str:
        """A text, or the beginning of one, as the vocabulary writes it: the spellings of its pieces joined."""

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""

    def to_blob(self) -> Blob | None:
        """What does not fit into plain values, as bytes."""


@dataclass(frozen=True)
class PieceOptions:
    """How a vocabulary is made.

    Args:
        units: "subwords" (sentencepiece), "characters", or "symbols" separated by spaces.
        size: pieces of a subword vocabulary at most; smaller where the texts hold fewer.
        method: of sentencepiece, "bpe" or "unigram".
    """

    units: Units = "subwords"
    size: int = 8000
    method: Literal["bpe", "unigram"] = "bpe"


def build_pieces(texts: Sequence[str], options: PieceOptions) -> Pieces:
    """Learn a vocabulary from texts: those of the training part, and nothing else.

    Raises:
        TableError: the texts hold nothing to learn from.
        MissingExtraError: subwords are asked for and sentencepiece is not installed.
    """
    if options.units == "subwords":
        from recurra.data.text.subwords import SubwordPieces

        return SubwordPieces.learn(texts, options.size, options.method)
    from recurra.data.text.symbols import SymbolPieces

    return SymbolPieces.learn(texts, options.units)


def pieces_from_saved(config: Mapping[str, Any], blob: Blob | None) -> Pieces:
    """The vocabulary that `to_config` and `to_blob` described.

    Raises:
        DamagedModelError: the description is not one of ours.
    """
    from recurra.data.text.subwords import SubwordPieces
    from recurra.data.text.symbols import SymbolPieces

    units = config.get("units")
    if units == "subwords" and blob is not None:
        return SubwordPieces(blob.tobytes())
    if units in ("characters", "symbols"):
        return SymbolPieces(tuple(config["symbols"]), units)
    raise DamagedModelError(f"the model's vocabulary of units {units!r} is not known or not whole; save it anew")


def words_of(numbers: Sequence[int], pieces: Pieces) -> list[int]:
    """Which word each piece belongs to, counted from 0; NO_WORD for a piece between words, such as a space."""
    words, word, apart = [], -1, True
    for number in numbers:
        between = pieces.parts_words(number)
        word += not between and (apart or pieces.starts_word(number))
        words.append(NO_WORD if between else word)
        apart = between
    return words
