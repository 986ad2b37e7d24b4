"""Bad input, one blemish at a time: each error names row, column and remedy; expected rows are counted by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from recurra.data.columns import Columns, TablePolicy
from recurra.data.series import SeriesTable
from recurra.errors import BadValueError, ConfigError, MissingColumnError, TableError, TimeStampError

MASK = TablePolicy(missing="mask")
FILL = TablePolicy(missing="mask", gaps="fill")


def table(**changed: list[Any]) -> dict[str, list[Any]]:
    """Two interleaved series of three days; rows 1, 2, 4 are series a, rows 3, 5, 6 series b."""
    return {
        "unique_id": ["a", "a", "b", "a", "b", "b"],
        "ds": ["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-03", "2024-01-06", "2024-01-07"],
        "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        **changed,
    }


def days(*numbers: int) -> list[str]:
    return [f"2024-01-{number:02d}" for number in numbers]


def refused(error: type[Exception], *parts: str, source: object, **options: Any) -> None:
    with pytest.raises(error) as caught:
        SeriesTable.from_table(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


def test_interleaved_series_stand_in_order_of_first_appearance() -> None:
    read = SeriesTable.from_table(table(unique_id=["z", "z", "b", "z", "b", "b"]))
    assert read.ids == ("z", "b")
    assert read.y.tolist() == [1, 2, 4, 3, 5, 6]
    assert read.file_rows is not None
    assert read.file_rows.tolist() == [1, 2, 4, 3, 5, 6]


def test_a_missing_column_says_which_there_are_and_which_is_closest() -> None:
    source = pd.DataFrame(table()).rename(columns={"y": "Y", "ds": "dates"})
    refused(MissingColumnError, "'ds'", "'unique_id', 'dates', 'y'", source=source.rename(columns={"Y": "y"}))
    refused(MissingColumnError, "'y'", "did you mean 'Y'?", source=source.rename(columns={"dates": "ds"}))
    refused(MissingColumnError, "'temperature'", source=table(), covariates=["temperature"])
    refused(MissingColumnError, "unique_id=None", source={"ds": days(1, 2), "y": [1, 2]})
    refused(MissingColumnError, "reset_index()", source=pd.DataFrame(table()).set_index("ds"))


def test_without_requiring_the_target_its_column_may_be_absent_or_empty() -> None:
    absent = {name: values for name, values in table().items() if name != "y"}
    assert np.isnan(SeriesTable.from_table(absent, require_y=False).y).all()
    assert np.isnan(SeriesTable.from_table(table(y=[None] * 6), require_y=False).y).all()


@pytest.mark.parametrize(
    ("value", "remedy"),
    [("abc", "is not a number"), ("1,234", "without thousands separators"), ("1 234.5", "without thousands separators"),
     ("1_000", "is not a number"), ("12%", "is not a number"), (True, "is not a number"), ("--", "is not a number")],
)  # fmt: skip
def test_text_in_the_target_names_its_cell(value: object, remedy: str) -> None:
    source = table(y=["1", "2", value, "4", "5", "6"])
    refused(BadValueError, "row 3, column 'y' (series 'b', 2024-01-05)", remedy, source=source, policy=MASK)


def test_truth_values_and_dates_are_no_target() -> None:
    refused(BadValueError, "truth values", source=pd.DataFrame(table(y=[True] * 6)))
    refused(BadValueError, "dates", source=pd.DataFrame(table(y=list(pd.date_range("2024", periods=6)))))


@pytest.mark.parametrize("value", [np.nan, None, "", "NaN", "NA", "null"])
def test_a_missing_target_is_refused_or_masked(value: object) -> None:
    source = table(y=[1.0, 2.0, value, 4.0, 5.0, 6.0])
    refused(BadValueError, "row 3, column 'y'", "missing='mask'", source=source)
    masked = SeriesTable.from_table(source, policy=MASK)
    np.testing.assert_array_equal(masked.y, [1, 2, 4, np.nan, 5, 6])


@pytest.mark.parametrize("value", [np.inf, -np.inf, "inf"])
def test_infinity_is_always_refused(value: object) -> None:
    source = table(y=[1, 2, 3, 4, 5, value])
    refused(BadValueError, "row 6, column 'y'", "infinite", source=source, policy=MASK)


def test_absurd_sizes_are_refused_and_1e30_is_not() -> None:
    refused(BadValueError, "row 2", "-2e+30", "larger unit", source=table(y=[1, -2e30, 3, 4, 5, 6]), policy=MASK)
    assert SeriesTable.from_table(table(y=[1, -1e30, 3, 4, 5, 6])).y[1] == -1e30


def test_a_series_without_name_is_refused() -> None:
    refused(BadValueError, "row 4, column 'unique_id'", source=table(unique_id=["a", "a", "b", None, "b", "b"]))
    refused(BadValueError, "row 4, column 'unique_id'", source=table(unique_id=["a", "a", "b", "", "b", "b"]))
    refused(BadValueError, "row 4", source=pd.DataFrame(table(unique_id=[1, 1, 2, np.nan, 2, 2])))
    refused(BadValueError, "both as text and as a number", source=table(unique_id=["1", "1", "b", 1, "b", "b"]))


def test_repeated_stamps_name_both_rows() -> None:
    source = table(ds=days(1, 2, 5, 2, 6, 7))
    refused(TimeStampError, "row 4", "'ds'", "(series 'a')", "2024-01-02 is already in row 2", source=source)
    refused(TimeStampError, "row 4", "row 2", source=source, policy=TablePolicy(unsorted="sort"))


def test_unsorted_rows_are_refused_or_sorted() -> None:
    source = table(ds=days(2, 1, 5, 3, 6, 7))
    refused(TimeStampError, "row 2", "comes after 2024-01-02 of row 1", "unsorted='sort'", source=source)
    read = SeriesTable.from_table(source, policy=TablePolicy(unsorted="sort"))
    assert read.y.tolist() == [2, 1, 4, 3, 5, 6]
    assert read.file_rows is not None
    assert read.file_rows.tolist() == [2, 1, 4, 3, 5, 6]


def test_gaps_are_refused_or_filled() -> None:
    source = table(ds=days(1, 2, 5, 4, 6, 7))
    refused(TimeStampError, "row 4", "series 'a'", "freq='D' with gaps='fill'", source=source)
    refused(TimeStampError, "row 4", "gaps='fill'", source=source, freq="D")
    for freq in (None, "D"):
        filled = SeriesTable.from_table(source, freq=freq, policy=FILL)
        np.testing.assert_array_equal(filled.y, [1, 2, np.nan, 4, 3, 5, 6])
        assert filled.ds.astype("M8[D]").astype(str).tolist() == days(1, 2, 3, 4, 5, 6, 7)
        assert filled.file_rows is not None
        assert filled.file_rows.tolist() == [1, 2, 0, 4, 3, 5, 6]
        assert filled.offsets.tolist() == [0, 4, 7]


def test_holidays_in_business_days_are_gaps_of_business_days() -> None:
    stamps = pd.date_range("2023-12-18", periods=15, freq="B").delete(5)  # without 25 December
    filled = SeriesTable.from_table({"ds": stamps, "y": range(14)}, columns=Columns(None), policy=FILL)
    assert filled.frequency.code == "B"
    assert len(filled) == 15
    assert np.isnan(filled.y).nonzero()[0].tolist() == [5]


def test_a_gap_of_centuries_is_a_typing_error() -> None:
    source = {"ds": ["1024-01-01", "2024-01-01", "2024-01-02", "2024-01-03"], "y": [1, 2, 3, 4]}
    refused(TimeStampError, "would insert", source=source, columns=Columns(None), policy=FILL)


def test_a_frequency_that_does_not_fit() -> None:
    refused(TimeStampError, "row 2", "not one step of 'h'", source=table(), freq="h")
    refused(TimeStampError, "row 1", "cannot occur at freq='ME'", source=table(), freq="ME")
    refused(TimeStampError, "needs an integer index", source=table(), freq="1")
    refused(ConfigError, "unknown frequency", source=table(), freq="daily")


def test_an_empty_table_and_one_row() -> None:
    refused(TableError, "no rows", source=pd.DataFrame(table()).iloc[:0])
    refused(TableError, "no rows", source=table(unique_id=[], ds=[], y=[]))
    refused(TableError, "no rows", source=[])
    one = {name: values[:1] for name, values in table().items()}
    refused(TimeStampError, "no series has two rows", "freq='D'", source=one)
    assert SeriesTable.from_table(one, freq="D").y.tolist() == [1.0]


def test_the_target_is_no_covariate() -> None:
    """As a known-future covariate it would be the answer."""
    refused(ConfigError, "'y' is the target", source=table(), covariates=["y"])


def test_a_zone_in_the_frequency_needs_one_in_the_stamps() -> None:
    refused(TimeStampError, "no time zone", source=table(), freq="D@Europe/Paris")


def test_covariates_given_as_one_text_are_refused() -> None:
    refused(ConfigError, "['day_type']", source=table(), covariates="day_type")
