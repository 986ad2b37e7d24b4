"""The globe against formulas of its own kind, the date line, and the poles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.tracks import Globe, Plane, wrap_longitude

PLACE = st.tuples(st.floats(-180, 179.9), st.floats(-89.9, 89.9))


@given(PLACE, PLACE)
def test_the_length_of_an_offset_is_the_haversine_distance(a: tuple[float, float], b: tuple[float, float]) -> None:
    """Expected: the haversine formula, which is independent of the tangent plane's."""
    globe = Globe("km")
    (l1, p1), (l2, p2) = np.radians(a), np.radians(b)
    h = np.sin((p2 - p1) / 2) ** 2 + np.cos(p1) * np.cos(p2) * np.sin((l2 - l1) / 2) ** 2
    expected = 2 * globe.radius * np.arcsin(np.sqrt(min(h, 1.0)))
    assert np.hypot(*globe.offset(a, b)) == pytest.approx(expected, abs=1e-2)


@given(PLACE, st.floats(-9_000, 9_000), st.floats(-9_000, 9_000))
def test_place_is_the_inverse_of_offset(origin: tuple[float, float], east: float, north: float) -> None:
    globe = Globe("km")
    there = globe.place(origin, (east, north))
    assert np.allclose(globe.offset(origin, there), (east, north), atol=1e-6)
    assert -180 <= there[0] < 180
    assert abs(there[1]) <= 90


def test_the_date_line_is_no_seam() -> None:
    """By hand: a fifth of a degree of longitude on the equator is 0.2 * 111.195 km."""
    globe = Globe("km")
    assert globe.offset((179.9, 0.0), (-179.9, 0.0)) == pytest.approx((0.2 * 111.19508, 0.0), abs=1e-4)
    assert globe.place((179.9, 0.0), (22.239, 0.0))[0] == pytest.approx(-179.9, abs=1e-5)


def test_a_way_may_cross_the_pole() -> None:
    """By hand: from 89 degrees north at 0 east, 222.39 km to the north is 89 degrees north at 180."""
    there = Globe("km").place((0.0, 89.0), (0.0, 2 * 111.19508))
    assert abs(there[0]) == pytest.approx(180.0, abs=1e-6)
    assert there[1] == pytest.approx(89.0, abs=1e-5)
    assert np.hypot(*Globe("km").offset((0.0, 89.0), (180.0, 89.0))) == pytest.approx(2 * 111.19508, abs=1e-3)


def test_metres_are_exact_too() -> None:
    """A walk of three metres to the east and four to the north is five metres long, to a micrometre."""
    globe = Globe("m")
    there = globe.place((13.4, 52.5), (3.0, 4.0))
    assert globe.offset((13.4, 52.5), there) == pytest.approx((3.0, 4.0), abs=1e-6)


def test_going_on_follows_the_great_circle() -> None:
    """Expected: three places on one meridian over the pole; the step seen at the second leads to the third."""
    globe = Globe("km")
    first, second, third = (20.0, 80.0), (20.0, 86.0), (-160.0, 88.0)
    onward = globe.place(second, globe.step(first, second))
    assert onward == pytest.approx(third, abs=1e-6)


def test_on_a_plane_offsets_are_differences() -> None:
    assert Plane().offset((1.0, 2.0), (4.0, 6.0)).tolist() == [3.0, 4.0]
    assert Plane().place((1.0, 2.0), (3.0, 4.0)).tolist() == [4.0, 6.0]


def test_longitudes_within_range_are_left_to_the_bit() -> None:
    assert wrap_longitude(-179.99999999999997) == -179.99999999999997
    assert wrap_longitude(540.0) == -180.0
