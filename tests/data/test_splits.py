"""Splits by time: expected ends are counted by hand; no fold shows a row after its cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.series import SeriesTable
from recurra.data.splits import rolling_origins, split_by_time
from recurra.errors import ConfigError, TooShortError


def panel(spans: list[tuple[int, int]], dates: bool = True) -> SeriesTable:
    """Series i covers days spans[i][0] ... spans[i][1] - 1."""
    stamps = [day for a, b in spans for day in range(a, b)]
    ds = [np.datetime64("2024-01-01") + day for day in stamps] if dates else stamps
    ids = [f"s{i}" for i, (a, b) in enumerate(spans) for _ in range(a, b)]
    return SeriesTable.from_table({"unique_id": ids, "ds": ds, "y": [1.0] * len(ds)}, freq="D" if dates else "1")


def test_cuts_by_rows_share_and_moment() -> None:
    table = panel([(0, 10), (5, 8), (9, 10)])
    assert split_by_time(table, rows=2).ends.tolist() == [8, 1, 1]
    assert split_by_time(table, rows=2, min_train=2).ends.tolist() == [8, 3, 1]
    assert split_by_time(table, share=0.3).ends.tolist() == [7, 2, 1]
    by_moment = split_by_time(table, at=np.datetime64("2024-01-07"))
    assert by_moment.ends.tolist() == [6, 1, 0]
    assert by_moment.train.ids == ("s0", "s1")
    assert by_moment.validation.ids == ("s0", "s1", "s2")
    assert by_moment.train.ds.max() < np.datetime64("2024-01-07") <= by_moment.validation.ds.min()


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4), rows=st.integers(1, 9))
def test_both_parts_together_are_the_table(lengths: list[int], rows: int) -> None:
    table = panel([(0, n) for n in lengths])
    if max(lengths) <= rows:
        with pytest.raises(TooShortError):
            split_by_time(table, rows=rows)
        return
    split = split_by_time(table, rows=rows)
    assert len(split.train) + len(split.validation) == len(table)
    for name in split.validation.ids:
        train, later = (part.series(part.index_of(name)) for part in (split.train, split.validation))
        assert train.ds[-1] < later.ds[0]


@pytest.mark.parametrize("options", [{}, {"rows": 1, "share": 0.5}, {"rows": 0}, {"share": 0.0}, {"share": 1.0}])
def test_a_split_needs_exactly_one_measure_in_range(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        split_by_time(panel([(0, 5)]), **options)  # type: ignore[arg-type]


def test_origins_of_one_series() -> None:
    """Ten days, horizon 2: the last fold ends with the table; strides of 1 and of the horizon."""
    table = panel([(0, 10)])
    assert [ends.tolist() for ends in rolling_origins(table, 2, 3)] == [[4], [6], [8]]
    assert [ends.tolist() for ends in rolling_origins(table, 2, 3, 1)] == [[6], [7], [8]]


def test_dates_cut_all_series_at_the_same_moment() -> None:
    """Series s1 ends two days early: in the last fold it has nothing to be scored on. Series s2 begins late."""
    table = panel([(0, 10), (0, 8), (6, 10)])
    assert [ends.tolist() for ends in rolling_origins(table, 2, 3)] == [[4, 4, 0], [6, 6, 0], [8, 0, 2]]
    by_series = rolling_origins(table, 2, 3, align="series")
    assert [ends.tolist() for ends in by_series] == [[4, 2, 0], [6, 4, 0], [8, 6, 2]]


def test_an_index_cuts_each_series_from_its_own_end() -> None:
    table = panel([(0, 10), (0, 6)], dates=False)
    assert [ends.tolist() for ends in rolling_origins(table, 2, 2)] == [[6, 2], [8, 4]]
    assert [ends.tolist() for ends in rolling_origins(table, 2, 2, min_history=3)] == [[6, 0], [8, 4]]


@given(
    spans=st.lists(st.tuples(st.integers(0, 5), st.integers(16, 24)), min_size=1, max_size=4),
    horizon=st.integers(1, 3), folds=st.integers(1, 3), stride=st.integers(1, 3),
)  # fmt: skip
def test_no_fold_shows_a_moment_that_another_series_has_yet_to_forecast(
    spans: list[tuple[int, int]], horizon: int, folds: int, stride: int
) -> None:
    table = panel(spans)
    for ends in rolling_origins(table, horizon, folds, stride):
        takes_part = ends > 0
        assert (ends + horizon <= table.lengths)[takes_part].all()
        history = table.truncate(ends)
        first = table.offsets[:-1] + ends
        assert history.ds.max() < table.ds[first[takes_part]].min()


def test_what_is_refused() -> None:
    for options in ({"horizon": 0}, {"horizon": 1, "folds": 0}, {"horizon": 1, "stride": 0}):
        with pytest.raises(ConfigError, match="must be at least 1"):
            rolling_origins(panel([(0, 5)]), **options)  # type: ignore[arg-type]
    with pytest.raises(TooShortError, match="7 rows are needed, the longest has 5"):
        rolling_origins(panel([(0, 5)]), 2, 3)
