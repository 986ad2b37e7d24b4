"""Which pieces may come next: text only, no run twice, and what a forced beginning leaves open."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.data.text.pieces import BEGIN, END, PAD, UNKNOWN
from recurra.decoding.prefix import Spellings

NEVER = (PAD, UNKNOWN, BEGIN)


class Constraints:
    """Keeps what is needed of every hypothesis so far, and forbids pieces.

    Args:
        no_repeat: no run of so many pieces occurs twice; 0 allows all. A forced beginning may repeat itself.
        rests: what each hypothesis must still spell; None where no beginning is forced.
        spellings: of the vocabulary, if a beginning is forced.
    """

    def __init__(self, no_repeat: int, rests: Sequence[str] | None = None, spellings: Spellings | None = None) -> None:
        self._no_repeat = no_repeat
        self._rests = None if rests is None or not any(rests) else list(rests)
        self._spellings = spellings
        self._written: Tensor | None = None

    def forbid(self, scores: Tensor, first: bool) -> Tensor:
        """Log probabilities [rows, vocabulary] with -inf where a piece may not come.

        Args:
            scores: changed in place.
            first: whether this is an answer's first piece, which must not be END.
        """
        scores[:, list(NEVER)] = -math.inf
        if first:
            scores[:, END] = -math.inf
        spelled = {
            row: (allowed, scores[row, allowed])
            for row, rest in enumerate(self._rests or ())
            if rest and (allowed := self._pieces_of(rest))
        }
        if self._no_repeat and self._written is not None:
            self._forbid_runs(scores, self._written)
        for row, (allowed, kept) in spelled.items():
            scores[row] = -math.inf
            scores[row, allowed] = kept
        return scores

    def _pieces_of(self, rest: str) -> list[int]:
        return [] if self._spellings is None else self._spellings.allowed(rest)

    def spelling(self) -> Tensor | None:
        """Which hypotheses still spell a forced beginning, [rows]; None where no beginning is forced."""
        return None if self._rests is None else torch.tensor([bool(rest) for rest in self._rests])

    def _forbid_runs(self, scores: Tensor, written: Tensor) -> None:
        n = self._no_repeat
        if written.shape[1] < n:
            return
        runs = written.unfold(1, n, 1)
        latest = written[:, written.shape[1] - n + 1 :]
        again = (runs[:, :, :-1] == latest[:, None]).all(-1)
        rows, places = torch.nonzero(again, as_tuple=True)
        scores[rows, runs[rows, places, -1]] = -math.inf

    def write(self, pieces: Tensor, rows: Tensor | None = None) -> None:
        """Note the pieces [rows] that were chosen.

        Args:
            pieces: one for each hypothesis that goes on.
            rows: which hypothesis each goes on from; each its own if not given.
        """
        if self._no_repeat:
            before = self._written
            if before is not None and rows is not None:
                before = before.index_select(0, rows)
            self._written = pieces[:, None] if before is None else torch.cat([before, pieces[:, None]], 1)
        if self._rests is not None and self._spellings is not None:
            at = range(len(pieces)) if rows is None else rows.tolist()
            self._rests = [
                self._spellings.after(self._rests[row], piece) for row, piece in zip(at, pieces.tolist(), strict=True)
            ]

    def keep(self, rows: Tensor) -> None:
        """Only these hypotheses go on."""
        if self._written is not None:
            self._written = self._written.index_select(0, rows)
        if self._rests is not None:
            self._rests = [self._rests[row] for row in rows.tolist()]
