"""Forecasts: shapes, levels, the median between levels, and tables of every kind."""

from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data.columns import Columns
from recurra.data.forecasts import Forecasts
from recurra.data.frames import to_native
from recurra.errors import ConfigError, ShapeError

DS = np.array([["2024-03-30T23", "2024-03-31T22"]], "M8[us]")


def forecasts(levels: tuple[float, ...] = (0.05, 0.4, 0.6, 0.975)) -> Forecasts:
    quantiles = np.arange(2.0 * len(levels)).reshape(1, 2, len(levels))
    return Forecasts(("a",), DS, levels, quantiles, np.array([[10.0, 20.0]]))


def test_the_median_is_its_level_or_the_line_between_its_neighbours() -> None:
    """Half way between 1 and 2, and between 5 and 6."""
    assert forecasts().median.tolist() == [[1.5, 5.5]]
    assert forecasts((0.1, 0.5, 0.9)).median.tolist() == [[1.0, 4.0]]
    assert forecasts((0.6, 0.9)).median.tolist() == [[0.0, 2.0]]
    assert forecasts((0.1, 0.4)).median.tolist() == [[1.0, 3.0]]
    assert forecasts(()).median.tolist() == [[10.0, 20.0]]
    assert forecasts((0.2, 0.6)).quantile(0.5)[0, 0] == pytest.approx(0.75)


@pytest.mark.parametrize("levels", [(0.5, 0.5), (0.9, 0.1), (0.0, 0.5), (0.5, 1.0), (-0.1,)])
def test_levels_must_increase_between_0_and_1(levels: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="increase strictly"):
        forecasts(levels)


def test_shapes_must_agree() -> None:
    with pytest.raises(ShapeError, match="mean"):
        Forecasts(("a",), DS, (0.5,), np.zeros((1, 2, 1)), np.zeros((1, 3)))
    with pytest.raises(ShapeError, match="quantiles"):
        Forecasts(("a",), DS, (0.5,), np.zeros((1, 2, 2)), np.zeros((1, 2)))
    with pytest.raises(ConfigError, match="no quantiles"):
        forecasts(()).quantile(0.5)


NAMES = ["id", "day", "forecast", "mean", "q05", "q40", "q60", "q97.5"]


@pytest.mark.parametrize(
    ("kind", "native"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]
)
def test_tables_of_every_kind(kind: str, native: type) -> None:
    table = forecasts().to_table(Columns("id", "day", "load"), kind)  # type: ignore[arg-type]
    assert isinstance(table, native)
    frame = table if kind == "pandas" else table.to_pandas()
    assert list(frame.columns) == NAMES
    assert frame["forecast"].tolist() == [1.5, 5.5]
    assert frame["q97.5"].tolist() == [3.0, 7.0]
    assert frame["day"].tolist() == [pd.Timestamp("2024-03-30 23:00"), pd.Timestamp("2024-03-31 22:00")]


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("zone", ["Europe/Paris", "+02:00", "UTC"])
def test_stamps_come_back_in_their_zone(kind: str, zone: str) -> None:
    """In Paris both are midnights, an hour apart in UTC because summer time begins between them."""
    table = forecasts().to_table(Columns(None), kind, zone)  # type: ignore[arg-type]
    frame = table if kind == "pandas" else table.to_pandas()
    assert "unique_id" not in frame.columns
    expected = pd.DatetimeIndex(DS[0]).tz_localize("UTC").tz_convert("UTC+02:00" if zone[0] == "+" else zone)
    assert [str(stamp) for stamp in frame["ds"]] == [str(stamp) for stamp in expected]


def test_rows_are_plain_python() -> None:
    rows = forecasts().to_rows(time_zone="Europe/Paris")
    assert [row["ds"].isoformat() for row in rows] == ["2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00"]
    assert forecasts().to_rows()[0]["ds"] == datetime(2024, 3, 30, 23)
    whole = Forecasts((7,), np.array([[4, 5]]), (0.5,), np.ones((1, 2, 1)), np.ones((1, 2)))
    assert whole.to_rows()[1] == {"unique_id": 7, "ds": 5, "forecast": 1.0, "mean": 1.0, "q50": 1.0}
    assert type(whole.to_rows()[1]["unique_id"]) is int


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="'excel'"):
        to_native({"a": np.ones(1)}, "excel")  # type: ignore[arg-type]
