"""Covariates: numbers or categories, never both, never with holes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from recurra.data.columns import Columns, TablePolicy
from recurra.data.series import SeriesTable
from recurra.errors import BadValueError

LAST = TablePolicy(missing_covariates="last")


def read(values: list[Any], **options: Any) -> np.ndarray:
    """Two series of three days each, one after the other."""
    source = {
        "unique_id": list("aaabbb"),
        "ds": ["2024-01-01", "2024-01-02", "2024-01-03"] * 2,
        "y": [1.0] * 6,
        "c": values,
    }
    return SeriesTable.from_table(pd.DataFrame(source), covariates=["c"], **options).covariates["c"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
        (["1", "2.5", "3", "4", "5", "6"], [1, 2.5, 3, 4, 5, 6]),
        ([True, False] * 3, [1, 0, 1, 0, 1, 0]),
        (["u", "v", "NA", "u", "v", "v"], ["u", "v", "NA", "u", "v", "v"]),
    ],
)
def test_numbers_are_numbers_and_text_is_categories(values: list[Any], expected: list[Any]) -> None:
    found = read(values)
    assert found.tolist() == expected
    assert found.dtype == (object if isinstance(expected[0], str) else np.float64)


def test_a_column_declared_categorical_is_text_without_decimal_points() -> None:
    columns = Columns(categorical=("c",))
    assert read([1, 2, 1, 2, 1, 2], columns=columns).tolist() == ["1", "2"] * 3
    assert read([1.0, 2.0, 1.0, 2.5, 1.0, 2.0], columns=columns).tolist() == ["1", "2", "1", "2.5", "1", "2"]
    assert read(["1", "b"] * 3, columns=columns).tolist() == ["1", "b"] * 3


@pytest.mark.parametrize(
    ("values", "row", "what"),
    [
        (["1", "2", "x", "4", "5", "6"], 3, "'x' is not a number"),
        (["u", "v", "u", "u", "7", "v"], 5, "'7' is a number"),
    ],
)
def test_a_mixture_blames_the_rarer_kind(values: list[str], row: int, what: str) -> None:
    with pytest.raises(BadValueError, match=f"row {row}, column 'c'.*{what}.*declare the column categorical"):
        read(values)


@pytest.mark.parametrize(
    "values", [[1, 2, 3, 4, np.nan, 6], ["u", "v", "u", "u", None, "v"], ["1", "2", "3", "4", "", "6"]]
)
def test_a_hole_is_refused_or_takes_the_last_value(values: list[Any]) -> None:
    with pytest.raises(BadValueError, match=r"row 5, column 'c' \(series 'b', 2024-01-02\).*missing_covariates='last'"):
        read(values)
    assert read(values, policy=LAST)[4] == read(values, policy=LAST)[3]


def test_a_hole_at_the_start_of_a_series_never_takes_another_series_value() -> None:
    with pytest.raises(BadValueError, match=r"row 4, column 'c'.*fill it in"):
        read([1, 2, 3, np.nan, 5, 6], policy=LAST)


@pytest.mark.parametrize(("value", "what"), [(np.inf, "infinite"), (1e31, "larger than 1e\\+30")])
def test_absurd_numbers_are_refused(value: float, what: str) -> None:
    with pytest.raises(BadValueError, match=f"row 2, column 'c'.*{what}"):
        read([1, value, 3, 4, 5, 6], policy=LAST)


def test_dates_are_no_covariate() -> None:
    with pytest.raises(BadValueError, match="column 'c' holds dates"):
        read(list(pd.date_range("2024", periods=6)))


def test_inserted_rows_need_a_declared_covariate() -> None:
    source = {"ds": ["2024-01-01", "2024-01-02", "2024-01-04"], "y": [1, 2, 3], "c": [5, 6, 7]}
    options: dict[str, Any] = {"columns": Columns(None), "covariates": ["c"], "freq": "D"}
    with pytest.raises(BadValueError, match="inserted row at 2024-01-03 of series 'y', column 'c'"):
        SeriesTable.from_table(source, policy=TablePolicy(missing="mask", gaps="fill"), **options)
    policy = TablePolicy(missing="mask", gaps="fill", missing_covariates="last")
    assert SeriesTable.from_table(source, policy=policy, **options).covariates["c"].tolist() == [5, 6, 6, 7]
