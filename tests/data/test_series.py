"""SeriesTable: its guarantees, and that cutting a table never shows a row beyond the cut."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.calendar import calendar_features, default_calendar
from recurra.data.columns import Columns, TablePolicy
from recurra.data.frequency import Frequency
from recurra.data.scaling import SeriesScaler
from recurra.data.series import SeriesTable
from recurra.data.windows import WindowIndex
from recurra.errors import TableError


def panel(lengths: list[int], seed: int = 0) -> SeriesTable:
    """Series of these lengths, daily, each starting on another day, with a number and a category beside the target."""
    rng = np.random.default_rng(seed)
    rows = sum(lengths)
    source = {
        "unique_id": np.repeat([f"s{i}" for i in range(len(lengths))], lengths).tolist(),
        "ds": [np.datetime64("2024-01-01") + i + t for i, n in enumerate(lengths) for t in range(n)],
        "y": rng.normal(size=rows).tolist(),
        "x": rng.normal(size=rows).tolist(),
        "c": rng.choice(["u", "v"], rows).tolist(),
    }
    return SeriesTable.from_table(source, covariates=["x", "c"], freq="D")


def same(a: SeriesTable, b: SeriesTable) -> None:
    assert a.ids == b.ids
    for name in ("offsets", "ds", "y", "file_rows"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.covariates.keys() == b.covariates.keys()
    for name, values in a.covariates.items():
        np.testing.assert_array_equal(values, b.covariates[name])


LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=5)


@given(lengths=LENGTHS, data=st.data())
def test_the_guarantees_hold_after_every_cut(lengths: list[int], data: st.DataObject) -> None:
    table = panel(lengths)
    bounds = [data.draw(st.tuples(st.integers(0, n), st.integers(0, n))) for n in lengths]
    starts, ends = (np.array(part) for part in zip(*bounds, strict=True))
    cut = table.slice(starts, ends)
    kept = [i for i, (a, b) in enumerate(bounds) if b > a]
    assert cut.ids == tuple(table.ids[i] for i in kept)
    assert len(cut) == sum(max(b - a, 0) for a, b in bounds)
    for k, i in enumerate(kept):
        part = slice(bounds[i][0], bounds[i][1])
        np.testing.assert_array_equal(cut.series(k).y, table.series(i).y[part])
        np.testing.assert_array_equal(cut.series(k).ds, table.series(i).ds[part])
        np.testing.assert_array_equal(cut.series(k).covariates["c"], table.series(i).covariates["c"][part])
        assert cut.frequency.is_next(cut.series(k).ds[:-1], cut.series(k).ds[1:]).all()


@given(lengths=LENGTHS, ends=st.data())
def test_nothing_computed_from_a_cut_table_depends_on_what_was_cut_off(lengths: list[int], ends: st.DataObject) -> None:
    """Change every value after the cut: statistics, features and windows of the rows before it stay the same."""
    table = panel(lengths)
    chosen = np.array([ends.draw(st.integers(0, n)) for n in lengths])
    if not chosen.any():
        return
    after = np.arange(len(table)) - table.offsets[table.series_of_rows] >= chosen[table.series_of_rows]
    y = np.where(after, 1e6, table.y)
    x = np.where(after, -1e6, table.covariates["x"])
    other = SeriesTable(table.ids, table.offsets, table.ds, y, {**table.covariates, "x": x}, table.frequency,
                        file_rows=table.file_rows)  # fmt: skip
    a, b = table.truncate(chosen), other.truncate(chosen)
    same(a, b)
    assert SeriesScaler().fit(a).to_config() == SeriesScaler().fit(b).to_config()
    names = default_calendar(table.frequency)
    np.testing.assert_array_equal(calendar_features(a.ds, names), calendar_features(b.ds, names))
    if a.lengths.max() > 1:
        index, rows = WindowIndex(a, 4, 2, 3), np.arange(len(a))
        np.testing.assert_array_equal(
            index.future_targets(a.y, rows), WindowIndex(b, 4, 2, 3).future_targets(b.y, rows)
        )


def test_views_selections_and_the_future() -> None:
    table = panel([3, 5, 2])
    assert (table.n_series, len(table), table.lengths.tolist()) == (3, 10, [3, 5, 2])
    assert np.shares_memory(table.series(1).y, table.y)
    assert len(table.series(1)) == 5
    picked = table.select([2, 0])
    assert picked.ids == ("s2", "s0")
    np.testing.assert_array_equal(picked.series(1).y, table.series(0).y)
    with pytest.raises(TableError, match="twice"):
        table.select([0, 0])
    assert table.index_of("s2") == 2
    with pytest.raises(TableError, match="no series 'nope'"):
        table.index_of("nope")
    assert table.future_ds(2).astype("M8[D]").astype(str).tolist()[0] == ["2024-01-04", "2024-01-05"]
    hidden = table.without_target()
    assert np.isnan(hidden.y).all()
    assert not np.isnan(table.y).any()
    assert hidden.covariates is table.covariates
    assert table.row_number(4) == 5
    assert SeriesTable.from_table(table) is table


def test_a_table_of_one_series_takes_its_name_from_the_target() -> None:
    table = SeriesTable.from_table({"day": [1, 2], "load": [3.0, 4.0]}, columns=Columns(None, "day", "load"))
    assert table.ids == ("load",)
    assert table.frequency == Frequency.parse("1")


@given(st.permutations(range(12)))
def test_sorting_undoes_any_order(order: list[int]) -> None:
    table = panel([5, 7])
    source = {"unique_id": [f"s{i}" for i in table.series_of_rows], "ds": list(table.ds), "y": table.y.tolist()}
    mixed: dict[str, list[Any]] = {name: [values[i] for i in order] for name, values in source.items()}
    again = SeriesTable.from_table(mixed, policy=TablePolicy(unsorted="sort"))
    for i in range(2):
        k = again.index_of(f"s{i}")
        np.testing.assert_array_equal(again.series(k).y, table.series(i).y)
        np.testing.assert_array_equal(again.series(k).ds, table.series(i).ds)


@given(kept=st.sets(st.integers(0, 19), min_size=2))
def test_filling_gives_back_every_row_and_only_gaps_beside(kept: set[int]) -> None:
    days = sorted(kept)
    stamps = [np.datetime64("2024-01-01") + day for day in days]
    policy = TablePolicy(missing="mask", gaps="fill")
    filled = SeriesTable.from_table(
        {"ds": stamps, "y": [float(d) for d in days]}, columns=Columns(None), freq="D", policy=policy
    )
    expected = np.full(days[-1] - days[0] + 1, np.nan)
    expected[np.array(days) - days[0]] = days
    np.testing.assert_array_equal(filled.y, expected)
    assert filled.frequency.is_next(filled.ds[:-1], filled.ds[1:]).all()


def test_a_hundred_thousand_rows_take_no_loop() -> None:
    """Generous bound for a slow machine: 1,000,000 rows take about a second, a loop over rows several."""
    n = 100_000
    source = pd.DataFrame({"unique_id": np.arange(n) // 1000, "ds": np.arange(n) % 1000, "y": np.ones(n)})
    start = time.perf_counter()
    assert len(SeriesTable.from_table(source)) == n
    assert time.perf_counter() - start < 2.0
