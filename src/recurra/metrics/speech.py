"""How wrong transcripts are: edits for each character, or word, of the reference."""

from collections.abc import Sequence

from recurra.errors import ShapeError
from recurra.metrics._distance import edit_distance


def character_error_rate(references: Sequence[str], found: Sequence[str]) -> float:
    """Edits between the characters of all pairs, divided by the characters of all references; spaces count.

        CER = sum_i distance(reference_i, found_i) / sum_i |reference_i|

    Runs of spaces count as one, spaces at the ends as none.

    Raises:
        ShapeError: if there are not as many texts as references, or the references are empty.

    >>> round(character_error_rate(["SEVEN"], ["ELEVEN"]), 3)
    0.4
    """
    return _rate([list(" ".join(text.split())) for text in references], [list(" ".join(t.split())) for t in found])


def word_error_rate(references: Sequence[str], found: Sequence[str]) -> float:
    """The same with words, which spaces part.

    Raises:
        ShapeError: if there are not as many texts as references, or the references are empty.

    >>> word_error_rate(["one two three four"], ["one too three"])
    0.5
    """
    return _rate([text.split() for text in references], [text.split() for text in found])


def edits(references: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """(edits, units of the reference) of each pair, for intervals over utterances."""
    if len(references) != len(found):
        raise ShapeError(f"{len(references)} references and {len(found)} texts cannot be compared one by one")
    return [(edit_distance(a, b), len(a)) for a, b in zip(references, found, strict=True)]


def _rate(references: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> float:
    pairs = edits(references, found)
    units = sum(count for _, count in pairs)
    if not units:
        raise ShapeError("the references are empty: there is nothing to count errors by")
    return sum(wrong for wrong, _ in pairs) / units
