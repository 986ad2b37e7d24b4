"""Padded to packed and back: torch's own pack_padded_sequence is the oracle."""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurra.kernels._ragged import lengths_of, pack, reversed_packed, reversed_rows, unpack, valid_steps


def test_a_packed_batch_unpacks_and_packs_again() -> None:
    lengths = torch.tensor([6, 4, 4, 1])
    packed = pack_padded_sequence(torch.randn(6, 4, 3), lengths)
    padded, _ = pad_packed_sequence(packed)
    assert torch.equal(lengths_of(packed.batch_sizes), lengths)
    assert torch.equal(unpack(packed.data, packed.batch_sizes), padded)
    assert torch.equal(pack(padded, packed.batch_sizes), packed.data)


def test_rows_are_reversed_each_from_its_own_last_step() -> None:
    lengths = [4, 3, 1]
    x = torch.arange(12).reshape(4, 3)
    found = reversed_rows(x, torch.tensor(lengths))
    for row, steps in enumerate(lengths):
        assert found[:, row].tolist() == [*reversed(x[:steps, row].tolist()), *x[steps:, row].tolist()]
    assert torch.equal(reversed_rows(x, None), x.flip(0))
    packed = pack_padded_sequence(x[..., None], torch.tensor(lengths))
    expected = pack_padded_sequence(found[..., None], torch.tensor(lengths)).data
    assert torch.equal(reversed_packed(packed.data, packed.batch_sizes), expected)


def test_valid_steps_are_those_before_the_length() -> None:
    expected = torch.tensor([[False, True, True], [False, False, True]])
    assert torch.equal(valid_steps(torch.tensor([0, 1, 2]), 2)[..., 0], expected)
    assert valid_steps(torch.tensor([0, 0]), 0).shape == (0, 2, 1)
