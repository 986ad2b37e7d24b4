"""Units and their numbers: texts go in and come out, strangers are refused by name."""

import pytest

from recurra.data.audio.alphabet import Alphabet, frames_needed
from recurra.errors import ConfigError, TranscriptError


@pytest.mark.parametrize(
    ("units", "text", "numbers"),
    [("characters", "AB  A", [2, 3, 1, 2]), ("words", "yes no yes", [2, 1, 2]), ("phonemes", "AH B AH", [1, 2, 1])],
)
def test_texts_come_back(units: str, text: str, numbers: list[int]) -> None:
    """Expected: numbers from 1 in the order of code points; runs of spaces are one."""
    alphabet = Alphabet.of([text], units)  # type: ignore[arg-type]
    assert alphabet.encode(text) == numbers
    assert alphabet.decode(numbers) == " ".join(text.split())
    assert Alphabet.from_saved(alphabet.to_config()).symbols == alphabet.symbols


def test_the_space_parts_words_of_characters_only() -> None:
    assert Alphabet.of(["A B"], "characters").space == 1
    assert Alphabet.of(["AB"], "characters").space is None
    assert Alphabet.of(["A B"], "words").space is None


def test_a_stranger_is_refused_by_name() -> None:
    with pytest.raises(TranscriptError, match=r"row 3: 'Ä' is not in the alphabet of 2 characters \(A B\)"):
        Alphabet(["A", "B"]).encode("AÄ", "row 3")


@pytest.mark.parametrize("symbols", [[], ["a", "a"]])
def test_an_alphabet_has_each_unit_once(symbols: list[str]) -> None:
    with pytest.raises(ConfigError, match="at least one unit"):
        Alphabet(symbols)
    with pytest.raises(ConfigError, match="units="):
        Alphabet(["a"], "syllables")  # type: ignore[arg-type]


def test_equal_neighbours_need_a_blank_between() -> None:
    assert [frames_needed(units) for units in ([], [1, 2], [1, 1, 1], [1, 2, 2])] == [0, 2, 5, 4]
