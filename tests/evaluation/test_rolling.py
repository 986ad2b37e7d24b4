"""The protocol of a rolling backtest by itself; in use it is tested in test_backtest."""

import numpy as np

from recurra.evaluation.rolling import Rolling


def test_learning_and_starts_by_hand() -> None:
    rolling = Rolling(5, 5, 3, "sliding")
    assert [rolling.learns_at(fold) for fold in range(7)] == [True, False, False, True, False, False, True]
    # expected: as many rows as at the first origin; a series that came later keeps all of its own
    np.testing.assert_array_equal(rolling.starts(np.array([30, 12, 0]), np.array([20, 12, 0])), [10, 0, 0])
    np.testing.assert_array_equal(Rolling(5, 5).starts(np.array([30]), np.array([20])), [0])


def test_a_row_lies_in_so_many_folds() -> None:
    # expected: horizon 5 in strides of 2 covers a row from 3 origins at most
    rolling = Rolling(5, 2, overlap="declare")
    assert rolling.overlaps
    assert rolling.times_scored == 3
    assert not Rolling(5, 5).overlaps
