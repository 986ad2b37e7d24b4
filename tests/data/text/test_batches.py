"""Batches by tokens: every row once, none too large, hardly any padding, an order drawn from seed and epoch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.text import token_batches


@given(
    lengths=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=60),
    tokens=st.integers(1, 200),
    epoch=st.integers(0, 5),
)
def test_every_row_is_in_one_batch_and_no_batch_too_large(
    lengths: list[tuple[int, int]], tokens: int, epoch: int
) -> None:
    sides = np.array(lengths)
    batches = token_batches(sides, tokens, seed=3, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or sides[batch].max() * len(batch) <= tokens
    again = token_batches(sides, tokens, seed=3, epoch=epoch)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))


def test_batches_differ_from_epoch_to_epoch_and_hold_little_padding(rng: np.random.Generator) -> None:
    lengths = rng.integers(5, 30, (2000, 2))
    one, two = (token_batches(lengths, 1000, seed=0, epoch=epoch) for epoch in (1, 2))
    assert {tuple(sorted(batch)) for batch in one} != {tuple(sorted(batch)) for batch in two}
    padded = sum(lengths[batch, 1].max() * len(batch) for batch in one)
    assert padded < 1.05 * lengths[:, 1].sum()  # sorted by the last side, so it is hardly padded
