"""Batches of about as many tokens each, of pairs of like length, in an order drawn from seed and epoch."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


def token_batches(lengths: Numbers, tokens: int, seed: int | None = None, epoch: int = 0) -> list[Numbers]:
    """Cut rows into batches that hold at most so many tokens, padding included.

    Rows are sorted by length, those of one length in random order, cut into batches, and the batches are
    shuffled: a batch holds hardly any padding, and no two epochs have the same batches.

    Args:
        lengths: tokens of each row, [rows] or, for both sides of a pair, [rows, sides], sorted by the last side.
        tokens: of one side of a batch at most; a row that is longer is a batch of its own.
        seed: the order is a pure function of seed and epoch; None for the sorted order.
        epoch: its number.

    Returns:
        The rows of each batch; every row is in exactly one.

    >>> [batch.tolist() for batch in token_batches(np.array([3, 1, 2, 9]), 6)]
    [[1, 2], [0], [3]]
    """
    sides = lengths.reshape(len(lengths), -1)
    random = None if seed is None else np.random.default_rng(np.random.SeedSequence([seed, epoch, 2]))
    ties = np.arange(len(sides)) if random is None else random.permutation(len(sides))
    order = np.lexsort((ties, *sides.T))
    batches, begin, longest = [], 0, 0
    for at, row in enumerate(order):
        width = int(sides[row].max())
        if at > begin and max(longest, width) * (at + 1 - begin) > tokens:
            batches.append(order[begin:at].astype(np.int64))
            begin, longest = at, 0
        longest = max(longest, width)
    batches.append(order[begin:].astype(np.int64))
    return batches if random is None else [batches[i] for i in random.permutation(len(batches))]
