"""One object of a stream: what is kept of its motion, and its next input from one more fix."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, from_numpy

from recurra.data.tracks import InputSpec, Plane, Space
from recurra.data.tracks.inputs import MOST_SLOW, STANDING, beside, seen
from recurra.data.tracks.neighbours import WIDTH
from recurra.prediction.track_arrivals import Fix

Array = npt.NDArray[np.float64]
Pair = tuple[float, float]


@dataclass(slots=True)
class Motion:
    """What a stream keeps of an object; constant in size.

    Attributes:
        time, position, scene: of its last fix.
        count: fixes of the present piece of its track.
        v, smooth: its latest velocity in usual steps, and the smoothed one.
        velocity: the way of one step at the last fix, in units of length.
        frame: cosine and sine of its heading.
        x: the latest input; lagged: the latest inputs, the last one first, [lags, width].
        h, state: the encoder's output and state.
    """

    time: float
    position: Pair
    scene: str
    count: int
    v: Pair
    smooth: Pair
    velocity: Pair
    frame: Pair
    x: Array
    lagged: Array
    h: Array
    state: tuple[Tensor, ...] | None = None

    def copy(self) -> "Motion":
        """An independent copy."""
        return replace(self, x=self.x.copy(), lagged=self.lagged.copy())


class Mover:
    """Makes inputs fix by fix; equal to `TrackInputs`, which makes those of whole windows.

    Args:
        spec: how fixes become inputs.
        space: that positions lie in.
        lags: latest inputs to keep.
    """

    def __init__(self, spec: InputSpec, space: Space, lags: int) -> None:
        self.spec, self._space, self._lags = spec, space, lags
        self._flat = isinstance(space, Plane)
        self._beside = bool(spec.features or spec.place or spec.season)
        self._gap = spec.max_gap_s * (1.0 + 1e-9)

    def begin(self, fix: Fix) -> Motion:
        """An object that is seen for the first time."""
        nothing = (0.0, 0.0)
        x = np.zeros(self.spec.width)
        return Motion(
            fix.time, (fix.x, fix.y), fix.scene, 1, nothing, nothing, nothing, (1.0, 0.0), x,
            np.zeros((self._lags, self.spec.width)), np.zeros(0),
        )  # fmt: skip

    def way(self, motion: Motion, fix: Fix) -> Pair:
        """From the last fix to this one, as seen here."""
        if self._flat:
            return fix.x - motion.position[0], fix.y - motion.position[1]
        east, north = self._space.step(np.array(motion.position), np.array((fix.x, fix.y)))
        return float(east), float(north)

    def speed(self, motion: Motion, fix: Fix) -> float:
        """How fast a fix would be reached, in units of length a second."""
        return math.hypot(*self.way(motion, fix)) / (fix.time - motion.time)

    def move(self, motion: Motion, fix: Fix, cut: bool = False) -> None:
        """One more fix of an object: its motion and its input, all but what it sees of neighbours."""
        spec = self.spec
        elapsed = fix.time - motion.time
        east, north = self.way(motion, fix)
        share = spec.step_s / elapsed
        motion.velocity = (east * share, north * share)
        motion.time, motion.position = fix.time, (fix.x, fix.y)
        if cut or elapsed > self._gap:
            motion.count, motion.state = 1, None
            motion.lagged[:] = 0.0
            return
        motion.count += 1
        v = (motion.velocity[0] / spec.scale, motion.velocity[1] / spec.scale)
        first = motion.count == 2
        before = v if first else motion.v
        h, frame = self._heading(motion, v, first)
        motion.x = self._input(v, (v[0] - before[0], v[1] - before[1]), h, frame, frame if first else motion.frame)
        self._set(motion.x, elapsed, fix)
        motion.v, motion.smooth, motion.frame = v, h, frame
        if self._lags:
            motion.lagged[1:] = motion.lagged[:-1].copy()
            motion.lagged[0] = motion.x

    def _heading(self, motion: Motion, v: Pair, first: bool) -> tuple[Pair, Pair]:
        a = self.spec.smoothing
        s = motion.smooth
        h = v if first else (s[0] + a * (v[0] - s[0]), s[1] + a * (v[1] - s[1]))
        size = math.hypot(*h)
        if not self.spec.aligned or size <= STANDING:
            return h, (1.0, 0.0)
        return h, (h[0] / size, h[1] / size)

    def _input(self, v: Pair, change: Pair, h: Pair, frame: Pair, before: Pair) -> Array:
        c, s = frame
        x = np.zeros(self.spec.width)
        x[0], x[1] = c * v[0] + s * v[1], c * v[1] - s * v[0]
        x[2], x[3] = 2.0 * (c * change[0] + s * change[1]), 2.0 * (c * change[1] - s * change[0])
        if self.spec.aligned:
            x[5] = math.hypot(*h)
            x[6], x[7] = before[0] * c + before[1] * s, before[0] * s - before[1] * c
        return x

    def _set(self, x: Array, elapsed: float, fix: Fix) -> None:
        """The time since the fix before, and what stands beside the motion."""
        spec = self.spec
        x[4] = min(max(math.log(elapsed / spec.step_s), -MOST_SLOW), MOST_SLOW)
        if self._beside:
            own = beside(np.array([fix.features]), np.array([(fix.x, fix.y)]), np.array([fix.time]), spec)[0]
            begin = 5 + 3 * spec.aligned
            x[begin : begin + len(own)] = own

    def look_around(self, motions: Sequence[Motion]) -> None:
        """Put what each object of a moment and scene sees of the others into its input."""
        count, spec = self.spec.neighbours, self.spec
        place = np.array([m.position for m in motions])
        velocity = np.array([m.velocity for m in motions])
        way = self._space.offset(place[:, None], np.broadcast_to(place[None], (len(motions), *place.shape)))
        distance = np.hypot(way[..., 0], way[..., 1])
        np.fill_diagonal(distance, np.inf)
        for i, motion in enumerate(motions):
            others = np.zeros((count, WIDTH))
            order = np.argsort(distance[i], kind="stable")[:count]
            order = order[distance[i][order] <= spec.reach * spec.scale]
            others[: len(order), :2] = way[i, order]
            others[: len(order), 2:4] = velocity[order] - velocity[i]
            others[: len(order), 4] = 1.0
            if motion.count >= 2:
                motion.x[-count * WIDTH :] = seen(others[None], np.array([motion.frame]), spec)[0].reshape(-1)
                if self._lags:
                    motion.lagged[0] = motion.x

    def to_arrays(self, motions: Sequence[Motion], zero: tuple[Tensor, ...]) -> dict[str, npt.NDArray[Any]]:
        """Everything that is kept of some objects, as arrays."""
        pairs = ("position", "v", "smooth", "velocity", "frame")
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.array([getattr(m, name) for m in motions], np.float64).reshape(-1, 2) for name in pairs
        }
        hidden = zero[0].shape[-1]
        arrays["time"] = np.array([m.time for m in motions], np.float64)
        arrays["count"] = np.array([m.count for m in motions], np.int64)
        arrays["x"] = np.array([m.x for m in motions]).reshape(len(motions), self.spec.width)
        arrays["lagged"] = np.array([m.lagged for m in motions]).reshape(len(motions), self._lags, self.spec.width)
        arrays["h"] = np.array([m.h if len(m.h) else np.zeros(hidden) for m in motions]).reshape(-1, hidden)
        for i, part in enumerate(zero):
            states = [(m.state or zero)[i].numpy() for m in motions]
            arrays[f"state.{i}"] = np.array(states).reshape(-1, *part.shape)
        return arrays

    def from_arrays(self, arrays: dict[str, npt.NDArray[Any]], scenes: Sequence[str]) -> list[Motion]:
        """The objects that `to_arrays` described."""
        parts = sorted(name for name in arrays if name.startswith("state."))

        def pair(name: str, i: int) -> Pair:
            return float(arrays[name][i, 0]), float(arrays[name][i, 1])

        return [
            Motion(
                time=float(arrays["time"][i]),
                position=pair("position", i),
                scene=scene,
                count=int(arrays["count"][i]),
                v=pair("v", i),
                smooth=pair("smooth", i),
                velocity=pair("velocity", i),
                frame=pair("frame", i),
                x=arrays["x"][i].copy(),
                lagged=arrays["lagged"][i].copy(),
                h=arrays["h"][i].copy(),
                state=tuple(from_numpy(arrays[name][i].copy()) for name in parts),
            )
            for i, scene in enumerate(scenes)
        ]
