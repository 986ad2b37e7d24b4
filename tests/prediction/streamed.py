"""Rows as a stream gets them, and the one way to hold its answers against the batch's."""

import numpy as np


def rows_at(frame, t):
    """Row number t of each series, as dicts."""
    return [group.iloc[t].to_dict() for _, group in frame.groupby("unique_id", sort=False)]


def so_far(frame, t):
    return frame[frame.groupby("unique_id").cumcount() <= t]


def next_rows(frame, t, horizon=3):
    number = frame.groupby("unique_id").cumcount()
    return frame[(number > t) & (number <= t + horizon)].drop(columns="y")


def assert_same(streamed, batch):
    """To 1e-6, relative and absolute; it is float64 inside, so 1e-9 of the size holds."""
    assert [str(name) for name in streamed.ids] == [str(name) for name in batch.ids]
    np.testing.assert_array_equal(streamed.ds, batch.ds)
    np.testing.assert_allclose(streamed.quantiles, batch.quantiles, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(streamed.mean, batch.mean, rtol=1e-9, atol=1e-6)
