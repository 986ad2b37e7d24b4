"""Several targets: every series stands once for each of them, by name, and its rows are those of the table."""

import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, Forecasts, SeriesTable, TablePolicy
from recurra.data.targets import find_peers, series_ids, split_id, stacked_rows, target_id
from recurra.errors import BadValueError, ConfigError, MissingColumnError

TWO = Columns(more_targets=("returns",), y="sales")


def shops(**changes):
    """Two shops of three and two days."""
    columns = {
        "unique_id": ["n", "n", "n", "s", "s"],
        "ds": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-01", "2024-01-02"],
        "sales": [1.0, 2.0, 3.0, 4.0, 5.0],
        "returns": [10.0, 20.0, 30.0, 40.0, 50.0],
        "p": [0.1, 0.2, 0.3, 0.4, 0.5],
    }
    return pd.DataFrame({**columns, **changes})


def test_names_tell_series_and_target_and_come_apart_again():
    assert target_id(7, "sales") == "7 / sales"
    assert split_id("a / b / sales") == ("a / b", "sales")  # a target's own name has no " / "
    assert split_id(target_id("y", "sales", named=False)) == ("", "sales")
    assert series_ids(["7 / sales", "8 / sales"]) == [7, 8]
    assert series_ids(["7 / sales", "x / sales"]) == ["7", "x"]


def test_rows_are_repeated_by_hand():
    rows, offsets = stacked_rows(np.array([0, 3, 5]), 2)
    assert rows.tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 3, 4]
    assert offsets.tolist() == [0, 3, 6, 8, 10]


def test_a_table_holds_every_series_once_for_each_target():
    table = SeriesTable.from_table(shops(), columns=TWO, covariates=("p",))
    assert table.ids == ("n / sales", "n / returns", "s / sales", "s / returns")
    assert table.y.tolist() == [1, 2, 3, 10, 20, 30, 4, 5, 40, 50]
    assert table.covariates["p"].tolist() == [0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.5]
    assert list(table.covariates) == ["p"]
    assert [table.target_of(i) for i in range(4)] == ["sales", "returns", "sales", "returns"]
    assert [table.row_number(row) for row in (0, 3, 9)] == [1, 1, 5]
    alone = SeriesTable.from_table(
        shops().head(3).drop(columns="unique_id"), columns=Columns(None, y="sales", more_targets=("returns",))
    )
    assert alone.ids == ("sales", "returns")


def test_peers_are_the_targets_of_one_series_in_their_order():
    names = ("n / sales", "n / returns", "s / returns")
    assert find_peers(names, ("sales", "returns")).tolist() == [[0, 1], [0, 1], [-1, 2]]
    assert find_peers(("sales", "returns"), ("sales", "returns")).tolist() == [[0, 1], [0, 1]]


def test_forecasts_come_out_with_a_column_that_names_the_target():
    table = SeriesTable.from_table(shops(), columns=TWO)
    forecasts = Forecasts(table.ids, table.future_ds(1), (0.5,), np.zeros((4, 1, 1)), np.zeros((4, 1)))
    answer = forecasts.to_table(TWO)
    assert answer.columns.tolist() == ["unique_id", "target", "ds", "forecast", "mean", "q50"]
    assert answer["unique_id"].tolist() == ["n", "n", "s", "s"]
    assert answer["target"].tolist() == ["sales", "returns"] * 2


def test_every_target_is_checked_like_the_first():
    with pytest.raises(BadValueError, match=r"row 4, column 'returns' \(series 's', 2024-01-01\): 'many' is not a num"):
        SeriesTable.from_table(shops(returns=[1, 2, 3, "many", 5]), columns=TWO)
    holes = shops(returns=[1.0, np.nan, 3.0, 4.0, 5.0])
    with pytest.raises(BadValueError, match=r"row 2, column 'returns'.*missing='mask'"):
        SeriesTable.from_table(holes, columns=TWO)
    masked = SeriesTable.from_table(holes, columns=TWO, policy=TablePolicy(missing="mask"))
    np.testing.assert_array_equal(masked.y[3:6], [1.0, np.nan, 3.0])
    with pytest.raises(MissingColumnError, match="no column 'returns'"):
        SeriesTable.from_table(shops().drop(columns="returns"), columns=TWO)


def test_names_that_cannot_be_told_apart_are_refused():
    with pytest.raises(ConfigError, match="has ' / ' in its name"):
        Columns(more_targets=("a / b",))
    with pytest.raises(ConfigError, match="rename the table's own"):
        Columns(unique_id="target", more_targets=("z",))
    with pytest.raises(ConfigError, match="must differ"):
        Columns(more_targets=("y",))
