"""Forecaster: a table of time series in, dated forecasts out, in batch and live."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from recurra.checkpoints import Checkpoint, check_output_folder, save_checkpoint
from recurra.data.columns import Columns, TablePolicy
from recurra.data.forecasts import Forecasts
from recurra.data.frequency import show_stamp
from recurra.data.series import SeriesTable
from recurra.errors import TableError
from recurra.learners.card import DataNote, forecast_card
from recurra.learners.fitting import Fitted
from recurra.learners.forecast_ensemble import fit_ensemble
from recurra.learners.forecast_update import last_learned
from recurra.learners.forecast_use import ForecasterUse
from recurra.learners.parameters import Learner, validate
from recurra.learners.schema import DEFAULT_QUANTILES, ForecasterConfig
from recurra.learners.table_checks import check_table
from recurra.learners.targets import check_target
from recurra.prediction import (
    AnyPredictor,
    ArrivalPolicy,
    EnsemblePredictor,
    EnsembleStream,
    ForecastStream,
    Hindcast,
    saved_predictor,
)
from recurra.prediction.sampling import sample_paths
from recurra.prediction.stamps import refuse_other_clock
from recurra.prediction.support import check_support
from recurra.training import History

TASK = "forecast"
AnyStream = ForecastStream | EnsembleStream


class Forecaster(ForecasterUse, Learner):
    """One recurrent network over all series of a table; forecasts every step ahead from its latest state.

    The network corrects a naive rule that is chosen on the training rows, so that what it has not learned
    it leaves to the rule. It is trained on windows with a loss at every time step, on states that were
    warmed over a random stretch before, and can therefore run for ever as a stream.

    The keywords are described in `recurra.learners.schema.ForecasterConfig`; they are checked at `fit`.

    After `fit`: `network_` (the module), `history_` (every epoch), `frequency_`, `season_`, `context_`,
    `residual_` and `scaling_` (what was chosen), `reasons_` (why, and what fell back), `validation_` (mean
    absolute error on the validation part beside the naive rules), `n_parameters_`, `model_hash_`.

    Example:
        >>> import recurra, numpy as np
        >>> table = {"ds": np.arange(60), "y": np.sin(np.arange(60))}
        >>> model = recurra.Forecaster(horizon=2, unique_id=None, season=6, max_epochs=1)  # doctest: +SKIP
        >>> model.fit(table).predict(table)  # doctest: +SKIP
    """

    schema: ClassVar[type[ForecasterConfig]] = ForecasterConfig

    def __init__(
        self,
        horizon: int = 1,
        *,
        cell: str = "gru",
        hidden_size: int = 32,
        num_layers: int = 1,
        dropout: float = 0.1,
        cell_options: Mapping[str, Any] | None = None,
        decoder: str = "direct",
        segment_length: int | None = None,
        output: str = "quantiles",
        components: int = 3,
        conformal: bool = False,
        context: int | None = None,
        season: int | None = None,
        residual: str = "auto",
        scaling: str = "running",
        past_covariates: Sequence[str] = (),
        future_covariates: Sequence[str] = (),
        static_covariates: Sequence[str] = (),
        calendar: Sequence[str] | str = "auto",
        quantiles: Sequence[float] = DEFAULT_QUANTILES,
        freq: str | None = None,
        unique_id: str | None = "unique_id",
        ds: str = "ds",
        y: str | Sequence[str] = "y",
        date_format: str | None = None,
        categorical: Sequence[str] = (),
        missing: str = "refuse",
        unsorted: str = "refuse",
        gaps: str = "refuse",
        missing_covariates: str = "refuse",
        unseen: str = "refuse",
        validation: float = 0.15,
        max_epochs: int = 40,
        max_seconds: float | None = None,
        batch_size: int = 32,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-2,
        gradient_clip: float | None = 1.0,
        patience: int = 12,
        keep: str = "shown",
        n_ensemble: int = 1,
        seed: int = 0,
        backend: str = "auto",
        device: str = "cpu",
        progress: str = "none",
    ) -> None:
        for name, value in locals().items():
            if name in ForecasterConfig.model_fields:
                setattr(self, name, value)

    def fit(self, table: Any) -> "Forecaster":
        """Learn from a table.

        Args:
            table: pandas, polars, pyarrow, a path to CSV or Parquet, or a `SeriesTable`.

        Returns:
            Itself.

        Raises:
            ConfigError: a keyword is wrong.
            TableError: the table is wrong; the message names row, column and remedy.
            NonFiniteLossError: training diverged; the model keeps its best weights so far.
        """
        config = validate(ForecasterConfig, self.get_params())
        series = self._table(table, config)
        check_target(series, config)
        fitted = fit_ensemble(series, config)
        self._accept(config, fitted, series)
        if fitted.error is not None:
            raise fitted.error
        return self

    def _accept(self, config: ForecasterConfig, fitted: Fitted, series: SeriesTable) -> None:
        spec = fitted.predictor.preparation.spec
        self._config = config
        self._predictor: AnyPredictor = fitted.predictor
        self.history_, self.reasons_, self.validation_ = fitted.history, fitted.reasons, fitted.validation
        self.context_, self._learned = fitted.context, last_learned(series)
        self.updates_: list[dict[str, Any]] = []
        first, last = (show_stamp(stamp, series.time_zone) for stamp in (series.ds.min(), series.ds.max()))
        self._summary = f"{len(series)} rows of {series.n_series} series, {first} to {last}, every {spec.frequency}"
        self._publish()

    def _publish(self) -> None:
        """The fitted attributes that follow from the predictor."""
        spec = self._predictor.preparation.spec
        self.network_ = self._predictor.network
        self.frequency_, self.season_ = spec.frequency, spec.season
        self.residual_, self.scaling_ = spec.reference, spec.scaling
        self.n_parameters_ = sum(p.numel() for p in self.network_.parameters())
        self.model_hash_ = self._predictor.fingerprint

    def predict(self, table: Any, future: Any = None, horizon: int | None = None) -> Any:
        """Dated forecasts of the `horizon` steps after each series' last row.

        Args:
            table: the rows so far, as for `fit`.
            future: the future covariates of those steps, if the model was trained with any; refused if not.
            horizon: steps, if not those that the model was fitted for; more are forecast by feeding back paths.

        Returns:
            The kind of table that came in: one row per series and step, with `forecast` (the median), `mean`
            and one column a quantile; with several targets a row for each, and a column `target` that names it. NaN
            for a series without any known value, here or among the training rows of a scale that is fixed.
        """
        self._require_fit()
        series = self._known_table(table)
        found = self._predictor.forecasts(series, future, self._tables(self._config), horizon)
        return found.to_table(series.columns, series.kind, series.time_zone)

    def forecasts(self, table: Any, future: Any = None, horizon: int | None = None) -> Forecasts:
        """As `predict`, as arrays."""
        self._require_fit()
        return self._predictor.forecasts(self._known_table(table), future, self._tables(self._config), horizon)

    def sample(
        self, table: Any, future: Any = None, *, n_paths: int = 100, seed: int = 0, horizon: int | None = None
    ) -> Any:
        """Possible paths after each series' last row; their steps hang together as those of held-out forecasts did.

        A network that forecasts all steps at once draws the ranks of a path from a Gaussian copula, which was fitted on
        where the validation rows lay in their forecasts; a one-step network draws a value, is shown it, and so on.

        Args:
            table: as for `predict`.
            future: as for `predict`.
            n_paths: paths of each series.
            seed: of the draws; a series' paths depend on it and on the series' name alone.
            horizon: as for `predict`.

        Returns:
            The kind of table that came in: one row per series, path (numbered from 0) and step, with `sample`.
        """
        self._require_fit()
        series = self._known_table(table)
        wanted, tables = (n_paths, seed, horizon), self._tables(self._config)
        if isinstance(self._predictor, EnsemblePredictor):
            paths = self._predictor.sample(series, future, tables, wanted)
        else:
            paths = sample_paths(self._predictor, series, future, tables, wanted)
        return paths.to_table(series.columns, series.kind, series.time_zone)

    def hindcast(self, table: Any, since: int) -> Hindcast:
        """Forecasts made at every row of each series from row number `since` on, each from its own past only.

        One pass over the table: what a stream would have said after each of these rows.

        Args:
            table: as for `fit`; future covariates are read from its own later rows.
            since: first row to forecast from, counted from 0 within each series.
        """
        self._require_fit()
        series = self._known_table(table)
        return self._predictor.hindcast(series, np.full(series.n_series, since))

    def stream(
        self, table: Any = None, late: str = "refuse", repeated: str = "refuse", skipped: str = "refuse"
    ) -> AnyStream:
        """Run live: after every row, the forecast equals `predict` on the rows so far.

        Args:
            table: rows that came before, if any.
            late: a row before the last one seen: "refuse" or "ignore".
            repeated: a row with the last one's time: "refuse" or "ignore".
            skipped: rows missing in between: "refuse", or "mask" (needs missing="mask").
        """
        self._require_fit()
        series = None if table is None else self._known_table(table)
        policy = ArrivalPolicy(late, repeated, skipped)  # type: ignore[arg-type]
        config = self._config
        kind, columns = self._stream_kind, self._columns(config)
        stream: AnyStream = kind(self._predictor, columns, series, policy, self._tables(config))
        return stream

    def restore(self, snapshot: bytes, carry: bool = False) -> AnyStream:
        """The stream that `stream.snapshot()` described; it must be this very model's.

        Args:
            snapshot: its bytes.
            carry: take one of this model before an `update` too, in whatever process that was; see `carry`.
        """
        self._require_fit()
        config = self._config
        stream: AnyStream = self._stream_kind.restore(
            snapshot, self._predictor, self._columns(config), self._tables(config), carry
        )
        return stream

    @property
    def _stream_kind(self) -> Any:
        return EnsembleStream if isinstance(self._predictor, EnsemblePredictor) else ForecastStream

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
        fields = ForecasterConfig.model_fields
        changed = {n: v for n, v in self._config.model_dump().items() if n != "progress" and v != fields[n].default}
        note = DataNote(data_name, data_licence, self._summary)
        fitted = {
            "context": self.context_,
            "reasons": self.reasons_,
            "validation": self.validation_,
            "summary": self._summary,
            "history": self.history_.to_dict(),
            "learned": self._learned,
            "updates": self.updates_,
        }
        config = {
            "task": TASK,
            "settings": self._config.model_dump(mode="json"),
            "fitted": fitted,
            "predictor": self._predictor.to_config(),
        }
        card = forecast_card(changed, note, self.validation_, self.reasons_)
        save_checkpoint(folder, config=config, tensors=self._predictor.to_tensors(), card=card, overwrite=overwrite)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "Forecaster":
        """The model of a folder that was read; see `recurra.load`."""
        config: Any = checkpoint.config
        settings = validate(ForecasterConfig, config["settings"], saved=True)
        model = cls(**settings.model_dump())
        model._config = settings
        model._predictor = saved_predictor(config["predictor"], checkpoint.tensors)
        fitted = config["fitted"]
        model.context_, model.reasons_ = fitted["context"], dict(fitted["reasons"])
        model.validation_, model._summary = dict(fitted["validation"]), fitted["summary"]
        model.history_ = History.from_dict(fitted["history"])
        model.updates_, model._learned = list(fitted.get("updates", ())), dict(fitted.get("learned", {}))
        model._publish()
        return model

    @staticmethod
    def _columns(config: ForecasterConfig) -> Columns:
        first, *more = config.targets
        static = config.static_covariates
        return Columns(config.unique_id, config.ds, first, config.date_format, config.categorical, static, tuple(more))

    @staticmethod
    def _tables(config: ForecasterConfig) -> TablePolicy:
        return TablePolicy(config.missing, config.unsorted, config.gaps, config.missing_covariates)

    def _known_table(self, source: Any) -> SeriesTable:
        """A table with the frequency that was learned, so that it may be too short to show its own."""
        code = self.frequency_.partition("@")[0]
        table = self._table(source, self._config.model_copy(update={"freq": code}))
        check_support(table, self._config.output)
        refuse_other_clock(
            self._predictor.preparation.spec.time_zone, table.time_zone is not None, f"column {self._config.ds!r}"
        )
        if table.frequency.irregular and self._predictor.preparation.spec.step.irregular:
            return replace(table, frequency=self._predictor.preparation.spec.step)
        if table.frequency.code != self.frequency_:
            raise TableError(
                f"the table's rows come every {table.frequency.code!r}, but the model learned {self.frequency_!r}; "
                "bring the table to that frequency, or fit a model on it"
            )
        return table

    def _table(self, source: Any, config: ForecasterConfig) -> SeriesTable:
        covariates = config.past_covariates + config.future_covariates
        table = SeriesTable.from_table(
            source, columns=self._columns(config), covariates=covariates, freq=config.freq, policy=self._tables(config)
        )
        check_table(table, config)
        return table
