"""Training windows: never across series, never past an end; orders are functions of seed and epoch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.series import SeriesTable
from recurra.data.windows import WindowIndex, future_targets
from recurra.errors import ConfigError, TooShortError


def panel(lengths: list[int]) -> SeriesTable:
    """y numbers the rows of the whole table, so a value names its row."""
    ids = [i for i, n in enumerate(lengths) for _ in range(n)]
    ds = [t for n in lengths for t in range(n)]
    source = {"unique_id": ids, "ds": ds, "y": [float(i) for i in range(len(ds))]}
    return SeriesTable.from_table(source, freq="1")


def test_windows_of_a_small_table() -> None:
    """Ten and three rows, context 4, stride 2: counted by hand from the last row that has a row after it."""
    index = WindowIndex(panel([10, 3]), 4, 2, 3)
    assert index.series.tolist() == [0, 0, 0, 0, 1]
    assert index.starts.tolist() == [0, 1, 3, 5, 0]
    assert index.lengths.tolist() == [4, 4, 4, 4, 2]
    values, lengths = index.gather(panel([10, 3]).y, [3, 4], fill=-1)
    assert values.tolist() == [[5, 6, 7, 8], [10, 11, -1, -1]]
    assert lengths.tolist() == [4, 2]
    rows, _ = index.rows([4])
    after = index.future_targets(panel([10, 3]).y, rows)
    np.testing.assert_array_equal(after[0, :2], [[11, 12, np.nan], [12, np.nan, np.nan]])
    assert np.isnan(after[0, 2:]).all()


@given(
    lengths=st.lists(st.integers(1, 15), min_size=1, max_size=5), context=st.integers(1, 6), stride=st.integers(1, 5),
    horizon=st.integers(1, 4), min_history=st.integers(1, 3),
)  # fmt: skip
def test_windows_stay_in_their_series_and_leave_a_target(
    lengths: list[int], context: int, stride: int, horizon: int, min_history: int
) -> None:
    table = panel(lengths)
    if max(lengths) <= min(min_history, context):
        with pytest.raises(TooShortError, match="rows are needed"):
            WindowIndex(table, context, stride, horizon, min_history)
        return
    index = WindowIndex(table, context, stride, horizon, min_history)
    rows, counts = index.rows(np.arange(len(index)))
    owner = table.series_of_rows
    for window, count, series in zip(rows, counts, index.series, strict=True):
        inside = window[:count]
        assert (np.diff(inside) == 1).all()
        assert (owner[inside] == series).all()
        assert inside[-1] + 1 < table.offsets[series + 1]
        assert (window[count:] == -1).all()
        assert count == context or count == lengths[series] - 1 >= min_history
    after = index.future_targets(table.y, rows)
    slow = np.full(after.shape, np.nan)
    for place, row in np.ndenumerate(rows):
        for k in range(horizon):
            if row >= 0 and row + 1 + k < table.offsets[owner[row] + 1]:
                slow[(*place, k)] = table.y[row + 1 + k]
    np.testing.assert_array_equal(after, slow)


@given(n=st.integers(2, 40), context=st.integers(1, 8), stride=st.integers(1, 8))
def test_every_row_with_a_target_is_in_some_window_when_strides_overlap(n: int, context: int, stride: int) -> None:
    stride = min(stride, context)
    rows, _ = (index := WindowIndex(panel([n]), context, stride, 1)).rows(np.arange(len(index)))
    assert set(rows[rows >= 0].tolist()) == set(range(n - 1))


def test_orders_are_functions_of_seed_and_epoch() -> None:
    index = WindowIndex(panel([60]), 4, 1, 1)
    order = index.order(3, 5)
    assert sorted(order.tolist()) == list(range(len(index)))
    np.random.seed(0)  # noqa: NPY002  the global state must not matter
    np.testing.assert_array_equal(index.order(3, 5), order)
    assert not np.array_equal(index.order(3, 6), order)
    assert not np.array_equal(index.order(4, 5), order)


def test_gather_takes_any_shape_and_type_and_leaves_its_source_alone() -> None:
    table = panel([6, 2])
    index = WindowIndex(table, 3, 1, 1)
    features = np.arange(len(table) * 2, dtype=np.float32).reshape(-1, 2)
    copy = features.copy()
    gathered, _ = index.gather(features, np.arange(len(index)))
    assert gathered.shape == (len(index), 3, 2)
    assert gathered.dtype == np.float32
    np.testing.assert_array_equal(features, copy)
    codes, _ = index.gather(np.arange(len(table)), [len(index) - 1])
    assert codes.tolist() == [[6, 0, 0]]
    after = future_targets(table, features[:, 0], np.array([4, 5]), 2)
    assert after.dtype == np.float32
    np.testing.assert_array_equal(after, [[10, np.nan], [np.nan, np.nan]])


@pytest.mark.parametrize("name", ["context", "stride", "horizon", "min_history"])
def test_numbers_below_1_are_refused(name: str) -> None:
    options = {"context": 3, "stride": 1, "horizon": 1, "min_history": 1, name: 0}
    with pytest.raises(ConfigError, match=f"{name}=0"):
        WindowIndex(panel([9]), **options)
