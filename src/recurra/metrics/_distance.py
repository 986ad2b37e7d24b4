"""Edit distance between two sequences."""

from collections.abc import Hashable, Sequence


def edit_distance(reference: Sequence[Hashable], found: Sequence[Hashable]) -> int:
    """Fewest insertions, deletions and substitutions that make `reference` of `found` (Levenshtein 1966).

    >>> edit_distance("seven", "eleven")
    2
    """
    row = list(range(len(found) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(found, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got))
    return row[-1]
