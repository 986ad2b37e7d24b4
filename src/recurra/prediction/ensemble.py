"""Several trained forecasters that answer as one: their quantiles averaged, in batch and as a stream."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from recurra.data.columns import Columns, TablePolicy
from recurra.data.forecasts import Forecasts
from recurra.data.preparation import Preparation
from recurra.data.preparation.rows import Rows
from recurra.data.series import SeriesTable
from recurra.errors import StreamError
from recurra.models.distributions import PiecewiseQuantiles
from recurra.prediction.answers import Hindcast
from recurra.prediction.arrivals import Row
from recurra.prediction.fingerprint import fingerprint
from recurra.prediction.forecast import ForecastPredictor
from recurra.prediction.policy import ArrivalPolicy
from recurra.prediction.sampling import Paths, sample_paths
from recurra.prediction.snapshot import LINEAGE, pack_snapshot, unpack_snapshot
from recurra.prediction.stream import ForecastStream
from recurra.shapes import Tensor

MEMBERS = "members"


class EnsemblePredictor:
    """Answers with the mean of its members' quantiles and means, level by level.

    The mean of increasing quantiles increases, so that an ensemble's never cross.

    Args:
        members: trained on the same rows with the same settings but the seed.

    Source: Lichtendahl, Grushka-Cockayne & Winkler 2013 (averaging quantiles rather than probabilities).
    """

    def __init__(self, members: Sequence[ForecastPredictor]) -> None:
        self.members = list(members)
        self.network = torch.nn.ModuleList([member.network for member in self.members])
        first = self.members[0]
        self.shape, self.horizon, self.is_direct = first.shape, first.horizon, first.is_direct
        self.affordable = first.affordable

    @property
    def preparation(self) -> Preparation:
        """That of the members, which is the same."""
        return self.members[0].preparation

    @property
    def lineage(self) -> str:
        """As `ForecastPredictor.lineage`, of all members."""
        return " ".join(member.lineage for member in self.members)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and weights of all members."""
        return fingerprint(self.to_config(), self.to_tensors())

    def forecasts(
        self, table: SeriesTable, future: object = None, tables: TablePolicy | None = None, horizon: int | None = None
    ) -> Forecasts:
        """As `ForecastPredictor.forecasts`."""
        return joined([member.forecasts(table, future, tables, horizon) for member in self.members])

    def hindcast(self, table: SeriesTable, first: Rows, most: int | None = None) -> Hindcast:
        """As `ForecastPredictor.hindcast`."""
        found = [member.hindcast(table, first, most) for member in self.members]
        quantiles = np.mean([one.quantiles for one in found], axis=0)
        mean = np.mean([one.mean for one in found], axis=0)
        below = PiecewiseQuantiles(self.shape.levels, torch.from_numpy(quantiles), torch.from_numpy(mean))
        ranks = below.rank(torch.from_numpy(found[0].actual)).numpy()
        unknown = np.isnan(found[0].actual) | np.isnan(mean)
        return replace(found[0], quantiles=quantiles, mean=mean, ranks=np.where(unknown, np.nan, ranks))

    def sample(
        self, table: SeriesTable, future: object, tables: TablePolicy, wanted: tuple[int, int, int | None]
    ) -> Paths:
        """As `sample_paths`: the members take turns, path i with ranks of its own by member i mod n."""
        n = len(self.members)
        turns = [slice(i, None, n) for i in range(min(n, max(wanted[0], 1)))]
        found = [
            sample_paths(member, table, future, tables, wanted, turn)
            for member, turn in zip(self.members, turns, strict=False)
        ]
        values = np.empty((table.n_series, wanted[0], found[0].values.shape[-1]))
        for turn, paths in zip(turns, found, strict=True):
            values[:, turn] = paths.values
        return Paths(found[0].ids, found[0].ds, values)

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {MEMBERS: [member.to_config() for member in self.members]}

    def to_tensors(self) -> dict[str, Tensor]:
        """The members' tensors, each under its number."""
        return {
            f"{MEMBERS}.{i}.{name}": tensor
            for i, member in enumerate(self.members)
            for name, tensor in member.to_tensors().items()
        }

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "EnsemblePredictor":
        """The ensemble whose configuration and tensors were saved."""
        members = []
        for i, own in enumerate(config[MEMBERS]):
            prefix = f"{MEMBERS}.{i}."
            named = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            members.append(ForecastPredictor.from_saved(own, named))
        return cls(members)


AnyPredictor = ForecastPredictor | EnsemblePredictor


def saved_predictor(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> AnyPredictor:
    """The predictor, single or ensemble, whose configuration and tensors were saved."""
    kind: Any = EnsemblePredictor if MEMBERS in config else ForecastPredictor
    predictor: AnyPredictor = kind.from_saved(config, tensors)
    return predictor


class EnsembleStream:
    """An ensemble that runs live: every member takes every row; see `ForecastStream`.

    Args:
        predictor: the ensemble.
        columns: names of the columns of the rows.
        table: rows that came before, if any.
        policy: late, repeated and skipped rows.
        tables: what to do about the blemishes of tables that are handed in.
    """

    def __init__(
        self,
        predictor: EnsemblePredictor,
        columns: Columns,
        table: SeriesTable | None = None,
        policy: ArrivalPolicy | None = None,
        tables: TablePolicy | None = None,
    ) -> None:
        self._predictor = predictor
        self._streams = [ForecastStream(member, columns, table, policy, tables) for member in predictor.members]
        self.columns, self.time_zone = columns, self._streams[0].time_zone

    @property
    def series(self) -> tuple[str | int, ...]:
        """Names of the streams, in order of arrival."""
        return self._streams[0].series

    @property
    def described(self) -> str:
        """How many streams there are, in words."""
        return self._streams[0].described

    def to_rows(self, forecasts: Forecasts) -> list[dict[str, Any]]:
        """As `ForecastStream.to_rows`."""
        return self._streams[0].to_rows(forecasts)

    def last_seen(self, name: str | int) -> Any:
        """Time stamp of a stream's last row."""
        return self._streams[0].last_seen(name)

    def update(self, row: Row, future: object = None) -> Forecasts:
        """As `ForecastStream.update`; what the first member refuses, none has taken."""
        return joined([stream.update(row, future) for stream in self._streams])

    def update_many(self, rows: Iterable[Row] | object, future: object = None) -> Forecasts:
        """As `ForecastStream.update_many`."""
        kept = list(rows) if isinstance(rows, Iterable) and not hasattr(rows, "columns") else rows
        return joined([stream.update_many(kept, future) for stream in self._streams])

    def forecasts(self, future: object = None) -> Forecasts:
        """As `ForecastStream.forecasts`."""
        return joined([stream.forecasts(future) for stream in self._streams])

    def fork(self) -> "EnsembleStream":
        """An independent copy: rows that one takes do not reach the other."""
        twin = copy.copy(self)
        twin._streams = [stream.fork() for stream in self._streams]
        return twin

    def under(self, predictor: EnsemblePredictor) -> "EnsembleStream":
        """As `ForecastStream.under`, member by member."""
        if predictor.lineage != self._predictor.lineage:
            raise StreamError("the stream is another model's; make a new one with model.stream(table)")
        twin = copy.copy(self)
        twin._predictor = predictor
        twin._streams = [s.under(member) for s, member in zip(self._streams, predictor.members, strict=True)]
        return twin

    def snapshot(self) -> bytes:
        """The members' states as bytes, for `restore` after a restart."""
        arrays = {f"{MEMBERS}.{i}": np.frombuffer(s.snapshot(), np.uint8) for i, s in enumerate(self._streams)}
        return pack_snapshot(self._predictor.fingerprint, {LINEAGE: self._predictor.lineage}, arrays)

    @classmethod
    def restore(
        cls,
        snapshot: bytes,
        predictor: EnsemblePredictor,
        columns: Columns,
        tables: TablePolicy | None = None,
        carry: bool = False,
    ) -> "EnsembleStream":
        """The stream that was snapshot; see `ForecastStream.restore`.

        Raises:
            SnapshotError: if the bytes are damaged, of an unknown schema version, or of another model.
        """
        _, arrays = unpack_snapshot(snapshot, predictor.fingerprint, predictor.lineage if carry else None)
        stream = cls(predictor, columns, None, None, tables)
        stream._streams = [
            ForecastStream.restore(arrays[f"{MEMBERS}.{i}"].tobytes(), member, columns, tables, carry)
            for i, member in enumerate(predictor.members)
        ]
        stream.time_zone = stream._streams[0].time_zone
        return stream


def joined(parts: Sequence[Forecasts]) -> Forecasts:
    """The mean of several forecasts of the same steps."""
    quantiles, mean = (np.mean([getattr(part, name) for part in parts], axis=0) for name in ("quantiles", "mean"))
    return replace(parts[0], quantiles=quantiles, mean=mean)
