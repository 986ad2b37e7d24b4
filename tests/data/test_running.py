"""The causal scaler: row by row and all at once give the same floats; numpy gives the expected statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra.data.running import RunningScaler, RunningState
from recurra.errors import ConfigError

KINDS = ("standard", "mean_abs", "none")
VALUES = st.one_of(st.floats(-1e30, 1e30), st.floats(-10, 10), st.just(np.nan), st.just(3.0))
SERIES = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(0, 30)), elements=VALUES)


@given(y=SERIES, kind=st.sampled_from(KINDS), data=st.data())
def test_row_by_row_chunk_by_chunk_and_all_at_once_are_identical(y: np.ndarray, kind: str, data: st.DataObject) -> None:
    scaler = RunningScaler(kind)  # type: ignore[arg-type]
    whole, shift, scale = scaler.run(scaler.start(len(y)), y)
    state = scaler.start(len(y))
    for t in range(y.shape[1]):
        state, shift_t, scale_t = scaler.update(state, y[:, t])
        np.testing.assert_array_equal(shift_t, shift[:, t])
        np.testing.assert_array_equal(scale_t, scale[:, t])
    cut = data.draw(st.integers(0, y.shape[1]))
    half, shift_a, scale_a = scaler.run(scaler.start(len(y)), y[:, :cut])
    chunked, shift_b, scale_b = scaler.run(half, y[:, cut:])
    np.testing.assert_array_equal(np.concatenate([shift_a, shift_b], 1), shift)
    np.testing.assert_array_equal(np.concatenate([scale_a, scale_b], 1), scale)
    for other in (state, chunked):
        for a, b in zip(whole, other, strict=True):
            np.testing.assert_array_equal(a, b)


@given(y=SERIES, kind=st.sampled_from(KINDS))
def test_scales_are_positive_and_finite(y: np.ndarray, kind: str) -> None:
    scaler = RunningScaler(kind)  # type: ignore[arg-type]
    _, shift, scale = scaler.run(scaler.start(len(y)), y)
    assert np.isfinite(shift).all()
    assert (np.isfinite(scale) & (scale > 0)).all()


@given(y=SERIES.filter(lambda y: y.shape[1] > 1), t=st.integers(0, 29), kind=st.sampled_from(KINDS))
def test_no_row_depends_on_a_later_one(y: np.ndarray, t: int, kind: str) -> None:
    t = min(t, y.shape[1] - 2)
    scaler = RunningScaler(kind)  # type: ignore[arg-type]
    changed = y.copy()
    changed[:, t + 1 :] = 12345.0
    for a, b in zip(
        scaler.run(scaler.start(len(y)), y)[1:], scaler.run(scaler.start(len(y)), changed)[1:], strict=True
    ):
        np.testing.assert_array_equal(a[:, : t + 1], b[:, : t + 1])


@pytest.mark.parametrize("level", [0.0, 1e6, -1e9])
def test_statistics_agree_with_numpy_far_from_zero(rng: np.random.Generator, level: float) -> None:
    """Sums are taken from the first value, so a large level costs no digits."""
    y = level + rng.normal(size=(3, 400))
    y[rng.random(y.shape) < 0.2] = np.nan
    _, shift, scale = RunningScaler().run(RunningScaler().start(3), y)
    for t in (1, 5, 50, 399):
        seen = y[:, : t + 1]
        np.testing.assert_allclose(shift[:, t], np.nanmean(seen, axis=1), rtol=1e-12, atol=1e-12)
        if (np.isfinite(seen).sum(axis=1) > 1).all():
            np.testing.assert_allclose(scale[:, t], np.nanstd(seen, axis=1), rtol=1e-6)


def test_before_anything_varies() -> None:
    _, shift, scale = RunningScaler().run(RunningScaler().start(1), [[np.nan, 5.0, 5.0, 7.0]])
    assert shift.tolist() == [[0.0, 5.0, 5.0, pytest.approx(17 / 3)]]
    assert scale[0, :3].tolist() == [1.0, 1.0, 1.0]
    _, _, scale = RunningScaler("mean_abs").run(RunningScaler().start(1), [[0.0, -4.0]])
    assert scale.tolist() == [[1.0, 2.0]]


def test_the_state_is_plain_arrays_and_kinds_are_checked() -> None:
    assert all(isinstance(part, np.ndarray) for part in RunningScaler().start(2))
    assert RunningState._fields == ("origin", "seen", "total", "square")
    with pytest.raises(ConfigError, match="running scaler"):
        RunningScaler("robust")  # type: ignore[arg-type]
