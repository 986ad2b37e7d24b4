"""The loop over time, with a running sum as the recurrence: numpy's cumsum is the oracle."""

import torch

from recurra.kernels._ragged import valid_steps
from recurra.kernels._scan import scan


def add(a: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """A running sum and the number of steps taken."""
    total, count = state
    return total + a, count + 1


X = torch.tensor([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0], [3.0, 30.0, 300.0]])[..., None]
START = (torch.full((3, 1), 0.5), torch.zeros(3, 1))


def test_forward_sums_what_came_before() -> None:
    y, (total, count) = scan(add, X, START)
    assert torch.equal(y, X.cumsum(0) + 0.5)
    assert torch.equal(total, X.sum(0) + 0.5)
    assert torch.equal(count, torch.full((3, 1), 3.0))


def test_reverse_sums_what_comes_after() -> None:
    y, (total, _) = scan(add, X, START, reverse=True)
    assert torch.equal(y, X.flip(0).cumsum(0).flip(0) + 0.5)
    assert torch.equal(total, X.sum(0) + 0.5)


def test_each_row_ends_and_in_reverse_begins_at_its_own_last_valid_step() -> None:
    valid = valid_steps(torch.tensor([3, 1, 0]), 3)
    y, (total, count) = scan(add, X, START, valid)
    assert y[..., 0].T.tolist() == [[1.5, 3.5, 6.5], [10.5, 0, 0], [0, 0, 0]]
    assert total[:, 0].tolist() == [6.5, 10.5, 0.5]
    assert count[:, 0].tolist() == [3, 1, 0]
    y, (total, count) = scan(add, X, START, valid, reverse=True)
    assert y[..., 0].T.tolist() == [[6.5, 5.5, 3.5], [10.5, 0, 0], [0, 0, 0]]
    assert total[:, 0].tolist() == [6.5, 10.5, 0.5]


def test_no_steps_give_no_outputs_and_the_state_as_it_was() -> None:
    y, state = scan(add, X[:0], START)
    assert y.shape == (0, 3, 1)
    assert state is START
