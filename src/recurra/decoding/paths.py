"""One path through the pieces for each answer: greedily, or drawn at random."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.data.text.pieces import BEGIN, END
from recurra.decoding.constraints import Constraints
from recurra.decoding.hypothesis import Hypothesis
from recurra.decoding.options import DecodingOptions
from recurra.decoding.prefix import Spellings
from recurra.decoding.scorer import Scorer


@torch.inference_mode()
def follow_paths(
    scorer: Scorer,
    source: Tensor,
    lengths: Tensor,
    options: DecodingOptions,
    prefixes: Sequence[str] | None = None,
    spellings: Spellings | None = None,
) -> list[list[Hypothesis]]:
    """Take the likeliest piece at each step, or draw it.

    Args:
        scorer: of the next piece.
        source: pieces, padded, [sources, longest].
        lengths: pieces of each source, [sources].
        options: with `sample`, n_best paths of each source are drawn; without, one is followed.
        prefixes: what each answer must begin with, as `spellings` spells it.
        spellings: of the vocabulary, if there are prefixes.

    Returns:
        The hypotheses of each source, the best first.
    """
    paths = options.n_best if options.sample else 1
    random = torch.Generator().manual_seed(options.seed)
    state = scorer.begin(source, lengths)
    rows = torch.arange(len(source)).repeat_interleave(paths)
    state = scorer.select(state, rows)
    limits = torch.tensor([options.limit(int(length)) for length in lengths.tolist()])[rows]
    rests = None if prefixes is None else [prefixes[row] for row in rows.tolist()]
    constraints = Constraints(options.no_repeat, rests, spellings)
    total, alive = torch.zeros(len(rows)), torch.ones(len(rows), dtype=torch.bool)
    previous = torch.full((len(rows),), BEGIN)
    pieces: list[Tensor] = []
    attention: list[Tensor] = []
    while bool(alive.any()):
        scores, weights, state = scorer.step(previous, state)
        scores = constraints.forbid(scores, not pieces)
        previous = _draw(scores, options, random) if options.sample else scores.argmax(-1)
        previous = torch.where(alive, previous, END)
        total += torch.where(alive, scores.gather(1, previous[:, None])[:, 0], 0.0)
        constraints.write(previous)
        pieces.append(previous)
        attention.append(weights)
        alive = alive & (previous != END) & (len(pieces) < limits)
    return _gather(torch.stack(pieces, 1), torch.stack(attention, 1), total, options, paths, lengths)


def _draw(scores: Tensor, options: DecodingOptions, random: torch.Generator) -> Tensor:
    if options.top_k:
        least = scores.topk(min(options.top_k, scores.shape[1])).values[:, -1:]
        scores = scores.masked_fill(scores < least, -math.inf)
    drawn: Tensor = torch.multinomial(torch.softmax(scores / options.temperature, -1), 1, generator=random)[:, 0]
    return drawn


def _gather(
    pieces: Tensor, attention: Tensor, total: Tensor, options: DecodingOptions, paths: int, lengths: Tensor
) -> list[list[Hypothesis]]:
    found = []
    for row, (numbers, log_probability) in enumerate(zip(pieces.tolist(), total.tolist(), strict=True)):
        ended = END in numbers
        length = numbers.index(END) if ended else len(numbers)
        limit = options.limit(int(lengths[row // paths]))
        ended, length = ended and length < limit, min(length, limit)
        score = options.normalised(log_probability, length + ended)
        weights = attention[row, :length, : int(lengths[row // paths])]
        found.append(Hypothesis(tuple(numbers[:length]), score, log_probability, weights, ended))
    groups = [found[begin : begin + paths] for begin in range(0, len(found), paths)]
    return [sorted(group, key=lambda each: -each.score) for group in groups]
