"""A forced beginning, given as text: it may end within a word, and any pieces that spell it are allowed."""

from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.errors import BadValueError


class Spellings:
    """How each piece of a vocabulary is spelled, to hold answers to a beginning.

    Args:
        spelled: the text of each piece as it stands within an answer; "" for those that are no text.
    """

    def __init__(self, spelled: Sequence[str]) -> None:
        self._spelled = tuple(spelled)
        self._known: dict[str, Tensor] = {}

    def allowed(self, rest: str) -> Tensor:
        """Which pieces may come where `rest` is still to be spelled, [vocabulary].

        Raises:
            BadValueError: no piece can go on.
        """
        if rest not in self._known:
            fits = [bool(text) and (rest.startswith(text) or text.startswith(rest)) for text in self._spelled]
            if not any(fits):
                raise BadValueError(
                    f"no piece of the vocabulary can spell the beginning from {rest!r} on; leave it out"
                )
            self._known[rest] = torch.tensor(fits)
        return self._known[rest]

    def after(self, rest: str, number: int) -> str:
        """What is still to be spelled after a piece; nothing after one that was not allowed."""
        text = self._spelled[number]
        return rest[len(text) :] if rest.startswith(text) else ""
