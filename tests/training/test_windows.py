"""Windows in memory: every row once an epoch, the held-out ones never, in an order of seed and epoch only."""

import numpy as np
import torch

from recurra.models.regression import WindowNetwork, WindowShape
from recurra.training.windows import WindowTask


def task(held_out: list[int], seed: int = 0) -> WindowTask:
    x = torch.randn(10, 4, 1, generator=torch.Generator().manual_seed(1))
    return WindowTask(WindowNetwork(WindowShape(1, 1)), x, x[:, 0], np.array(held_out, dtype=np.int64), 3, seed)


def test_every_row_that_is_not_held_out_comes_once() -> None:
    one = task([8, 9])
    rows = np.concatenate(list(one.batches(1)))
    assert sorted(rows) == list(range(8))
    assert one.n_batches == 3


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(list(task([], seed).batches(epoch))).tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_the_loss_is_the_squared_error_of_a_silent_network() -> None:
    # expected: by hand, the network says zero
    one = task([8, 9])
    torch.testing.assert_close(torch.tensor(one.validation_loss()), one.y[8:].square().mean())
