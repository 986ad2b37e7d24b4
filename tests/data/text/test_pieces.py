"""Vocabularies: texts go through them and back, what was never seen is unknown, and they survive a model folder."""

from typing import Any

import numpy as np
import pytest

from recurra.data.text import PieceOptions, SubwordPieces, build_pieces, pieces_from_saved, words_of
from recurra.data.text.pieces import SPECIAL, UNKNOWN
from recurra.errors import ConfigError, DamagedModelError, TableError

TEXTS = ["a dog runs in the park", "two dogs run", "the park is green and the dogs are in the park"] * 3
UNITS = ["subwords", "characters", "symbols"]


def learned(units: Any, size: int = 40) -> Any:
    return build_pieces(TEXTS, PieceOptions(units, size))


@pytest.mark.parametrize("units", UNITS)
def test_a_text_goes_there_and_back(units: str) -> None:
    pieces = learned(units)
    for text in TEXTS:
        numbers = pieces.encode(text)
        assert min(numbers) >= len(SPECIAL)
        assert max(numbers) < len(pieces)
        assert pieces.decode(numbers) == text
        assert pieces.decode([2, *numbers, 3, 0, 0]) == text


@pytest.mark.parametrize("units", UNITS)
def test_what_was_never_seen_is_unknown(units: str) -> None:
    # expected: no text of the training part holds an X
    assert UNKNOWN in learned(units).encode("X dog")
    assert learned(units).encode("") == []


@pytest.mark.parametrize("units", UNITS)
def test_a_vocabulary_goes_through_a_folder(units: str) -> None:
    pieces = learned(units)
    again = pieces_from_saved(pieces.to_config(), pieces.to_blob())
    assert [again.piece(number) for number in range(len(pieces))] == [pieces.piece(n) for n in range(len(pieces))]
    assert again.encode(TEXTS[0]) == pieces.encode(TEXTS[0])


@pytest.mark.parametrize("units", UNITS)
def test_the_spellings_of_a_text_joined_are_the_text_spelled(units: str) -> None:
    pieces = learned(units)
    for text in TEXTS:
        joined = "".join(pieces.spelling(number) for number in pieces.encode(text))
        assert joined.rstrip() == pieces.spell(text)
    assert [pieces.spelling(number) for number in range(len(SPECIAL))] == [""] * len(SPECIAL)
    assert pieces.spell("a dog ").startswith(pieces.spell("a dog"))
    assert len(pieces.spell("a dog ")) == len(pieces.spell("a dog")) + 1


def test_pieces_belong_to_words() -> None:
    pieces = learned("subwords")
    numbers = pieces.encode("a dog runs")
    words = words_of(numbers, pieces)
    assert (words[0], words[-1]) == (0, 2)
    for word, text in enumerate(("a", "dog", "runs")):
        assert pieces.decode([n for n, at in zip(numbers, words, strict=True) if at == word]) == text
    assert words_of(learned("symbols").encode("a dog runs"), learned("symbols")) == [0, 1, 2]
    assert words_of([], pieces) == []


def test_words_of_characters_lie_between_spaces() -> None:
    characters = learned("characters")
    assert words_of(characters.encode(" a  dog"), characters) == [-1, 0, -1, -1, 1, 1, 1]
    letters = build_pieces(["dog"], PieceOptions("characters"))  # no space among them: each is a word, as symbols are
    assert words_of(letters.encode("god"), letters) == [0, 1, 2]


def test_nothing_can_be_learned_from_nothing() -> None:
    for units in UNITS:
        with pytest.raises(TableError, match="nothing to learn"):
            build_pieces(["", "  "] if units != "characters" else [""], PieceOptions(units))  # type: ignore[arg-type]


def test_a_vocabulary_smaller_than_the_alphabet_is_refused() -> None:
    with pytest.raises(ConfigError, match="no subword vocabulary of 8 pieces"):
        learned("subwords", 8)


def test_a_damaged_vocabulary_is_refused() -> None:
    with pytest.raises(DamagedModelError):
        SubwordPieces(b"not a model")
    with pytest.raises(DamagedModelError, match="units 'runes'"):
        pieces_from_saved({"units": "runes"}, None)
    with pytest.raises(DamagedModelError, match="not whole"):
        pieces_from_saved({"units": "subwords"}, None)


def test_the_same_texts_give_the_same_subwords() -> None:
    np.testing.assert_array_equal(learned("subwords").to_blob(), learned("subwords").to_blob())
