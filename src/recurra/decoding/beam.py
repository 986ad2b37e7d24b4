"""Beam search: the best hypotheses of many sources, all in one batch, each step at the cost of one step."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from recurra.data.text.pieces import BEGIN, END
from recurra.decoding.constraints import Constraints
from recurra.decoding.hypothesis import Hypothesis
from recurra.decoding.options import DecodingOptions
from recurra.decoding.prefix import Spellings
from recurra.decoding.scorer import Scorer


class _Step(NamedTuple):
    """One step of all hypotheses.

    Attributes:
        pieces: the piece that each chose, [rows].
        parents: where in the step before each came from, [rows].
        looked: which row of `attention` belongs to it, [rows].
        attention: of the rows that this step went on from.
    """

    pieces: list[int]
    parents: list[int]
    looked: list[int]
    attention: Tensor


class _Finished(NamedTuple):
    """An end: its scores, and the step and place of its last piece."""

    score: float
    log_probability: float
    step: int
    place: int
    ended: bool


@torch.inference_mode()
def beam_search(
    scorer: Scorer,
    source: Tensor,
    lengths: Tensor,
    options: DecodingOptions,
    prefixes: Sequence[str] | None = None,
    spellings: Spellings | None = None,
) -> list[list[Hypothesis]]:
    """Follow the `beam` best hypotheses of each source until enough have ended.

    A source is done when as many hypotheses have ended as the beam is wide, when none that goes on can still be
    better than the `n_best` that ended, or when its length is used up.

    Args:
        scorer: of the next piece.
        source: pieces, padded, [sources, longest].
        lengths: pieces of each source, [sources].
        options: width of the beam, and how hypotheses are scored.
        prefixes: what each answer must begin with, as `spellings` spells it.
        spellings: of the vocabulary, if there are prefixes.

    Returns:
        The `n_best` hypotheses of each source, the best first; fewer if there are no more.
    """
    constraints = Constraints(options.no_repeat, prefixes, spellings)
    search = _Search(scorer, source, lengths, options, constraints)
    while search.active:
        search.advance()
    return search.answers()


class _Search:
    """The hypotheses that go on, as rows: those of each active source side by side."""

    def __init__(
        self, scorer: Scorer, source: Tensor, lengths: Tensor, options: DecodingOptions, constraints: Constraints
    ) -> None:
        self.scorer, self.options, self.constraints = scorer, options, constraints
        self.lengths: list[int] = lengths.tolist()
        self.limits = [options.limit(length) for length in self.lengths]
        self.active = list(range(len(source)))
        self.finished: list[list[_Finished]] = [[] for _ in self.active]
        self.steps: list[_Step] = []
        self.state = scorer.begin(source, lengths)
        self.previous = torch.full((len(source),), BEGIN)
        self.total = torch.zeros(len(source), 1)
        self.covered = torch.zeros(len(source), source.shape[1]) if options.coverage_penalty else None
        self.places = list(self.active)
        self.spelling = [False] * len(source)

    def advance(self) -> None:
        """One piece more for every hypothesis."""
        sources, width = self.total.shape
        scores, weights, state = self.scorer.step(self.previous, self.state)
        scores = self.constraints.forbid(scores, not self.steps)
        self._allow_for_beginnings(width)
        candidates = (self.total[:, :, None] + scores.view(sources, width, -1)).flatten(1)
        best, found = candidates.topk(min(2 * self.options.beam, candidates.shape[1]))
        pieces = found % scores.shape[1]
        rows = found // scores.shape[1] + width * torch.arange(sources)[:, None]
        received = None if self.covered is None else self.covered + weights
        ends = pieces == END
        self._note_ends(best[:, : self.options.beam], ends[:, : self.options.beam], rows, received)
        chosen = torch.argsort(ends.to(torch.int8), dim=1, stable=True)[:, : self.options.beam]
        self.total = best.masked_fill(ends, -math.inf).gather(1, chosen)
        pieces, rows = pieces.gather(1, chosen).flatten(), rows.gather(1, chosen).flatten()
        looked = rows.tolist()
        self.steps.append(_Step(pieces.tolist(), [self.places[row] for row in looked], looked, weights))
        self.constraints.write(pieces, rows)
        self.covered = None if received is None else received.index_select(0, rows)
        self.previous, self.state = pieces, self.scorer.select(state, rows)
        self.places = list(range(len(looked)))
        self._let_go()

    def _allow_for_beginnings(self, width: int) -> None:
        """One piece more for each source of which a hypothesis spells a forced beginning."""
        rows = self.constraints.spelling()
        if rows is None:
            return
        self.spelling = (rows.view(-1, width) & (self.total > -math.inf)).any(1).tolist()
        for source, spelling in zip(self.active, self.spelling, strict=True):
            self.limits[source] += spelling

    def _note_ends(self, best: Tensor, ends: Tensor, rows: Tensor, received: Tensor | None) -> None:
        """Keep those of the beam's best candidates that end here."""
        for at, rank in torch.nonzero(ends & (best > -math.inf)).tolist():
            row = int(rows[at, rank])
            seen = None if received is None else received[row]
            self._finish(at, float(best[at, rank]), self.places[row], seen, ended=True)

    def _finish(self, at: int, log_probability: float, place: int, seen: Tensor | None, *, ended: bool) -> None:
        """Note a hypothesis whose last piece was chosen in the last step."""
        source = self.active[at]
        score = self.options.normalised(log_probability, len(self.steps) + ended)
        if seen is not None:
            covered = seen[: self.lengths[source]].clamp(1e-9, 1.0)
            score += self.options.coverage_penalty * float(covered.log().sum())
        self.finished[source].append(_Finished(score, log_probability, len(self.steps) - 1, place, ended))

    def _let_go(self) -> None:
        """Go on without the sources that are done."""
        totals = self.total.tolist()
        going = [at for at, total in enumerate(totals) if not self._is_done(at, total)]
        if len(going) == len(self.active):
            return
        width = self.total.shape[1]
        sources = torch.tensor(going, dtype=torch.int64)
        rows = (sources[:, None] * width + torch.arange(width)).flatten()
        self.state = self.scorer.select(self.scorer.keep(self.state, sources), rows)
        self.constraints.keep(rows)
        self.previous, self.total = self.previous[rows], self.total[sources]
        self.covered = None if self.covered is None else self.covered.index_select(0, rows)
        self.places = rows.tolist()
        self.active = [self.active[at] for at in going]

    def _is_done(self, at: int, total: list[float]) -> bool:
        source, options = self.active[at], self.options
        ended = self.finished[source]
        if len(self.steps) >= self.limits[source]:
            for rank, log_probability in enumerate(total):
                if log_probability > -math.inf:
                    row = at * len(total) + rank
                    seen = None if self.covered is None else self.covered[row]
                    self._finish(at, log_probability, row, seen, ended=False)
            return True
        if len(ended) >= options.beam or max(total) == -math.inf:
            return True
        if len(ended) < options.n_best or self.spelling[at]:
            return False
        worst = sorted((each.score for each in ended), reverse=True)[options.n_best - 1]
        return options.normalised(max(total), self.limits[source]) <= worst

    def answers(self) -> list[list[Hypothesis]]:
        """The best hypotheses of each source."""
        ranked = [sorted(found, key=lambda each: -each.score)[: self.options.n_best] for found in self.finished]
        return [[self._trace(each, self.lengths[at]) for each in found] for at, found in enumerate(ranked)]

    def _trace(self, end: _Finished, length: int) -> Hypothesis:
        """The way back from an end to the first piece."""
        pieces, attention, place = [], [], end.place
        for step in reversed(self.steps[: end.step + 1]):
            pieces.append(step.pieces[place])
            attention.append(step.attention[step.looked[place], :length])
            place = step.parents[place]
        weights = torch.stack(attention[::-1]) if attention else torch.zeros(0, length)
        return Hypothesis(tuple(pieces[::-1]), end.score, end.log_probability, weights, end.ended)
