"""Gaps are counted from the last known value, over a table at once or row by row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.data.preparation.gaps import gap_input, log_gaps, missing_cells, steps_on, steps_since, table_gaps


def test_by_hand():
    """The second series knows nothing yet: it counts from its first row."""
    known = np.array([True, False, False, True, False, False])
    assert steps_since(known, np.array([0, 4, 6])).tolist() == [0, 1, 2, 0, 1, 2]
    assert gap_input(np.array([0, 1, 99])).tolist() == [0.0, np.log(2.0), np.log(100.0)]


@given(known=hnp.arrays(bool, st.integers(2, 30)), cut=st.integers(1, 29))
def test_counting_on_is_counting_the_whole(known, cut):
    cut = min(cut, len(known) - 1)
    whole = steps_since(known, np.array([0, len(known)]))
    assert steps_on(whole[cut - 1 : cut], known[None, cut:])[0].tolist() == whole[cut:].tolist()


def test_cells_that_are_missing():
    assert missing_cells(np.array([1.0, np.nan])).tolist() == [False, True]
    assert missing_cells(np.array(["a", None, np.nan, "nan"], object)).tolist() == [False, True, True, False]


def test_time_between_rows():
    """In the units of the stamps: three and six; nothing before the first row of a series."""
    gaps = table_gaps(np.array([1, 4, 10, 5, 6]), np.array([0, 3, 5]))
    np.testing.assert_allclose(gaps, [np.nan, np.log(3.0), np.log(6.0), np.nan, 0.0])
    days = np.array(["2024-01-01", "2024-01-03"], "datetime64[us]")
    assert log_gaps(days[1:], days[:1], np.array([True]))[0] == np.log(2 * 86_400e6)
