"""Rolling-origin backtest: forecast from past origins, seeing only the past, beside the naive rules."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recurra.baselines import Rule, default_context, default_rules
from recurra.data.forecasts import Forecasts, check_levels
from recurra.data.series import SeriesTable
from recurra.data.splits import rolling_origins
from recurra.errors import ConfigError, MissingColumnError, ShapeError
from recurra.evaluation.report import NETWORK, BacktestReport
from recurra.evaluation.rolling import Overlap, Rolling, Window
from recurra.evaluation.windows import WindowErrors, measure_window
from recurra.metrics import mase_scale

Array = npt.NDArray[np.float64]
Ends = npt.NDArray[np.int64]
Predict = Callable[[SeriesTable, SeriesTable | None], Forecasts]
Fit = Callable[[SeriesTable], Predict]


@dataclass(frozen=True)
class _Task:
    """What is the same in every fold."""

    horizon: int
    levels: tuple[float, ...]
    season: int
    future_covariates: tuple[str, ...]

    @property
    def levels_with_median(self) -> tuple[float, ...]:
        return tuple(sorted({*self.levels, 0.5}))


def backtest(  # noqa: PLR0913  every one of them is a choice of the protocol, by keyword
    table: SeriesTable,
    fit: Fit,
    *,
    horizon: int,
    levels: Sequence[float],
    folds: int = 5,
    stride: int | None = None,
    refit: int = False,
    window: Window = "expanding",
    overlap: Overlap = "refuse",
    season: int,
    rules: Sequence[Rule] | None = None,
    future_covariates: Sequence[str] | None = None,
) -> BacktestReport:
    """Score a forecaster on rows it has not seen, at several origins, beside the naive rules.

    At each origin the forecaster is handed the history: a table cut off there; and the future: the next `horizon` rows
    with the target removed. It never gets hold of a target after the origin. The rules get the same history and learn
    exactly when the forecaster does. A series without a known target before an origin takes no part in that fold, and
    without `refit` a series that was not there to learn from takes no part at all.

    Args:
        table: the series with their targets; a missing target is not scored.
        fit: trains on a history and returns `predict(history, future)`, which answers for every series of the history.
        horizon: steps ahead, at least 1.
        levels: quantile levels the forecaster answers with.
        folds: how many origins; the last one lies `horizon` rows before the end.
        stride: rows from one origin to the next; None takes the horizon, so that no row is scored twice.
        refit: learn anew at every so many origins (True: at each), or once (0), on the rows before the first.
        window: "expanding" learns from all rows before an origin, "sliding" from as many as the first origin has.
        overlap: "refuse" a stride below the horizon, or "declare" in the report that rows are scored several times.
        season: rows in one season, for MASE and the seasonal rule.
        rules: the naive rules; None takes `default_rules`, with a shorter linear window where the histories are short:
            at most a third of the rows that the middle one of the series has before the first origin.
        future_covariates: the covariates that are known ahead; only they are in `future`. None hands on every covariate
            of the table, which is right only if all of them are known ahead.

    Returns:
        Scores, comparison and a verdict in words.

    Raises:
        ConfigError: if horizon, folds, stride or rules do not make sense, or two rules share a name.
        MissingColumnError: if a future covariate is not in the table.
        TooShortError: if no series has the rows that the folds ask for.
        ShapeError: if the forecaster answers for other series, steps or levels than it was asked for, or with NaN.
    """
    task = _checked_task(table, horizon, levels, season, future_covariates)
    rolling = Rolling(horizon, horizon if stride is None else stride, int(refit), window, overlap)
    origins = rolling_origins(table, horizon, folds, rolling.stride)
    contenders = list(_default_rules(table, origins[0], horizon, season) if rules is None else rules)
    names = (NETWORK, *(rule.name for rule in contenders))
    if len(contenders) == 0 or len(set(names)) != len(names):
        raise ConfigError(f"the rules are {list(names[1:])}; give at least one, each under a name of its own")
    windows: list[WindowErrors] = []
    predict: Predict | None = None
    learned: list[Rule] = []
    members = np.ones(table.n_series, dtype=np.bool_)
    first = np.zeros(table.n_series, dtype=np.int64)
    for fold, planned in enumerate(origins):
        learns = predict is None or rolling.learns_at(fold)
        ends = _with_known_history(table, planned if learns else np.where(members, planned, 0))
        first = np.where(first > 0, first, ends)
        starts = rolling.starts(ends, first)
        history = table.slice(starts, ends)
        if history.n_series == 0:
            continue
        if predict is None or learns:
            predict = fit(history)
            learned = [copy.copy(rule).fit(history) for rule in contenders]
            members = ends > 0
        windows += _score_fold(table, (starts, ends), predict, learned, task, fold)
    if not windows:
        raise ConfigError("no fold has a known target to score; give fewer folds, a shorter horizon, or more rows")
    seen = {scored.series_id for scored in windows}
    return BacktestReport(
        names=names,
        windows=tuple(windows),
        horizon=horizon,
        stride=rolling.stride,
        folds=len({scored.fold for scored in windows}),
        levels=task.levels,
        season=season,
        refit=rolling.refit,
        window=rolling.window,
        kind=table.kind,
        left_out=tuple(i for i in table.ids if i not in seen),
    )


def _checked_task(
    table: SeriesTable, horizon: int, levels: Sequence[float], season: int, future_covariates: Sequence[str] | None
) -> _Task:
    check_levels(levels)
    if not levels:
        raise ConfigError("levels are empty; a backtest scores at least one quantile level, such as 0.5")
    ahead = tuple(table.covariates) if future_covariates is None else tuple(future_covariates)
    missing = [name for name in ahead if name not in table.covariates]
    if missing:
        raise MissingColumnError(
            f"future covariate {missing[0]!r} is not in the table; it has {list(table.covariates)}"
        )
    return _Task(horizon, tuple(float(level) for level in levels), season, ahead)


def _score_fold(
    table: SeriesTable, bounds: tuple[Ends, Ends], predict: Predict, rules: Sequence[Rule], task: _Task, fold: int
) -> list[WindowErrors]:
    starts, ends = bounds
    history = table.slice(starts, ends)
    after = table.slice(ends, np.where(ends > 0, ends + task.horizon, 0))
    answers = [_checked(predict(history, _without_answers(after, task)), history, task)]
    for rule in rules:
        answers.append(_of_rule(rule.forecast(history, task.horizon, task.levels_with_median), task))
    scored = []
    for i, series_id in enumerate(history.ids):
        past, actual = history.series(i), after.series(i).y
        if np.isnan(actual).all():
            continue
        scale = mase_scale(past.y, task.season)
        points = np.stack([point[i] for point, _ in answers])
        quantiles = np.stack([values[i] for _, values in answers])
        sums, by_step = measure_window(actual, points, quantiles, task.levels, scale)
        known = int(np.sum(~np.isnan(actual)))
        scored.append(WindowErrors(series_id, fold, str(past.ds[-1]), known, scale, sums, by_step))
    return scored


def _without_answers(after: SeriesTable, task: _Task) -> SeriesTable:
    """The rows to forecast without target, and without covariates that nobody can know ahead."""
    known = {name: after.covariates[name] for name in task.future_covariates}
    return replace(after.without_target(), covariates=known)


def _default_rules(table: SeriesTable, first: Ends, horizon: int, season: int) -> list[Rule]:
    rows = int(np.median(first[first > 0]))
    return default_rules(table.frequency, season, min(default_context(season), max((rows - horizon) // 3, 1)))


def _with_known_history(table: SeriesTable, ends: Ends) -> Ends:
    """The same ends, 0 for a series whose target is unknown throughout before its end."""
    known = [bool(np.any(~np.isnan(table.series(i).y[:end]))) for i, end in enumerate(ends)]
    return np.where(known, ends, 0)


def _checked(forecasts: Forecasts, history: SeriesTable, task: _Task) -> tuple[Array, Array]:
    """Medians [series, horizon] and quantiles [series, horizon, level] in the order of the history."""
    if set(forecasts.ids) != set(history.ids) or len(forecasts.ids) != history.n_series:
        raise ShapeError(
            f"the forecaster answered for {len(forecasts.ids)} series, not the {history.n_series} asked for"
        )
    expected = (history.n_series, task.horizon, len(task.levels))
    if forecasts.quantiles.shape != expected or not np.allclose(forecasts.levels, task.levels):
        raise ShapeError(
            f"the forecaster answered with quantiles of shape {forecasts.quantiles.shape} at levels "
            f"{forecasts.levels}; asked for were {expected} at {task.levels}"
        )
    place = {series_id: i for i, series_id in enumerate(forecasts.ids)}
    order = [place[series_id] for series_id in history.ids]
    if not np.array_equal(forecasts.ds[order], history.future_ds(task.horizon)):
        raise ShapeError("the forecaster answered for other time stamps than the ones right after the history")
    if np.isnan(forecasts.quantiles).any():
        bad = forecasts.ids[int(np.argwhere(np.isnan(forecasts.quantiles))[0, 0])]
        raise ShapeError(f"the forecaster answered with NaN for series {bad!r}")
    return forecasts.median[order], forecasts.quantiles[order]


def _of_rule(forecasts: Forecasts, task: _Task) -> tuple[Array, Array]:
    keep = [forecasts.levels.index(level) for level in task.levels]
    return forecasts.median, forecasts.quantiles[:, :, keep]
