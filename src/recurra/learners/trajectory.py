"""TrajectoryForecaster: a table of fixes in, possible paths with honest uncertainty out, in batch and live."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from recurra.checkpoints import Checkpoint, check_output_folder, save_checkpoint
from recurra.data.tracks import PathForecasts, TrackColumns, TrackPolicy, TrackTable, resample
from recurra.errors import StreamingUnsupported, TableError
from recurra.evaluation import TrackReport, score_tracks
from recurra.learners.card import DataNote, trajectory_card
from recurra.learners.parameters import Learner, validate
from recurra.learners.trajectory_fitting import GAP_STEPS, FittedTracks, fit_tracks, split_tracks
from recurra.learners.trajectory_schema import TrajectoryConfig
from recurra.prediction.stamps import refuse_other_clock
from recurra.prediction.track_arrivals import Clock, TrackArrivalPolicy
from recurra.prediction.trajectory import TrajectoryPredictor
from recurra.prediction.trajectory_stream import TrajectoryStream
from recurra.training import History

TASK = "trajectory"


class TrajectoryForecaster(Learner):
    """One recurrent network for all objects of a table; draws their possible paths from their latest fix.

    The network is shown velocities, taken from the past only and turned to the heading, and corrects constant
    velocity, so that what it has not learned it leaves to that rule. Fixes may come at any rate: the time since the
    one before is an input, and a gap begins a new piece of track.

    The keywords are described in `recurra.learners.trajectory_schema.TrajectoryConfig`; they are checked at `fit`.

    After `fit`: `network_` (the module), `history_` (every epoch), `step_s_`, `max_gap_s_`, `residual_` and `gain_`
    (what was chosen), `reasons_` (why), `validation_` (mean displacement error on the validation part beside the naive
    rules), `jumps_` (object and time of fixes that were reached absurdly fast), `n_parameters_`, `model_hash_`.

    Example:
        >>> import recurra, numpy as np
        >>> table = {"object": np.repeat([1, 2], 30), "time": np.tile(np.arange(30.0), 2)}
        >>> table |= {"x": np.tile(np.arange(30.0), 2), "y": np.repeat([0.0, 5.0], 30)}
        >>> model = recurra.TrajectoryForecaster(horizon=3, max_epochs=1)  # doctest: +SKIP
        >>> model.fit(table).predict(table)  # doctest: +SKIP
    """

    schema: ClassVar[type[TrajectoryConfig]] = TrajectoryConfig

    def __init__(
        self,
        horizon: int = 12,
        *,
        step_s: float | None = None,
        output: str = "mixture",
        components: int = 8,
        futures: int = 0,
        cell: str = "gru",
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.1,
        context: int = 16,
        align: bool | None = None,
        rotate: bool | None = None,
        mirror: bool | None = None,
        time_scale: float = 1.3,
        jitter: float = 0.0,
        neighbours: int = 0,
        reach: float = 12.0,
        features: Sequence[str] = (),
        place: bool | None = None,
        season: bool | None = None,
        residual: str = "auto",
        lags: int = 4,
        gain: float | None = None,
        max_gap_s: float | None = None,
        resample_s: float | None = None,
        object: str | None = "object",
        time: str = "time",
        x: str = "x",
        y: str = "y",
        scene: str | None = None,
        geographic: bool = False,
        unit: str = "km",
        date_format: str | None = None,
        seconds_per_unit: float = 1.0,
        missing: str = "refuse",
        unsorted: str = "refuse",
        repeated: str = "refuse",
        jumps: str = "flag",
        max_speed: float | None = None,
        split: str = "objects",
        validation: float = 0.15,
        max_epochs: int = 12,
        max_seconds: float | None = None,
        batch_size: int = 256,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        gradient_clip: float | None = 1.0,
        patience: int = 6,
        seed: int = 0,
        backend: str = "auto",
        device: str = "cpu",
        progress: str = "none",
    ) -> None:
        for name, value in locals().items():
            if name in TrajectoryConfig.model_fields:
                setattr(self, name, value)

    def fit(self, table: Any, validation: Any = None) -> "TrajectoryForecaster":
        """Learn from a table of fixes.

        Args:
            table: pandas, polars, pyarrow, a path to CSV or Parquet, or a `TrackTable`.
            validation: a table of the same kind to validate on; by default a part of the first one.

        Returns:
            Itself.

        Raises:
            ConfigError: a keyword is wrong.
            TableError: a table is wrong, or an object is in both of them although the split is by objects; the
                message names row, column and remedy.
            NonFiniteLossError: training diverged; the model keeps its best weights so far.
        """
        config = validate(TrajectoryConfig, self.get_params())
        tracks = self._tracks(table, config)
        held = None if validation is None else self._tracks(validation, config)
        fitted = fit_tracks(tracks, held, config)
        self._accept(config, fitted, tracks)
        if fitted.error is not None:
            raise fitted.error
        return self

    def _accept(self, config: TrajectoryConfig, fitted: FittedTracks, tracks: TrackTable) -> None:
        self._config, self._predictor = config, fitted.predictor
        self.history_, self.reasons_, self.validation_ = fitted.history, fitted.reasons, fitted.validation
        self.jumps_ = tracks.shown_jumps()
        self._limit = None if tracks.max_speed == float("inf") else tracks.max_speed
        self._clock = Clock(tracks.stamped, tracks.time_zone)
        first, last = (tracks.show_time(t) for t in (tracks.time.min(), tracks.time.max()))
        step = fitted.predictor.spec.step_s
        self._summary = f"{len(tracks)} fixes of {tracks.n_tracks} objects, {first} to {last}, steps of {step:g} s"
        self._publish()

    def _publish(self) -> None:
        """The fitted attributes that follow from the predictor."""
        spec, network = self._predictor.spec, self._predictor.network
        self.network_ = network
        self.step_s_, self.max_gap_s_ = spec.step_s, spec.max_gap_s
        self.residual_ = "linear" if network.linear is not None else "constant velocity"
        self.gain_ = float(network.gain)
        self.n_parameters_ = sum(p.numel() for p in network.parameters())
        self.model_hash_ = self._predictor.fingerprint

    @property
    def predictor_(self) -> TrajectoryPredictor:
        """The trained network as an answering object, for windows and rows of a `TrackTable`."""
        self._require_fit()
        return self._predictor

    def predict(self, table: Any) -> Any:
        """The paths of all objects after their last fixes.

        Args:
            table: the fixes so far, as for `fit`.

        Returns:
            The kind of table that came in: one row per object and step, with position and, for distributions, its
            standard deviations; with `futures` also so many possible paths. Objects seen only once since their last
            gap have no velocity and are left out; `forecasts(table).left_out` names them.
        """
        self._require_fit()
        tracks = self._known_tracks(table)
        answer = self._predictor.forecasts(tracks)
        return answer.to_table(
            tracks.columns,
            tracks.kind,
            stamped=tracks.stamped,
            time_zone=tracks.time_zone,
            futures=self._config.futures,
        )

    def forecasts(self, table: Any) -> PathForecasts:
        """As `predict`, as arrays that can be sampled."""
        self._require_fit()
        return self._predictor.forecasts(self._known_tracks(table))

    def hindcast(self, table: Any) -> PathForecasts:
        """The paths from every fix but the first of each piece, each from its own past only, in one pass."""
        self._require_fit()
        return self._predictor.hindcast(self._known_tracks(table))

    def backtest(self, table: Any, share: float = 0.2) -> TrackReport:
        """Score this learner's settings on objects, or a time, that it never saw, beside the naive rules.

        A fresh copy is fitted on the rest; this model itself is left as it is.

        Args:
            table: as for `fit`.
            share: of the objects (or of the time, with split="time") that are held out: those that came last.
        """
        config = validate(TrajectoryConfig, self.get_params())
        tracks = self._tracks(table, config)
        step_s = config.step_s or tracks.usual_step_s
        gap = config.max_gap_s or GAP_STEPS * step_s
        parts = split_tracks(tracks, None, config.model_copy(update={"validation": share}), gap)
        fresh = type(self)(**self.get_params())
        fresh.fit(parts.training)
        return score_tracks(fresh._predictor, parts.training, parts.validation, parts.windows, parts.held)

    def stream(
        self,
        table: Any = None,
        late: str = "refuse",
        repeated: str = "refuse",
        forget_after_s: float | None = None,
    ) -> TrajectoryStream:
        """Run live: after every fix, the path equals `predict` on the fixes so far.

        Args:
            table: fixes that came before, if any.
            late: a fix before the last one of its object: "refuse" or "ignore".
            repeated: a fix with the last one's time: "refuse" or "ignore".
            forget_after_s: objects not seen for so long are forgotten; None keeps them until `forget` is called.
        """
        self._require_fit()
        config = self._config
        if config.resample_s is not None:
            raise StreamingUnsupported(
                "a resampled position is not known before the next fix has come; fit without resample_s, the network "
                "sees uneven steps"
            )
        policy = TrackArrivalPolicy(late, repeated, forget_after_s)  # type: ignore[arg-type]
        tracks = None if table is None else self._known_tracks(table)
        return TrajectoryStream(
            self._predictor, self._columns(config), tracks, policy, self._policy(config, self._limit), self._clock
        )

    def restore(self, snapshot: bytes) -> TrajectoryStream:
        """The stream that `stream.snapshot()` described; it must be this very model's."""
        self._require_fit()
        config = self._config
        policy = self._policy(config, self._limit)
        return TrajectoryStream.restore(snapshot, self._predictor, self._columns(config), policy)

    def save(
        self,
        folder: str | os.PathLike[str],
        overwrite: bool = False,
        data_name: str = "not named",
        data_licence: str = "not stated",
    ) -> None:
        """Write the model as a folder: configuration, weights, manifest and model card.

        Args:
            folder: where; parents are made.
            overwrite: replace a model that is there.
            data_name: what the model card says the data is.
            data_licence: what it says of its licence.

        Raises:
            OutputFolderError: the folder is taken or cannot be written; nothing has changed then.
        """
        self._require_fit()
        check_output_folder(folder, overwrite=overwrite)
        fields = TrajectoryConfig.model_fields
        changed = {n: v for n, v in self._config.model_dump().items() if n != "progress" and v != fields[n].default}
        note = DataNote(data_name, data_licence, self._summary)
        fitted = {
            "reasons": self.reasons_,
            "validation": self.validation_,
            "summary": self._summary,
            "jumps": [[str(name), str(when)] for name, when in self.jumps_],
            "max_speed": self._limit,
            "clock": [self._clock.stamped, self._clock.time_zone],
            "history": self.history_.to_dict(),
        }
        config = {
            "task": TASK,
            "settings": self._config.model_dump(mode="json"),
            "fitted": fitted,
            "predictor": self._predictor.to_config(),
        }
        card = trajectory_card(changed, note, self.validation_, self.reasons_)
        save_checkpoint(folder, config=config, tensors=self._predictor.to_tensors(), card=card, overwrite=overwrite)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "TrajectoryForecaster":
        """The model of a folder that was read; see `recurra.load`."""
        config: Any = checkpoint.config
        settings = validate(TrajectoryConfig, config["settings"])
        model = cls(**settings.model_dump())
        model._config = settings
        model._predictor = TrajectoryPredictor.from_saved(config["predictor"], checkpoint.tensors)
        fitted = config["fitted"]
        model.reasons_, model.validation_ = dict(fitted["reasons"]), dict(fitted["validation"])
        model._summary, model.history_ = fitted["summary"], History.from_dict(fitted["history"])
        model.jumps_ = tuple((name, when) for name, when in fitted["jumps"])
        model._limit, model._clock = fitted["max_speed"], Clock(*fitted["clock"])
        model._publish()
        return model

    @staticmethod
    def _columns(config: TrajectoryConfig) -> TrackColumns:
        return TrackColumns(
            config.object, config.time, config.x, config.y, config.features, config.scene, config.geographic,
            config.date_format, config.seconds_per_unit,
        )  # fmt: skip

    @staticmethod
    def _policy(config: TrajectoryConfig, limit: float | None) -> TrackPolicy:
        return TrackPolicy(config.missing, config.unsorted, config.repeated, config.jumps, limit)

    def _known_tracks(self, source: Any) -> TrackTable:
        """A table whose times are like those learned from, with the limit of a jump that was found at fit."""
        config = self._config
        table = self._tracks(source, config.model_copy(update={"max_speed": self._limit}))
        if table.stamped != self._clock.stamped:
            kinds = ("numbers", "dates")
            raise TableError(
                f"column {config.time!r}: the times are {kinds[table.stamped]}, the model learned from "
                f"{kinds[self._clock.stamped]}; write them alike"
            )
        refuse_other_clock(self._clock.time_zone, table.time_zone is not None, f"column {config.time!r}")
        return table

    def _tracks(self, source: Any, config: TrajectoryConfig) -> TrackTable:
        table = TrackTable.from_table(
            source, columns=self._columns(config), policy=self._policy(config, config.max_speed), unit=config.unit
        )
        if table.columns.geographic != config.geographic or table.columns.features != config.features:
            raise TableError(
                f"the table was read with geographic={table.columns.geographic} and features="
                f"{table.columns.features}; this learner is told {config.geographic} and {config.features}"
            )
        if config.resample_s is None:
            return table
        return resample(table, config.resample_s, config.max_gap_s or GAP_STEPS * config.resample_s)
