"""A trajectory network that runs live: one fix in, the object's possible paths out, constant work and memory."""

import copy
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.tracks import PathForecasts, TrackColumns, TrackPolicy, TrackTable, space_of
from recurra.errors import BadValueError, LateRowError, StreamError
from recurra.models.forecast import State, join_states, select_state
from recurra.prediction.arrivals import Row
from recurra.prediction.snapshot import pack_snapshot, unpack_snapshot
from recurra.prediction.track_arrivals import Clock, Fix, FixReader, TrackArrivalPolicy
from recurra.prediction.track_engine import Engine, engine_of, parts_of
from recurra.prediction.track_motion import Motion, Mover
from recurra.prediction.trajectory import Origins, TrajectoryPredictor

Array = npt.NDArray[np.float64]

KEPT_JUMPS = 1_000


class TrajectoryStream:
    """Many objects that come and go: fixes come in one at a time or a moment at a time, paths come out.

    After every fix the path equals `predict` on the fixes so far. Objects do not touch each other, but for a network
    that sees neighbours, which must be handed all fixes of a moment in one call of `update_many`.

    Args:
        predictor: the trained model.
        columns: names of the columns of the rows.
        table: fixes that came before, if any.
        policy: late and repeated fixes, and when an object is forgotten.
        tables: what to do about the blemishes of tables, and about jumps.
        clock: what the times are.
    """

    def __init__(
        self,
        predictor: TrajectoryPredictor,
        columns: TrackColumns,
        table: TrackTable | None = None,
        policy: TrackArrivalPolicy | None = None,
        tables: TrackPolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._predictor, self.columns = predictor, columns
        self._policy, self._tables = policy or TrackArrivalPolicy(), tables or TrackPolicy()
        self.clock = clock or Clock()
        self._reader = FixReader(columns, self._tables, self.clock)
        self._space = space_of(columns.geographic, predictor.unit)
        self._mover = Mover(predictor.spec, self._space, predictor.shape.lags)
        self._engine: Engine = engine_of(predictor.network)
        self._moving: OrderedDict[str, Motion] = OrderedDict()
        self._closed: dict[str, float] = {}
        self.jumps: deque[tuple[str, float]] = deque(maxlen=KEPT_JUMPS)
        if table is not None:
            for moment in _moments(self._reader.read(table)):
                self._advance(self._accepted(moment))

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the objects that are there, the one seen longest ago first."""
        return tuple(self._moving)

    @property
    def described(self) -> str:
        """How many objects there are, in words."""
        return f"{len(self._moving)} objects"

    def to_rows(self, forecasts: PathForecasts) -> list[dict[str, Any]]:
        """Paths of this stream as one dict per object and step, in the columns of its rows."""
        return forecasts.to_rows(self.columns, stamped=self.clock.stamped, time_zone=self.clock.time_zone)

    def update(self, row: Row) -> PathForecasts:
        """One fix in, that object's path out; no path, and the object in `left_out`, at its first fix.

        Args:
            row: values by column name.

        Raises:
            TableError: the row is wrong; nothing has changed.
            StreamError: it is late or repeated, and the policy refuses that, or the network sees neighbours and this
                moment is over; nothing has changed.
        """
        return self._take([self._reader.read_row(row)])

    def update_many(self, rows: Iterable[Row] | object) -> PathForecasts:
        """Fixes of several objects in, their paths out; those of one moment are advanced in one batched step.

        If any row is refused, none is used.

        Args:
            rows: mappings of column names to values, or any table that `fit` takes.
        """
        fixes = self._reader.read(rows)
        if not fixes:
            raise StreamError("there is no fix to take; hand in at least one")
        return self._take(fixes)

    def _take(self, fixes: Sequence[Fix]) -> PathForecasts:
        """Everything that may be refused is refused first; then nothing can fail."""
        accepted = self._accepted(fixes)
        if len(accepted) == 1:
            self._advance_one(accepted[0])
        else:
            for moment in _moments(accepted):
                self._advance(moment)
        return self._answer(list(dict.fromkeys(fix.name for fix in fixes)))

    def _accepted(self, fixes: Sequence[Fix]) -> list[Fix]:
        """The fixes to use; decided before anything changes."""
        last: dict[str, tuple[float, str]] = {}
        accepted = []
        for fix in fixes:
            before = last.get(fix.name)
            if before is None and (known := self._moving.get(fix.name)) is not None:
                before = known.time, known.scene
            if before is not None and not self._comes_after(fix, *before):
                continue
            if self._predictor.spec.neighbours and fix.time <= self._closed.get(fix.scene, -np.inf):
                raise StreamError(
                    f"row {fix.number} (object {fix.name!r}): the network sees neighbours, and {fix.time:g} s is over; "
                    "hand in all fixes of a moment in one call of update_many"
                )
            if self._tables.jumps == "refuse" and (known := self._moving.get(fix.name)) is not None:
                self._refuse_jump(fix, known)
            last[fix.name] = fix.time, fix.scene
            accepted.append(fix)
        return accepted

    def _comes_after(self, fix: Fix, time: float, scene: str) -> bool:
        """Whether a fix comes after the last one of its object; False if it is to be ignored."""
        place = f"row {fix.number}, column {self.columns.time!r} (object {fix.name!r})"
        if fix.scene != scene:
            raise StreamError(f"{place}: this object was in scene {scene!r} before; give it another name in each scene")
        if fix.time > time:
            return True
        choice, word = (self._policy.repeated, "repeated") if fix.time == time else (self._policy.late, "late")
        if choice == "refuse":
            raise LateRowError(
                f"{place}: this object was seen at that time, or later, already; leave the row out, or open the stream "
                f"with {word}='ignore'"
            )
        return False

    def _refuse_jump(self, fix: Fix, known: Motion) -> None:
        if self._mover.speed(known, fix) > self._limit:
            raise BadValueError(
                f"row {fix.number} (object {fix.name!r}): reached faster than {self._limit:.4g} a second; correct the "
                "fix, or use jumps='flag' or 'cut'"
            )

    @property
    def _limit(self) -> float:
        return self._tables.max_speed or np.inf

    def _moved(self, fix: Fix) -> Motion:
        """The object after a fix, its network's input made but not yet shown."""
        motion = self._moving.get(fix.name)
        if motion is None:
            motion = self._mover.begin(fix)
        else:
            jump = self._limit < np.inf and self._mover.speed(motion, fix) > self._limit
            if jump:
                self.jumps.append((fix.name, fix.time))
            self._mover.move(motion, fix, cut=jump and self._tables.jumps == "cut")
        self._moving[fix.name] = motion
        self._moving.move_to_end(fix.name)
        return motion

    def _advance_one(self, fix: Fix) -> None:
        motion = self._moved(fix)
        if self._predictor.spec.neighbours:
            self._mover.look_around([motion])
            self._closed[fix.scene] = fix.time
        if motion.count >= 2:
            state = motion.state or self._zero_state()
            motion.h, motion.state = self._engine.advance(motion.x, state)
        self._forget(fix.time)

    @torch.inference_mode()
    def _advance(self, moment: Sequence[Fix]) -> None:
        """The fixes of one moment, each of another object, in one step of the network."""
        motions = [self._moved(fix) for fix in moment]
        if self._predictor.spec.neighbours:
            for scene in dict.fromkeys(motion.scene for motion in motions):
                self._mover.look_around([motion for motion in motions if motion.scene == scene])
                self._closed[scene] = moment[0].time
        ready = [motion for motion in motions if motion.count >= 2]
        if ready:
            states = join_states([_as_state(motion.state or self._zero_state()) for motion in ready])
            h, after = self._predictor.network.step(torch.from_numpy(np.stack([m.x for m in ready])), states)
            for i, motion in enumerate(ready):
                motion.h, motion.state = h[i].numpy(), parts_of(select_state(after, [i]))
        self._forget(moment[0].time)

    def _zero_state(self) -> tuple[torch.Tensor, ...]:
        shape = self._predictor.shape
        zero = torch.zeros(shape.num_layers, 1, shape.hidden_size, dtype=torch.float64)
        return (zero, zero.clone()) if shape.cell == "lstm" else (zero,)

    def _forget(self, now: float) -> None:
        limit = self._policy.forget_after_s
        while limit is not None and self._moving:
            name, oldest = next(iter(self._moving.items()))
            if now - oldest.time <= limit:
                return
            del self._moving[name]

    def forget(self, name: str | int) -> None:
        """An object is gone.

        Raises:
            StreamError: if it is not there.
        """
        if str(name) not in self._moving:
            raise StreamError(f"there is no object {name!r}")
        del self._moving[str(name)]

    def forecasts(self) -> PathForecasts:
        """The present paths of all objects, without a new fix.

        Raises:
            StreamError: if there is no object.
        """
        if not self._moving:
            raise StreamError("there is no object; hand in a fix first")
        return self._answer(list(self._moving))

    def _answer(self, names: Sequence[str]) -> PathForecasts:
        there = [(name, self._moving[name]) for name in names if name in self._moving]
        ready = [(name, motion) for name, motion in there if motion.count >= 2]
        short = tuple(name for name, motion in there if motion.count < 2)
        ids = tuple(name for name, _ in ready)
        motions = [motion for _, motion in ready]
        if len(motions) == 1:
            return self._one(ids, motions[0], short)
        origins = Origins.join([self._predictor.nothing(), *(_origin(motion) for motion in motions)])
        position = np.array([m.position for m in motions]).reshape(-1, 2)
        time = np.array([m.time for m in motions], np.float64)
        return replace(self._predictor.draw(origins, ids, position, time, self._space), left_out=short)

    def _one(self, ids: tuple[str, ...], motion: Motion, short: tuple[str, ...]) -> PathForecasts:
        """The path of one object, without torch where the native kernels serve."""
        lagged = motion.lagged.reshape(-1) if self._predictor.shape.lags else None
        drawn = self._engine.draw(motion.h, motion.x, lagged)
        factors = None if drawn.factors is None else drawn.factors[None]
        placed = self._predictor.in_space(
            drawn.weights[None], drawn.means[None], factors, np.array([motion.velocity]), np.array([motion.frame])
        )
        return PathForecasts(
            ids, np.array([motion.position]), np.array([motion.time]), self._predictor.spec.step_s, *placed,
            self._predictor.rho, self._space, short,
        )  # fmt: skip

    def fork(self) -> "TrajectoryStream":
        """An independent copy: fixes that one takes do not reach the other."""
        twin = copy.copy(self)
        twin._moving = OrderedDict((name, motion.copy()) for name, motion in self._moving.items())
        twin._engine, twin._closed = engine_of(self._predictor.network), dict(self._closed)
        twin.jumps = deque(self.jumps, KEPT_JUMPS)
        return twin

    def snapshot(self) -> bytes:
        """The state as bytes, for `restore` after a restart; carries schema version and model fingerprint."""
        motions = list(self._moving.values())
        header = {
            "ids": list(self._moving),
            "scenes": [motion.scene for motion in motions],
            "closed": self._closed,
            "policy": [self._policy.late, self._policy.repeated, self._policy.forget_after_s],
            "clock": [self.clock.stamped, self.clock.time_zone],
        }
        arrays = self._mover.to_arrays(motions, self._zero_state())
        return pack_snapshot(self._predictor.fingerprint, header, arrays)

    @classmethod
    def restore(
        cls, snapshot: bytes, predictor: TrajectoryPredictor, columns: TrackColumns, tables: TrackPolicy | None = None
    ) -> "TrajectoryStream":
        """The stream that was snapshot.

        Raises:
            SnapshotError: if the bytes are damaged, of an unknown schema version, or of another model.
        """
        header, arrays = unpack_snapshot(snapshot, predictor.fingerprint)
        policy = TrackArrivalPolicy(*header["policy"])
        stream = cls(predictor, columns, None, policy, tables, Clock(*header["clock"]))
        motions = stream._mover.from_arrays(arrays, header["scenes"])
        stream._moving = OrderedDict(zip(header["ids"], motions, strict=True))
        stream._closed = dict(header["closed"])
        return stream


def _origin(motion: Motion) -> Origins:
    """Where an object's paths are drawn from."""
    rows = (motion.h, motion.x, motion.lagged.reshape(-1), np.array(motion.velocity), np.array(motion.frame))
    return Origins(*(row[None] for row in rows))


def _as_state(parts: tuple[torch.Tensor, ...]) -> State:
    return (parts[0], parts[1]) if len(parts) == 2 else parts[0]


def _moments(fixes: Sequence[Fix]) -> list[list[Fix]]:
    """Fixes in order of time, those of one time together."""
    moments: list[list[Fix]] = []
    for fix in fixes:
        if not moments or moments[-1][0].time != fix.time:
            moments.append([])
        moments[-1].append(fix)
    return moments
