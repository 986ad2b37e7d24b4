"""What a network is shown of a track: velocities from the past only, seen along the heading, and what stands beside."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.tracks.augmentation import transform
from recurra.data.tracks.neighbours import WIDTH, nearest_rows, neighbour_inputs
from recurra.data.tracks.table import TrackTable
from recurra.errors import ConfigError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STANDING = 1e-9
"""An object slower than this, in usual steps a step, has no heading."""
YEAR_S = 365.2425 * 86_400.0
MOST_SLOW = 4.0


@dataclass(frozen=True)
class InputSpec:
    """How fixes become inputs; fixed at fit.

    At each fix but the first of a piece, with d the way since the fix before and τ the seconds since then:

        v = d step_s / (τ scale)              velocity in usual steps a step
        h = h' + smoothing (v - h')           smoothed velocity; v at the second fix
        R = rotation by minus the direction of h, or the identity if not aligned
        x = [R v, 2 R (v - v'), log(τ / step_s), |h|, turn of h, ...]

    where ' marks the fix before. The last two stand only where inputs are aligned. After them come features, the
    place, the season and the neighbours, where the model has them. Nothing depends on a later fix.

    Attributes:
        step_s: seconds of a step of the horizon, and of a usual step between two fixes.
        max_gap_s: two fixes further apart begin a new piece of track.
        scale: length of a usual step.
        aligned: whether vectors are turned to the heading.
        smoothing: weight of the latest velocity in the heading.
        features: name, middle and spread of each feature.
        place: middle and spread of x and y, where the network may see the place; none where it may not.
        season: whether the network sees the day of the year.
        neighbours: how many of the nearest objects it sees.
        reach: objects further away than this many usual steps are not seen.
    """

    step_s: float
    max_gap_s: float
    scale: float
    aligned: bool = True
    smoothing: float = 0.6
    features: tuple[tuple[str, float, float], ...] = ()
    place: tuple[tuple[float, float], ...] = ()
    season: bool = False
    neighbours: int = 0
    reach: float = 12.0

    @property
    def width(self) -> int:
        """Numbers of one input."""
        own = 5 + 3 * self.aligned + 2 * len(self.features) + len(self.place) + 2 * self.season
        return own + WIDTH * self.neighbours

    def to_config(self) -> dict[str, Any]:
        """The spec as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "InputSpec":
        """What `to_config` wrote."""
        features = tuple((name, middle, spread) for name, middle, spread in config["features"])
        place = tuple((middle, spread) for middle, spread in config["place"])
        return cls(**{**config, "features": features, "place": place})


@dataclass(frozen=True)
class WindowInputs:
    """Inputs of many windows.

    Attributes:
        x: [windows, fixes - 1, width]; the first belongs to the second fix.
        velocity: the way of one step at each of these fixes, in units of length, [windows, fixes - 1, 2].
        frame: cosine and sine of the heading, [windows, fixes - 1, 2].
    """

    x: Floats
    velocity: Floats
    frame: Floats


class TrackInputs:
    """A table as a network sees it; everything that does not depend on a window's beginning is computed once.

    Args:
        table: the tracks.
        spec: how they become inputs.

    Raises:
        ConfigError: if the table was read without the features, or its times are no dates and the season is asked for.
    """

    def __init__(self, table: TrackTable, spec: InputSpec) -> None:
        names = tuple(name for name, _, _ in spec.features)
        if table.columns.features != names:
            raise ConfigError(f"the table was read with the features {table.columns.features}, the model has {names}")
        if spec.season and not table.stamped:
            raise ConfigError("the day of the year needs times that are dates; choose season=False, or give dates")
        self.table, self.spec = table, spec
        lapse = np.where(table.elapsed > 0, table.elapsed, spec.step_s)
        self.velocity = table.steps * (spec.step_s / lapse)[:, None]
        self.lapse = log_lapse(lapse, spec)
        self.beside = beside(table.features, table.position, table.time, spec)
        self.neighbours = np.zeros((len(table), 0, WIDTH))
        if spec.neighbours:
            nearest = nearest_rows(table, spec.neighbours, spec.reach * spec.scale)
            self.neighbours = neighbour_inputs(table, np.arange(len(table)), nearest, self.velocity)

    def windows(self, rows: Ints, matrices: Floats | None = None, errors: Floats | None = None) -> WindowInputs:
        """Inputs of windows of consecutive fixes.

        Args:
            rows: the table's rows of each window, [windows, fixes], within one piece of a track; a shorter window
                repeats its last row, and what belongs to the repetitions means nothing.
            matrices: of an augmentation, [windows, 2, 2].
            errors: by which each fix is moved after that, in usual steps, [windows, fixes, 2].
        """
        spec, later = self.spec, rows[:, 1:]
        velocity, others = self.velocity[later], self.neighbours[later]
        if matrices is not None:
            velocity = transform(velocity, matrices)
            places, moving = transform(others[..., :2], matrices), transform(others[..., 2:4], matrices)
            others = np.concatenate([places, moving, others[..., 4:]], -1)
        if errors is not None:
            velocity = velocity + spec.scale * np.diff(errors, axis=1) / np.exp(self.lapse[later])[..., None]
        v = velocity / spec.scale
        h = smoothed(v, spec.smoothing)
        frame = headings(h) if spec.aligned else np.broadcast_to(np.array([1.0, 0.0]), v.shape)
        change = np.diff(v, axis=1, prepend=v[:, :1])
        parts = [into(frame, v), 2.0 * into(frame, change), self.lapse[later][..., None]]
        if spec.aligned:
            before = np.concatenate([frame[:, :1], frame[:, :-1]], axis=1)
            parts += [np.hypot(h[..., 0], h[..., 1])[..., None], into(before, frame)]
        parts.append(self.beside[later])
        if spec.neighbours:
            parts.append(seen(others, frame, spec).reshape(*v.shape[:2], -1))
        return WindowInputs(np.concatenate(parts, -1), velocity, frame)


def smoothed(v: Floats, smoothing: float) -> Floats:
    """h(t) = h(t-1) + smoothing (v(t) - h(t-1)), h(1) = v(1); [windows, time, 2]."""
    h = np.empty_like(v)
    if v.shape[1]:
        h[:, 0] = v[:, 0]
    for t in range(1, v.shape[1]):
        h[:, t] = h[:, t - 1] + smoothing * (v[:, t] - h[:, t - 1])
    return h


def headings(h: Floats) -> Floats:
    """Cosine and sine of the direction of each vector; those of the first axis where there is none."""
    size = np.hypot(h[..., 0], h[..., 1])[..., None]
    return np.where(size > STANDING, h / np.where(size > STANDING, size, 1.0), np.array([1.0, 0.0]))


def into(frame: Floats, vectors: Floats) -> Floats:
    """Vectors as seen along a heading: turned by minus its angle; shapes broadcast."""
    c, s = frame[..., 0], frame[..., 1]
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([c * x + s * y, c * y - s * x], -1)


def out_of(frame: Floats, vectors: Floats) -> Floats:
    """The exact inverse of `into`."""
    c, s = frame[..., 0], frame[..., 1]
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([c * x - s * y, s * x + c * y], -1)


def log_lapse(elapsed: Floats, spec: InputSpec) -> Floats:
    """How much longer or shorter than usual a step took, as a logarithm within ±4."""
    return np.asarray(np.clip(np.log(elapsed / spec.step_s), -MOST_SLOW, MOST_SLOW))


def beside(features: Floats, position: Floats, time: Floats, spec: InputSpec) -> Floats:
    """What stands beside the motion at each row: features and whether they are known, place, season, [rows, ...]."""
    parts = [np.zeros((len(time), 0))]
    for column, (_, middle, spread) in enumerate(spec.features):
        known = ~np.isnan(features[:, column])
        value = np.where(known, (features[:, column] - middle) / spread, 0.0)
        parts += [value[:, None], known[:, None].astype(np.float64)]
    for axis, (middle, spread) in enumerate(spec.place):
        parts.append(((position[:, axis] - middle) / spread)[:, None])
    if spec.season:
        angle = 2.0 * np.pi * (time / YEAR_S)
        parts.append(np.stack([np.sin(angle), np.cos(angle)], -1))
    return np.concatenate(parts, -1)


def seen(others: Floats, frame: Floats, spec: InputSpec) -> Floats:
    """Neighbours as a network is shown them, [..., count, 5].

    The weight w = 1 / (1 + distance / 2 usual steps) falls with the distance; shown are w times the direction to the
    neighbour, w times its relative velocity, both along the heading, and w.
    """
    place, moving, there = others[..., :2] / spec.scale, others[..., 2:4] / spec.scale, others[..., 4:]
    distance = np.hypot(place[..., 0], place[..., 1])[..., None]
    w = there / (1.0 + distance / 2.0)
    turned = frame[..., None, :]
    direction = into(turned, place / np.where(distance > STANDING, distance, 1.0))
    return np.concatenate([w * direction, w * into(turned, moving), w], -1)
