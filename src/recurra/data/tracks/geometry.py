"""The space that objects move in: a plane, or the globe through local tangent planes."""

from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
LengthUnit: TypeAlias = Literal["m", "km"]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG)."""


class Space(Protocol):
    """Positions and the straight way from one to another.

    For every origin, `offset` and `place` are each other's inverse, and the length of an offset is the distance.
    """

    @property
    def unit(self) -> str:
        """The unit of lengths, empty if it is the table's own."""

    def offset(self, origin: npt.ArrayLike, position: npt.ArrayLike) -> Floats:
        """The way from an origin to a position, in the plane that touches the space at the origin, [..., 2]."""

    def place(self, origin: npt.ArrayLike, offset: npt.ArrayLike) -> Floats:
        """The position at the end of a way from an origin, [..., 2]."""

    def step(self, before: npt.ArrayLike, after: npt.ArrayLike) -> Floats:
        """The way from one position to the next, as seen in the plane that touches the space at the next one."""


class Plane:
    """A flat map: offsets are differences."""

    unit = ""

    def offset(self, origin: npt.ArrayLike, position: npt.ArrayLike) -> Floats:
        """Position - origin, [..., 2]."""
        return np.asarray(np.asarray(position, np.float64) - np.asarray(origin, np.float64))

    def place(self, origin: npt.ArrayLike, offset: npt.ArrayLike) -> Floats:
        """Origin + offset, [..., 2]."""
        return np.asarray(np.asarray(origin, np.float64) + np.asarray(offset, np.float64))

    def step(self, before: npt.ArrayLike, after: npt.ArrayLike) -> Floats:
        """After - before, [..., 2]."""
        return self.offset(before, after)


class Globe:
    """A sphere with positions in degrees (longitude, latitude) and azimuthal equidistant tangent planes.

    In the plane at an origin the first axis points east, the second north, every straight line through the origin is
    a great circle and its length the distance on the ground. The date line is no seam, and a way may cross a pole;
    only exactly at a pole east and north are those of the longitude that stands there.

    Args:
        unit: of lengths, "m" or "km".

    Source: Snyder 1987, Map Projections: A Working Manual, pages 191-202 (azimuthal equidistant, spherical form).
    """

    def __init__(self, unit: LengthUnit = "km") -> None:
        self.unit: str = unit
        self.radius = EARTH_RADIUS_M if unit == "m" else EARTH_RADIUS_M / 1000.0

    def offset(self, origin: npt.ArrayLike, position: npt.ArrayLike) -> Floats:
        """East and north of positions as seen from origins, [..., 2].

        east = cos φ' sin Δλ;  north = sin Δφ + 2 sin φ cos φ' sin²(Δλ / 2);  the same direction, stretched to the angle
        between the two, atan2(|(east, north)|, cos of it). Exact also for metres.
        """
        start, end = np.radians(np.asarray(origin, np.float64)), np.radians(np.asarray(position, np.float64))
        turn, phi, phi_ = end[..., 0] - start[..., 0], start[..., 1], end[..., 1]
        east = np.cos(phi_) * np.sin(turn)
        north = np.sin(phi_ - phi) + 2.0 * np.sin(phi) * np.cos(phi_) * np.sin(turn / 2.0) ** 2
        cosine = np.sin(phi) * np.sin(phi_) + np.cos(phi) * np.cos(phi_) * np.cos(turn)
        sine = np.hypot(east, north)
        stretch = np.arctan2(sine, cosine) / np.where(sine > 0.0, sine, 1.0)
        return np.asarray(self.radius * stretch[..., None] * np.stack([east, north], -1))

    def place(self, origin: npt.ArrayLike, offset: npt.ArrayLike) -> Floats:
        """Longitude (from -180 up to 180) and latitude at the end of ways from origins, degrees, [..., 2]."""
        start, way = np.radians(np.asarray(origin, np.float64)), np.asarray(offset, np.float64)
        lam, phi = start[..., 0], start[..., 1]
        length = np.hypot(way[..., 0], way[..., 1])
        angle = length / self.radius
        scale = np.sin(angle) / np.where(length > 0.0, length, 1.0)
        east, north = scale * way[..., 0], scale * way[..., 1]
        out = np.cos(angle) * np.cos(phi) - north * np.sin(phi)
        up = np.cos(angle) * np.sin(phi) + north * np.cos(phi)
        longitude = np.degrees(lam + np.arctan2(east, out))
        latitude = np.degrees(np.arctan2(up, np.hypot(out, east)))
        return np.stack([wrap_longitude(longitude), latitude], -1)

    def step(self, before: npt.ArrayLike, after: npt.ArrayLike) -> Floats:
        """The last step as seen where it ended: the way back, turned round; going on follows the great circle."""
        return -self.offset(after, before)


def space_of(geographic: bool, unit: LengthUnit = "km") -> Space:
    """The space of a table's positions."""
    return Globe(unit) if geographic else Plane()


def wrap_longitude(degrees: npt.ArrayLike) -> Floats:
    """The same longitude from -180 up to, not including, 180.

    >>> wrap_longitude([190.0, -180.5, 180.0, 12.0]).tolist()
    [-170.0, 179.5, -180.0, 12.0]
    """
    given = np.asarray(degrees, np.float64)
    inside = (given >= -180.0) & (given < 180.0)
    return np.asarray(np.where(inside, given, (given + 180.0) % 360.0 - 180.0))
