"""A forced beginning, given as text: it may end within a word, and any pieces that spell it are allowed."""

from collections.abc import Sequence

from recurra.errors import BadValueError


class Spellings:
    """How each piece of a vocabulary is spelled, to hold answers to a beginning.

    Args:
        spelled: the text of each piece as it stands within an answer; "" for those that are no text.
    """

    def __init__(self, spelled: Sequence[str]) -> None:
        self._spelled = tuple(spelled)
        self._numbers: dict[str, list[int]] = {}
        for number, text in enumerate(self._spelled):
            if text:
                self._numbers.setdefault(text, []).append(number)
        self._longest = max(map(len, self._numbers), default=0)
        self._allowed: dict[str, list[int]] = {}

    def check(self, beginning: str) -> None:
        """Refuse a beginning that the vocabulary cannot spell.

        Raises:
            BadValueError: no pieces spell it; the place where they end is named.
        """
        for begin in range(len(beginning) - 1, -1, -1):  # what comes after is known when it is asked for
            self.allowed(beginning[begin:])
        if beginning and not self.allowed(beginning):
            rest = beginning[self._reach(beginning) :]
            raise BadValueError(f"no piece of the vocabulary can spell the beginning from {rest!r} on; leave it out")

    def allowed(self, rest: str) -> list[int]:
        """The pieces that may come where `rest` is still to be spelled; what they leave of it can be spelled too."""
        if rest not in self._allowed:
            parts = (rest[:length] for length in range(1, min(self._longest, len(rest) - 1) + 1))
            fits = [part for part in parts if part in self._numbers and self.allowed(rest[len(part) :])]
            if len(rest) <= self._longest:
                fits += [text for text in self._numbers if text.startswith(rest)]
            self._allowed[rest] = [number for text in fits for number in self._numbers[text]]
        return self._allowed[rest]

    def after(self, rest: str, number: int) -> str:
        """What is still to be spelled after a piece; nothing after one that was not allowed."""
        text = self._spelled[number]
        return rest[len(text) :] if rest.startswith(text) else ""

    def _reach(self, beginning: str) -> int:
        """How far pieces can spell a beginning, in characters."""
        reached = {0}
        for begin in range(len(beginning)):
            if begin in reached:
                ends = range(begin + 1, min(begin + self._longest, len(beginning)) + 1)
                reached |= {end for end in ends if beginning[begin:end] in self._numbers}
        return max(reached)
