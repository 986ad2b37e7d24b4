"""The fixed scaler: expected statistics come from numpy and from a normal distribution's quartiles."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.data.frequency import Frequency
from recurra.data.scaling import SeriesScaler
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError, NotFittedError, TableError

KINDS = ("standard", "mean_abs", "robust", "none")
FLOATS = st.floats(-1e30, 1e30, allow_nan=False, width=64)


def table(*series: object) -> SeriesTable:
    y = [np.asarray(values, float) for values in series]
    lengths = [len(values) for values in y]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ds = np.concatenate([np.arange(n) for n in lengths])
    return SeriesTable(tuple("abcdefgh"[: len(y)]), offsets, ds, np.concatenate(y), {}, Frequency.parse("1"))


def test_statistics_of_each_kind() -> None:
    y = [1.0, 2.0, 4.0, np.nan, 9.0]
    known = np.array([1.0, 2.0, 4.0, 9.0])
    assert SeriesScaler("standard").fit(table(y)).statistics("a") == (known.mean(), known.std())
    assert SeriesScaler("mean_abs").fit(table([-1.0, 3.0])).statistics("a") == (0.0, 2.0)
    assert SeriesScaler("none").fit(table(y)).statistics("a") == (0.0, 1.0)
    shift, scale = SeriesScaler("robust").fit(table(y)).statistics("a")
    assert shift == 3.0
    assert scale == pytest.approx((np.quantile(known, 0.75) - np.quantile(known, 0.25)) / 1.3489795003921634)


def test_robust_agrees_with_the_deviation_of_a_normal_distribution(rng: np.random.Generator) -> None:
    shift, scale = SeriesScaler("robust").fit(table(rng.normal(5, 3, 100_000))).statistics("a")
    assert (shift, scale) == (pytest.approx(5, abs=0.05), pytest.approx(3, abs=0.05))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("y", [[0.1] * 7, [0.0, 0.0], [5.0], [np.nan, np.nan], [1e30, 1e30]])
def test_a_series_without_variation_has_scale_1_or_its_own_size(kind: str, y: list[float]) -> None:
    """Nothing is divided by zero: scale is 1, or the mean size for "mean_abs"."""
    scaler = SeriesScaler(kind).fit(table(y))  # type: ignore[arg-type]
    shift, scale = scaler.statistics("a")
    assert scale == (pytest.approx(abs(y[0])) if kind == "mean_abs" and y[0] and y[0] == y[0] else 1.0)
    assert shift in (0.0, y[0])
    assert np.isfinite(scaler.transform([[y[0]]], ["a"])).all() or np.isnan(y[0])


def test_a_mostly_constant_series_keeps_a_scale_under_robust() -> None:
    """Its quartiles coincide, so the standard deviation stands in."""
    y = [1.0] * 9 + [11.0]
    assert SeriesScaler("robust").fit(table(y)).statistics("a") == (1.0, pytest.approx(np.std(y)))


@given(y=hnp.arrays(np.float64, st.integers(1, 20), elements=FLOATS), kind=st.sampled_from(KINDS))
def test_scaling_is_inverted_exactly(y: np.ndarray, kind: str) -> None:
    """To rounding: a few units in the last place of the largest number that enters."""
    scaler = SeriesScaler(kind).fit(table(y))  # type: ignore[arg-type]
    back = scaler.inverse(scaler.transform(y[None], ["a"]), ["a"])[0]
    bound = 8 * np.finfo(float).eps * (np.abs(y).max() + abs(scaler.statistics("a")[0]))
    assert np.all(np.abs(back - y) <= bound + 1e-300)


def test_each_series_has_its_own_statistics_on_every_axis() -> None:
    scaler = SeriesScaler().fit(table([0.0, 2.0], [10.0, 30.0]))
    values = np.ones((2, 3, 4))
    scaled = scaler.transform(values, ["b", "a"])
    np.testing.assert_array_equal(scaled[0], np.full((3, 4), -1.9))
    np.testing.assert_array_equal(scaled[1], np.zeros((3, 4)))
    both = table([0.0, 2.0], [10.0, 30.0])
    np.testing.assert_array_equal(scaler.transform_table(both), [-1, 1, -1, 1])


def test_a_scaler_survives_json_bit_for_bit(rng: np.random.Generator) -> None:
    scaler = SeriesScaler("robust").fit(table(rng.normal(size=9), rng.normal(size=7)))
    again = SeriesScaler.from_config(json.loads(json.dumps(scaler.to_config())))
    assert again.kind == "robust"
    assert [again.statistics(i) for i in "ab"] == [scaler.statistics(i) for i in "ab"]
    assert SeriesScaler.from_config(SeriesScaler().to_config()).to_config() == SeriesScaler().to_config()


def test_what_a_scaler_refuses() -> None:
    with pytest.raises(ConfigError, match="'minmax'"):
        SeriesScaler("minmax")  # type: ignore[arg-type]
    with pytest.raises(NotFittedError, match="fit"):
        SeriesScaler().statistics("a")
    with pytest.raises(TableError, match="'z' was not among the training rows"):
        SeriesScaler().fit(table([1.0, 2.0])).transform([[1.0]], ["z"])
