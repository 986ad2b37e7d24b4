"""A trained trajectory network as an answering object: tracks in, possible paths out."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.tracks import (
    InputSpec,
    LengthUnit,
    PathForecasts,
    Space,
    TrackInputs,
    TrackTable,
    TrackWindows,
    out_of,
)
from recurra.models.trajectory import TrajectoryNetwork, TrajectoryShape
from recurra.prediction.fingerprint import fingerprint
from recurra.shapes import Tensor

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CELLS_AT_ONCE = 400_000
PATHS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Origins:
    """Where paths are drawn from, as the network knows it: one row each.

    Attributes:
        h: the encoder's output, [n, hidden].
        x: the latest input, [n, width].
        lagged: the latest inputs, the last one first, [n, lags * width]; no columns without a linear map.
        velocity: the way of one step, in units of length, [n, 2].
        frame: cosine and sine of the heading, [n, 2].
    """

    h: Array
    x: Array
    lagged: Array
    velocity: Array
    frame: Array

    def take(self, order: Ints) -> "Origins":
        """The same in another order, or some of them."""
        return Origins(self.h[order], self.x[order], self.lagged[order], self.velocity[order], self.frame[order])

    @classmethod
    def join(cls, parts: "list[Origins]") -> "Origins":
        """The origins of several batches as those of one."""
        names = ("h", "x", "lagged", "velocity", "frame")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class TrajectoryPredictor:
    """Answers with paths; the recurrence runs from the first fix of each piece of a track, as a stream does.

    Predictions are computed in float64, whatever the network was trained in.

    Args:
        spec: how fixes become inputs.
        network: the trained network; a float64 copy is made.
        unit: of lengths on the globe.

    `rho` is the correlation of standardised misses from one step to the next.
    """

    def __init__(self, spec: InputSpec, network: TrajectoryNetwork, unit: LengthUnit = "km") -> None:
        self.spec, self.unit = spec, unit
        self.network = copy.deepcopy(network).to(device="cpu", dtype=torch.float64).eval()
        self.shape: TrajectoryShape = network.shape
        self.rho = float(self.network.rho.detach())

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and weights: two predictors with one fingerprint answer alike."""
        return fingerprint(self.to_config(), self.to_tensors())

    def without_correction(self) -> "TrajectoryPredictor":
        """The same with the recurrent correction of the middle path switched off: what is left without it."""
        network = copy.deepcopy(self.network)
        network.gain.zero_()
        return TrajectoryPredictor(self.spec, network, self.unit)

    def forecasts(self, table: TrackTable) -> PathForecasts:
        """The paths of all objects after their last fixes.

        Objects whose last piece of track is a single fix have no velocity, and are named in `left_out`.
        """
        last = table.last_rows
        counts = self._fixes(table)[last]
        short = tuple(table.ids[i] for i in np.flatnonzero(counts < 2))
        return replace(self.at(table, last[counts >= 2]), left_out=short)

    def at(self, table: TrackTable, rows: Ints) -> PathForecasts:
        """The paths from some fixes of a table, each from the fixes up to its own, in one pass over the table.

        Args:
            table: the tracks.
            rows: the fixes, in any order; the first fix of a piece, which has no velocity, gives no path.
        """
        count = self._fixes(table)
        rows = rows[count[rows] >= 2]
        first, window = np.unique(rows - count[rows] + 1, return_inverse=True)
        lengths = np.zeros(len(first), np.int64)
        np.maximum.at(lengths, window, count[rows])
        longest = int(lengths.max(initial=2))
        runs = np.minimum(first[:, None] + np.arange(longest), (first + lengths - 1)[:, None])
        windows = TrackWindows(runs, lengths, np.arange(len(first)))
        return self._answer(table, windows, window, count[rows] - 2)

    def hindcast(self, table: TrackTable) -> PathForecasts:
        """The paths from every fix but the first of each piece of a track, each from its own past only."""
        return self.at(table, np.flatnonzero(self._fixes(table) >= 2))

    def windows(self, table: TrackTable, windows: TrackWindows) -> PathForecasts:
        """The paths from the last fixes of windows, each from a state that has seen its window only."""
        return self._answer(table, windows, np.arange(len(windows)), windows.lengths - 2)

    def _answer(self, table: TrackTable, windows: TrackWindows, window: Ints, at: Ints) -> PathForecasts:
        """The paths from some inputs of windows, in the order given."""
        inputs = TrackInputs(table, self.spec)
        parts, done = [self.nothing()], [np.zeros(0, np.int64)]
        for chosen in _batches(windows.lengths):
            inside = np.flatnonzero(np.isin(window, chosen))
            place = np.searchsorted(chosen, window[inside])
            lengths = windows.lengths[chosen]
            rows = windows.rows[chosen][:, : int(lengths.max())]
            parts.append(self._origins(inputs, rows, lengths, place, at[inside]))
            done.append(inside)
        order = np.argsort(np.concatenate(done), kind="stable")
        origins = Origins.join(parts).take(order)
        last = windows.rows[window, at + 1]
        ids = tuple(table.ids[i] for i in table.owner[last])
        return self.draw(origins, ids, table.position[last], table.time[last], table.space)

    @torch.inference_mode()
    def _origins(self, inputs: TrackInputs, rows: Ints, lengths: Ints, window: Ints, at: Ints) -> Origins:
        seen = inputs.windows(rows)
        x = torch.from_numpy(np.ascontiguousarray(seen.x))
        states, _ = self.network.states(x, None, torch.from_numpy(lengths - 1))
        back = at[:, None] - np.arange(self.shape.lags)
        lagged = np.where((back >= 0)[..., None], seen.x[window[:, None], np.maximum(back, 0)], 0.0)
        h: Array = states.numpy()[window, at]
        return Origins(
            h, seen.x[window, at], lagged.reshape(len(at), -1), seen.velocity[window, at], seen.frame[window, at]
        )

    def nothing(self) -> Origins:
        """No origin at all; what others are joined to."""
        width = self.spec.width
        empty = [np.zeros((0, n)) for n in (self.shape.hidden_size, width, self.shape.lags * width, 2, 2)]
        return Origins(*empty)

    def draw(
        self, origins: Origins, ids: tuple[str | int, ...], position: Array, time: Array, space: Space
    ) -> PathForecasts:
        """The paths from origins: out of the heading's frame, in units of length."""
        parts = [self._paths(origins, slice(i, i + PATHS_AT_ONCE)) for i in range(0, max(len(ids), 1), PATHS_AT_ONCE)]
        path, weights, means, factors = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return PathForecasts(ids, position, time, self.spec.step_s, path, weights, means, factors, self.rho, space)

    @torch.inference_mode()
    def _paths(self, origins: Origins, part: slice) -> tuple[Array, Array, Array, Array]:
        h, x, lagged = (torch.from_numpy(np.ascontiguousarray(a[part])) for a in (origins.h, origins.x, origins.lagged))
        output = self.network.paths(h, x, lagged if self.shape.lags else None)
        factors = None if output.factors is None else output.factors.numpy()
        weights: Array = output.log_weights.exp().numpy()
        return self.in_space(weights, output.means.numpy(), factors, origins.velocity[part], origins.frame[part])

    def in_space(
        self, weights: Array, means: Array, factors: Array | None, velocity: Array, frame: Array
    ) -> tuple[Array, Array, Array, Array]:
        """A network's output in units of length, east and north: middle path, weights, means and factors.

        Args:
            weights: [n, K].
            means: off constant velocity, in usual steps along the heading, [n, horizon, K, 2].
            factors: a, b, c of each component, [n, horizon, K, 3]; None for points.
            velocity: the way of one step at the origins, [n, 2].
            frame: cosine and sine of the heading there, [n, 2].
        """
        scale, (n, horizon) = self.spec.scale, means.shape[:2]
        onward = velocity[:, None] * np.arange(1.0, horizon + 1)[None, :, None]
        paths = onward[:, None] + out_of(frame[:, None, None], scale * np.swapaxes(means, 1, 2))
        path = (weights[:, :, None, None] * paths).sum(1)
        if factors is None:
            return path, np.zeros((n, 0)), np.zeros((n, 0, horizon, 2)), np.zeros((n, 0, horizon, 2, 2))
        a, b, c = np.moveaxis(scale * np.swapaxes(factors, 1, 2), -1, 0)
        cosine, sine = frame[:, 0, None, None], frame[:, 1, None, None]
        turned = np.empty((*a.shape, 2, 2))
        turned[..., 0, 0], turned[..., 0, 1] = cosine * a - sine * b, -sine * c
        turned[..., 1, 0], turned[..., 1, 1] = sine * a + cosine * b, cosine * c
        return path, weights, paths, turned

    def _fixes(self, table: TrackTable) -> Ints:
        """How many fixes of its piece have come at each row, [rows]."""
        piece = table.pieces(self.spec.max_gap_s)
        return np.arange(len(table)) - np.searchsorted(piece, piece) + 1

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {"network": asdict(self.shape), "inputs": self.spec.to_config(), "unit": self.unit}

    def to_tensors(self) -> dict[str, Tensor]:
        """The weights, in the float32 they were trained in."""
        return {name: tensor.to(torch.float32) for name, tensor in self.network.state_dict().items()}

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "TrajectoryPredictor":
        """The predictor whose configuration and weights were saved."""
        with torch.random.fork_rng(devices=[]):
            network = TrajectoryNetwork(TrajectoryShape(**config["network"]))
        network.load_state_dict(dict(tensors))
        return cls(InputSpec.from_config(config["inputs"]), network, cast("LengthUnit", config["unit"]))


def _batches(lengths: Ints) -> Iterator[Ints]:
    """Windows of about the same length, as many as fit into memory at once; each batch in increasing order."""
    order = np.argsort(lengths, kind="stable")
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < min(len(order), begin + PATHS_AT_ONCE) and (end + 1 - begin) * lengths[order[end]] <= CELLS_AT_ONCE:
            end += 1
        yield np.sort(order[begin:end])
        begin = end
