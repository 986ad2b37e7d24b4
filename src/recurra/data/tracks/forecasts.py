"""What every predictor of paths answers with: a middle path, and a distribution that can be sampled."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recurra.data._places import plain
from recurra.data.frames import to_native
from recurra.data.readers import TableKind
from recurra.data.tracks.columns import TrackColumns
from recurra.data.tracks.geometry import Plane, Space
from recurra.data.tracks.spreading import even_normals
from recurra.errors import ConfigError, ShapeError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PathForecasts:
    """Paths of N objects, `horizon` steps ahead, each seen from its origin.

    Everything but `positions` and `futures` is in the plane that touches the space at the origin, in units of length,
    the first axis to the east.

    Attributes:
        ids: name of each object, [N].
        origin: where it was last seen, [N, 2].
        origin_time: when, seconds, [N].
        step_s: seconds from one step to the next.
        path: the middle path, as offsets from the origin, [N, horizon, 2].
        weights: of the components, [N, K]; K = 0 where there is no distribution.
        means: their paths, [N, K, horizon, 2].
        factors: A of their covariances A A', [N, K, horizon, 2, 2].
        correlation: of standardised misses from one step to the next, within a component.
        space: that the positions lie in.
        left_out: objects that have no velocity yet and so no path.

    Raises:
        ShapeError: if shapes disagree.
    """

    ids: tuple[str | int, ...]
    origin: Floats
    origin_time: Floats
    step_s: float
    path: Floats
    weights: Floats
    means: Floats
    factors: Floats
    correlation: float = 0.0
    space: Space = field(default_factory=Plane)
    left_out: tuple[str | int, ...] = ()

    def __post_init__(self) -> None:
        n, horizon, k = len(self.ids), self.path.shape[1], self.weights.shape[1]
        wanted = {
            "origin": (n, 2), "origin_time": (n,), "path": (n, horizon, 2), "weights": (n, k),
            "means": (n, k, horizon, 2), "factors": (n, k, horizon, 2, 2),
        }  # fmt: skip
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ShapeError(f"{name} is {list(getattr(self, name).shape)}, but the ids and the path want {shape}")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def horizon(self) -> int:
        """How many steps ahead."""
        return int(self.path.shape[1])

    @property
    def has_distribution(self) -> bool:
        """Whether there is more than the middle path."""
        return bool(self.weights.shape[1] > 0)

    @property
    def time(self) -> Floats:
        """When each position is predicted for, seconds, [N, horizon]."""
        return self.origin_time[:, None] + self.step_s * np.arange(1, self.horizon + 1)

    @property
    def positions(self) -> Floats:
        """The middle path as positions, [N, horizon, 2]."""
        return self.space.place(self.origin[:, None], self.path)

    @property
    def covariance(self) -> Floats:
        """Covariance of each position around the middle path, all components together, [N, horizon, 2, 2]."""
        self._require_distribution()
        middle = np.einsum("nk,nkti->nti", self.weights, self.means)
        off = self.means - middle[:, None]
        within = self.factors @ np.swapaxes(self.factors, -1, -2)
        between = off[..., :, None] * off[..., None, :]
        return np.asarray(np.einsum("nk,nktij->ntij", self.weights, within + between))

    def futures(self, count: int, seed: int = 0, how: Literal["draws", "spread"] = "draws") -> Floats:
        """Possible paths as offsets from the origin, [N, count, horizon, 2].

        A future belongs to one component from beginning to end, and its misses hang together over the steps.

        Args:
            count: how many of each object.
            seed: of the draws.
            how: "draws" are independent draws from the distribution of whole paths; "spread" are few futures that cover
                it evenly: components in their shares, misses held at the same share of their spread over all steps.
        """
        self._require_distribution()
        if count < 1 or how not in ("draws", "spread"):
            raise ConfigError(f"futures are counted from 1 and are draws or spread, not {count} and {how!r}")
        n, horizon = len(self), self.horizon
        if how == "spread":
            pick, pairs = even_normals(count)
            pick = np.broadcast_to(pick, (n, count))
            z = np.broadcast_to(pairs[None, :, None], (n, count, horizon, 2))
        else:
            random = np.random.default_rng(seed)
            pick, z = random.random((n, count)), self._misses(random, (n, count))
        component = np.minimum(
            (pick[..., None] > np.cumsum(self.weights, 1)[:, None]).sum(-1), self.weights.shape[1] - 1
        )
        rows = np.arange(n)[:, None]
        moved = np.einsum("nctij,nctj->ncti", self.factors[rows, component], z)
        return np.asarray(self.means[rows, component] + moved)

    def future_positions(self, count: int, seed: int = 0, how: Literal["draws", "spread"] = "draws") -> Floats:
        """As `futures`, as positions, [N, count, horizon, 2]."""
        return self.space.place(self.origin[:, None, None], self.futures(count, seed, how))

    def _misses(self, random: np.random.Generator, shape: tuple[int, int]) -> Floats:
        """z(t) = ρ z(t-1) + sqrt(1 - ρ²) ε(t), [N, count, horizon, 2]."""
        z = random.standard_normal((*shape, self.horizon, 2))
        rest = np.sqrt(1.0 - self.correlation**2)
        for t in range(1, self.horizon):
            z[:, :, t] = self.correlation * z[:, :, t - 1] + rest * z[:, :, t]
        return z

    def ellipses(self, level: float = 0.5, points: int = 48) -> Floats:
        """Outlines of the region that holds each component's position with a probability, [N, K, horizon, points, 2].

        They are positions; of one component the region is the ellipse |A^-1 (x - mean)|² = -2 log(1 - level).
        """
        self._require_distribution()
        if not 0.0 < level < 1.0:
            raise ConfigError(f"level must lie between 0 and 1, not {level}")
        angle = np.linspace(0.0, 2.0 * np.pi, points)
        circle = np.sqrt(-2.0 * np.log(1.0 - level)) * np.stack([np.cos(angle), np.sin(angle)], -1)
        outline = self.means[..., None, :] + np.einsum("nktij,pj->nktpi", self.factors, circle)
        return self.space.place(self.origin[:, None, None, None], outline)

    def by_step(self) -> tuple[Floats, Floats, Floats]:
        """Weights, means and factors with the components next to last: [N, horizon, K, ...]."""
        weights = np.broadcast_to(self.weights[:, None], (len(self), self.horizon, self.weights.shape[1]))
        return weights, np.swapaxes(self.means, 1, 2), np.swapaxes(self.factors, 1, 2)

    def take(self, chosen: Sequence[int] | Ints) -> "PathForecasts":
        """The forecasts of some objects."""
        at = np.asarray(chosen, np.int64)
        return replace(
            self, ids=tuple(self.ids[i] for i in at), origin=self.origin[at], origin_time=self.origin_time[at],
            path=self.path[at], weights=self.weights[at], means=self.means[at], factors=self.factors[at],
        )  # fmt: skip

    def to_columns(
        self, columns: TrackColumns | None = None, *, stamped: bool = False, futures: int = 0, seed: int = 0
    ) -> dict[str, npt.NDArray[Any]]:
        """The paths as flat columns, a row per object, future and step: object, time, step, x, y.

        Where there is a distribution, `sd_x`, `sd_y` and `correlation` of each position stand beside the middle path.
        With `futures` there is a column "future": 0 is the middle path, 1 ... futures are spread over the distribution.

        Args:
            columns: the user's names.
            stamped: whether times are dates.
            futures: how many futures to give besides the middle path.
            seed: of the draws.
        """
        columns = columns or TrackColumns()
        kept = min(futures, 1) * futures
        many = kept + 1
        place = self.positions[:, None]
        if kept:
            place = np.concatenate([place, self.future_positions(kept, seed, "spread")], 1)
        shape = (len(self), many, self.horizon)
        flat: dict[str, npt.NDArray[Any]] = {}
        if columns.object is not None:
            ids = np.array(self.ids) if all(isinstance(i, int) for i in self.ids) else np.array(self.ids, object)
            flat[columns.object] = np.repeat(ids, many * self.horizon)
        if kept:
            flat["future"] = np.broadcast_to(np.arange(many)[None, :, None], shape).reshape(-1)
        time = np.broadcast_to(self.time[:, None], shape).reshape(-1)
        flat[columns.time] = _shown(time, columns, stamped)
        flat["step"] = np.broadcast_to(np.arange(1, self.horizon + 1), shape).reshape(-1)
        flat[columns.x], flat[columns.y] = place[..., 0].reshape(-1), place[..., 1].reshape(-1)
        if self.has_distribution:
            flat |= self._spread_columns(shape)
        return flat

    def _spread_columns(self, shape: tuple[int, int, int]) -> dict[str, Floats]:
        """Standard deviations and correlation of each position, in units of length; NaN in the rows of futures."""
        covariance = self.covariance
        sd = np.sqrt(np.stack([covariance[..., 0, 0], covariance[..., 1, 1]], -1))
        values = {"sd_x": sd[..., 0], "sd_y": sd[..., 1], "correlation": covariance[..., 0, 1] / sd.prod(-1)}
        found = {}
        for name, value in values.items():
            wide = np.full(shape, np.nan)
            wide[:, 0] = value
            found[name] = wide.reshape(-1)
        return found

    def to_table(
        self,
        columns: TrackColumns | None = None,
        kind: TableKind = "pandas",
        *,
        stamped: bool = False,
        time_zone: str | None = None,
        futures: int = 0,
    ) -> Any:
        """As `to_columns`, as a table of this kind."""
        return to_native(self.to_columns(columns, stamped=stamped, futures=futures), kind, time_zone=time_zone)

    def to_rows(
        self, columns: TrackColumns | None = None, *, stamped: bool = False, time_zone: str | None = None
    ) -> list[dict[str, Any]]:
        """As `to_columns`, one dict for each row."""
        table: dict[str, list[Any]] = self.to_table(columns, "columns", stamped=stamped, time_zone=time_zone)
        return [
            {name: plain(value) for name, value in zip(table, row, strict=True)}
            for row in zip(*table.values(), strict=True)
        ]

    def _require_distribution(self) -> None:
        if not self.has_distribution:
            raise ConfigError("these are paths of points without a distribution; fit with output='mixture'")


def _shown(time: Floats, columns: TrackColumns, stamped: bool) -> npt.NDArray[Any]:
    """Times as the user's table has them."""
    if stamped:
        return np.round(time * 1e6).astype(np.int64).astype("datetime64[us]")
    return np.round(time / columns.seconds_per_unit, 9)
