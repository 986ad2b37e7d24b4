"""One path through the pieces for each answer: greedily, or drawn at random."""

import math
from collections.abc import Sequence

import numpy as np
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
    numbers: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """Take the likeliest piece at each step, or draw it.

    Args:
        scorer: of the next piece.
        source: pieces, padded, [sources, longest].
        lengths: pieces of each source, [sources].
        options: with `sample`, n_best paths of each source are drawn; without, one is followed.
        prefixes: what each answer must begin with, as `spellings` spells it.
        spellings: of the vocabulary, if there are prefixes.
        numbers: of each source, which decide with the seed what is drawn for it, whatever shares its batch; 0, 1,
            2 ... if not given.

    Returns:
        The hypotheses of each source, the best first.
    """
    paths = options.n_best if options.sample else 1
    numbered = range(len(source)) if numbers is None else numbers
    draws = [np.random.default_rng([options.seed, number]) for number in numbered] if options.sample else []
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
        spelling = constraints.spelling()
        limits = limits if spelling is None else limits + spelling
        previous = _draw(scores, options, draws) if options.sample else scores.argmax(-1)
        previous = torch.where(alive, previous, END)
        total += torch.where(alive, scores.gather(1, previous[:, None])[:, 0], 0.0)
        constraints.write(previous)
        pieces.append(previous)
        attention.append(weights)
        alive = alive & (previous != END) & (len(pieces) < limits)
    lengths = lengths[rows]
    found = _gather(torch.stack(pieces, 1), torch.stack(attention, 1), total, options, limits, lengths)
    groups = [found[begin : begin + paths] for begin in range(0, len(found), paths)]
    return [sorted(group, key=lambda each: -each.score) for group in groups]


def _draw(scores: Tensor, options: DecodingOptions, draws: Sequence[np.random.Generator]) -> Tensor:
    """A piece for each path, drawn by the inverse of the distribution function; the paths of a source side by side."""
    if options.top_k:
        least = scores.topk(min(options.top_k, scores.shape[1])).values[:, -1:]
        scores = scores.masked_fill(scores < least, -math.inf)
    best = scores.max(-1, keepdim=True).values
    below = torch.softmax((scores - best).double() / options.temperature, -1).cumsum(-1)
    paths = len(scores) // len(draws)
    chance = np.concatenate([draw.random(paths, dtype=np.float32) for draw in draws])  # below 1 by more than rounding
    drawn = torch.searchsorted(below, torch.from_numpy(chance)[:, None] * below[:, -1:], right=True)
    return torch.where(best > -math.inf, drawn, END)[:, 0]  # nothing may come: the answer ends


def _gather(
    pieces: Tensor, attention: Tensor, total: Tensor, options: DecodingOptions, limits: Tensor, lengths: Tensor
) -> list[Hypothesis]:
    """The hypothesis of each path, whose pieces go on with END beyond its end."""
    found = []
    paths = zip(pieces.tolist(), total.tolist(), limits.tolist(), lengths.tolist(), strict=True)
    for row, (numbers, log_probability, limit, source) in enumerate(paths):
        ended = END in numbers
        length = numbers.index(END) if ended else len(numbers)
        ended, length = ended and length < limit, min(length, limit)
        score = options.normalised(log_probability, length + ended)
        found.append(
            Hypothesis(tuple(numbers[:length]), score, log_probability, attention[row, :length, :source], ended)
        )
    return found
