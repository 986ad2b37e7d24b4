"""Words from units: where they begin and end, how sure they are."""

import pytest

from recurra.data.audio import Alphabet
from recurra.decoding import Emission
from recurra.prediction.transcript import words_of


def test_characters_make_words_at_spaces() -> None:
    """Expected by hand: steps of 20 ms; the confidence is the geometric mean of 0.9 and 0.4."""
    alphabet = Alphabet([" ", "a", "b"], "characters")
    units = [Emission(2, 3, 4, 0.9), Emission(3, 6, 6, 0.4), Emission(1, 8, 8, 1.0), Emission(2, 10, 12, 0.5)]
    text, words = words_of(units, alphabet, 0.02, start_s=1.0)
    assert text == "ab a"
    assert [(w.text, w.start_s, w.end_s) for w in words] == [("ab", 1.06, 1.14), ("a", 1.2, 1.26)]
    assert words[0].confidence == pytest.approx(0.6)


@pytest.mark.parametrize("units", ["words", "phonemes"])
def test_other_units_are_words_of_their_own(units: str) -> None:
    alphabet = Alphabet(["no", "yes"], units)  # type: ignore[arg-type]
    text, words = words_of([Emission(2, 0, 0, 0.5), Emission(1, 2, 3, 0.25)], alphabet, 0.01)
    assert text == "yes no"
    assert [w.confidence for w in words] == [0.5, 0.25]


def test_spaces_alone_are_no_words() -> None:
    assert words_of([Emission(1, 0, 0, 0.5)], Alphabet([" ", "a"]), 0.01) == ("", ())
    assert words_of([], Alphabet(["a"]), 0.01) == ("", ())
