"""The forecasting sets themselves, where RECURRA_DATA_DIR has them; expected figures are the published ones."""

import os

import numpy as np
import pytest

from recurra.data.catalogue import ENVIRONMENT, list_data_sets, load_cta_ridership, load_etth1, load_m4_weekly, verify

needs_data = pytest.mark.skipif(not os.environ.get(ENVIRONMENT), reason=f"{ENVIRONMENT} is not set")


@needs_data
@pytest.mark.parametrize("name", [entry.name for entry in list_data_sets()])
def test_every_set_is_as_published(name: str) -> None:
    assert verify(name).complete


@needs_data
def test_cta_ridership_has_every_day_once_and_the_published_naive_error() -> None:
    """Géron's notebook for chapter 15: the value of 7 days before misses rail by 42,143 riders, 2019-03 to 2019-05."""
    table = load_cta_ridership()
    assert table.ids == ("bus", "rail")
    assert table.lengths.tolist() == [7639, 7639]
    rail = table.series(1)
    assert rail.ds[[0, -1]].astype("M8[D]").astype(str).tolist() == ["2001-01-01", "2021-11-30"]
    spring = (rail.ds >= np.datetime64("2019-03-01")) & (rail.ds < np.datetime64("2019-06-01"))
    at = np.flatnonzero(spring)
    assert np.abs(rail.y[at] - rail.y[at - 7]).mean() == pytest.approx(42_143, abs=1)
    assert set(rail.covariates["day_type"]) == {"A", "U", "W"}


@needs_data
def test_m4_weekly_has_the_published_naive_score() -> None:
    """The M4 competition's naive method on Weekly: sMAPE 9.161 %."""
    weekly = load_m4_weekly()
    assert weekly.train.n_series == 359
    assert weekly.train.ids == weekly.test.ids
    assert weekly.test.lengths.tolist() == [13] * 359
    np.testing.assert_array_equal(weekly.test.ds[weekly.test.offsets[:-1]], weekly.train.last_ds + 1)
    last = np.repeat(weekly.train.y[weekly.train.offsets[1:] - 1], 13)
    smape = 200 * np.abs(weekly.test.y - last) / (np.abs(weekly.test.y) + np.abs(last))
    assert smape.mean() == pytest.approx(9.161, abs=5e-4)


@needs_data
def test_etth1_is_seven_hourly_series() -> None:
    table = load_etth1()
    assert table.ids == ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    assert table.lengths.tolist() == [17_420] * 7
    assert table.frequency.code == "h"
    assert table.ds[0] == np.datetime64("2016-07-01")
    assert table.series(6).y[0] == pytest.approx(30.531, abs=1e-3)
