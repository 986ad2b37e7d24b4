"""What a forecaster can do beside fitting and predicting: be tested, tuned, updated, explained and drawn."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from recurra.data.forecasts import Forecasts
from recurra.data.frequency import show_stamp
from recurra.data.series import SeriesTable
from recurra.data.targets import find_peers
from recurra.errors import ConfigError, TableError, UpdateWarning
from recurra.evaluation import BacktestReport, Overlap, Window, backtest
from recurra.learners.forecast_update import last_learned, old_rows, update_predictor
from recurra.learners.parameters import validate
from recurra.learners.schema import ForecasterConfig
from recurra.learners.targets import check_target
from recurra.prediction import EnsemblePredictor
from recurra.prediction.attribution import Attribution, explain
from recurra.training.continued import UNHELD, Retention

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from recurra.learners.forecaster import AnyStream, Forecaster
    from recurra.learners.tuning import Choice, Tuned

Self = TypeVar("Self", bound="ForecasterUse")


class ForecasterUse:
    """The part of `Forecaster` that is about using it."""

    def backtest(
        self,
        table: Any,
        folds: int = 8,
        stride: int | None = None,
        refit: int = False,
        window: Window = "expanding",
        overlap: Overlap = "refuse",
    ) -> BacktestReport:
        """Score this learner's settings on rows it never saw, beside the naive rules.

        The origin rolls forward over the last rows of the table. A fresh copy is fitted on the rows before
        the first origin, or before every `refit`-th; this model itself is left as it is.

        Args:
            table: as for `fit`.
            folds: number of origins.
            stride: rows between origins; the horizon by default.
            refit: fit again at every so many origins; True means at each, False only before the first.
            window: "expanding" fits on all rows before the origin, "sliding" on as many as the first origin has.
            overlap: "refuse" a stride below the horizon, or "declare" that rows are scored several times.
        """
        model = cast("Forecaster", self)
        config = validate(ForecasterConfig, model.get_params())
        series = model._table(table, config)
        check_target(series, config)
        notes: list[str] = []

        def fit(history: SeriesTable) -> Callable[[SeriesTable, SeriesTable | None], Forecasts]:
            fresh = type(model)(**model.get_params()).fit(history)
            if fresh.history_.ending == "interrupted":
                raise KeyboardInterrupt
            notes[:] = [f"Intervals: {fresh.reasons_['conformal']}."] if config.conformal else []
            predictor = fresh._predictor
            return lambda history, ahead: predictor.forecasts(history, ahead if config.future_covariates else None)

        report = backtest(
            series,
            fit,
            horizon=config.horizon,
            levels=config.quantiles,
            folds=folds,
            stride=stride,
            refit=refit,
            window=window,
            overlap=overlap,
            season=config.season or series.frequency.season,
            future_covariates=config.future_covariates,
        )
        return replace(report, notes=tuple(notes))

    def update(
        self: Self,
        table: Any,
        *,
        epochs: int = 5,
        learning_rate: float | None = None,
        replay: float = 0.5,
        pull: float = 0.01,
        tolerance: float = 0.01,
    ) -> Self:
        """Go on learning from new rows, without forgetting the old ones.

        New are the rows after the last one of each series that was learned from. What stands before them in the table
        warms the state and is replayed, so hand it in as far as it is at hand. The steps are small, a pull holds the
        weights near the old ones, and if the loss on the old rows has grown by more than `tolerance` the weights go
        back half the way, and again. What was fitted once stays: encodings, the rule's weights, scales that are fixed
        (a series that is new is scaled from its own past), margins and copula. `updates_` tells how each update went;
        streams go on with the old weights until `carry`. Where nothing was learned, or no old row was there to be held
        against, it says so and an `UpdateWarning` is given.

        Args:
            table: rows so far, as for `predict`.
            epochs: passes over the windows that reach into the new rows.
            learning_rate: step size; a tenth of the one at fit by default.
            replay: share of each batch from windows of old rows; 0 says that none are to be handed in.
            pull: weight of the squared distance from the old weights.
            tolerance: by how much the loss on the old rows may grow: a share of a quantile loss, nats of a likelihood.

        Returns:
            Itself.

        Raises:
            TableError: no row is new, or the table is wrong.
            ConfigError: a number is out of range.
        """
        model = cast("Forecaster", self)
        model._require_fit()
        numbers = {"epochs": epochs, "learning_rate": 1.0 if learning_rate is None else learning_rate}
        wrong = [name for name, value in numbers.items() if not value > 0]
        shares = {"pull": pull, "tolerance": tolerance}
        wrong += [name for name, value in shares.items() if not value >= 0]
        if wrong or not 0 <= replay < 1:
            raise ConfigError(f"{(wrong or ['replay'])[0]} is out of range: epochs and learning_rate above 0, pull and "
                              "tolerance 0 or more, replay from 0 to below 1")  # fmt: skip
        series = model._known_table(table)
        old = old_rows(series, model._learned)
        if np.all(old >= series.lengths):
            last = show_stamp(series.ds.max(), series.time_zone)
            raise TableError(f"no row (up to {last}) lies after those that were learned from; add the new ones")
        how = {
            "epochs": epochs,
            "learning_rate": learning_rate,
            "retention": Retention(replay, pull, tolerance),
            "context": model.context_,
        }
        model._predictor, kept = update_predictor(model._predictor, series, old, model._config, how)
        model._learned = {**model._learned, **last_learned(series)}
        told = {"rows": int((series.lengths - old).sum()), "networks": [one.told() for one in kept]}
        model.updates_ = [*model.updates_, told]
        model.reasons_ = {name: why for name, why in model.reasons_.items() if name != "kept"}
        model._publish()
        for reason in dict.fromkeys(one.reason for one in kept if one.reason is not None):
            if reason != UNHELD or replay > 0:
                warnings.warn(f"update: {reason}", UpdateWarning, stacklevel=2)
        return self

    def has_new_rows(self, table: Any) -> bool:
        """Whether any row of a table lies after those of its series that were learned from."""
        model = cast("Forecaster", self)
        model._require_fit()
        series = model._known_table(table)
        return bool((old_rows(series, model._learned) < series.lengths).any())

    def carry(self, stream: "AnyStream") -> "AnyStream":
        """A stream of this model as it was before an update, under its present weights.

        The state is carried as it stands: it was made by the old weights, from which the new ones are not far, and
        fades as rows come in.

        Args:
            stream: made by this model; it is left as it is.

        Raises:
            StreamError: if it is another model's.
        """
        model = cast("Forecaster", self)
        model._require_fit()
        carried: AnyStream = cast("Any", stream).under(model._predictor)
        return carried

    def tune(
        self,
        table: Any,
        trials: int = 20,
        *,
        space: "Mapping[str, Choice] | None" = None,
        storage: str | None = None,
        name: str = "recurra",
        max_seconds: float | None = None,
        seed: int = 0,
    ) -> "Tuned":
        """Choose settings on held-out past rows with Optuna (the extra `tune`); this model itself is left as it is.

        Every trial learns from the rows before the validation part and is held against that part by the quantile loss
        of all steps ahead, in units of the target; one whose loss lags behind after some epochs is pruned, unless the
        space holds settings under which the losses of epochs are not comparable (output, scaling, decoder, conformal).
        A trial that its settings make impossible fails and is told of in `trials`. Settings outside the space are this
        model's. Ctrl-C ends the search; what the storage holds can be gone on with.

        Args:
            table: past rows only, as for `fit`: what the tuned model is to be judged by must not be among them.
            trials: how many there shall be in the end; those of an earlier run with the same storage count.
            space: setting -> values to choose from, or (low, high), or (low, high, "log"); a sensible one by default.
                What says what is forecast (horizon, y, quantiles, validation ...) cannot be tried.
            storage: a path, or a database's address, that keeps the trials, so that the search can go on later with the
                same table, settings and space; another search is refused.
            name: of the study in the storage.
            max_seconds: no trial begins after that.
            seed: of the search.

        Returns:
            `model`, fitted with the best settings; `trials`; and `best`, those settings.
        """
        from recurra.learners.tuning import tune_forecaster

        model = cast("Forecaster", self)
        series = model._table(table, validate(ForecasterConfig, model.get_params()))
        how = {"storage": storage, "name": name, "max_seconds": max_seconds, "seed": seed}
        return tune_forecaster(model, series, space, trials, how)

    def explain(
        self,
        table: Any,
        future: Any = None,
        *,
        series: str | int | None = None,
        step: int = 1,
        lags: int = 28,
        points: int = 64,
    ) -> Attribution:
        """Which inputs, at which lags, make the mean forecast of a step what it is: integrated gradients.

        The forecast is what the rule says, plus the network's correction at average inputs, plus one attribution for
        each input and lag. What the sum leaves unexplained is told as `completeness_error`; more points make it less.

        Args:
            table: the rows so far, as for `predict`.
            future: as for `predict`.
            series: which one; may be left out where there is only one.
            step: which step ahead.
            lags: so many last rows are told one by one, the earlier ones together.
            points: gradients between average and actual inputs.
        """
        model = cast("Forecaster", self)
        model._require_fit()
        rows = model._known_table(table)
        if series is None and rows.n_series > 1:
            raise ConfigError(f"there are {rows.n_series} series; say which one: series={rows.ids[0]!r}")
        place = 0 if series is None else rows.index_of(series)
        kin = find_peers(rows.ids, rows.columns.targets)[place] if rows.columns.more_targets else np.array([place])
        one = rows.select(kin[kin >= 0])
        single = model._predictor.members[0] if isinstance(model._predictor, EnsemblePredictor) else model._predictor
        _, known = single.steps_after(one, future, model._tables(model._config), None)
        return explain(model._predictor, one, known, step, lags, points, one.index_of(rows.ids[place]))

    def plot(self, table: Any, future: Any = None, *, history: int | None = None, most: int = 6) -> "Figure":
        """The forecast of each series as a fan after its last rows (the extra `plots`).

        Args:
            table: the rows so far, as for `predict`.
            future: as for `predict`.
            history: rows shown before the forecast; four horizons, and at least 48, by default.
            most: series drawn, the first ones of the table.

        Returns:
            A matplotlib Figure; write it with `recurra.plots.save`.
        """
        from recurra.plots import FanSeries, fans

        model = cast("Forecaster", self)
        model._require_fit()
        rows = model._known_table(table)
        found = model.forecasts(rows, future)
        shown = max(4 * found.horizon, 48) if history is None else history
        drawn = []
        for i, name in enumerate(rows.ids[:most]):
            part, place = rows.series(i), found.ids.index(name)
            title = str(name) if rows.n_series > 1 or model._config.unique_id is not None else ""
            past = slice(max(len(part) - shown, 0), None)
            drawn.append(
                FanSeries(
                    part.ds[past], part.y[past], found.ds[place], found.levels, found.quantiles[place], title=title
                )
            )
        return fans(drawn, columns=1 if len(drawn) == 1 else 2)
