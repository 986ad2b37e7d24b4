"""From a table to a network's inputs: fitted on training rows, then the same for training, prediction and streams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from recurra.data.calendar import calendar_columns, calendar_features
from recurra.data.preparation.covariates import CovariateEncoder
from recurra.data.preparation.prepared import PreparedRows
from recurra.data.preparation.reference import Array, Reference
from recurra.data.preparation.rows import Rows, fill_missing, gather_lookback
from recurra.data.preparation.running import SMALLEST_STEP, RunningLevel
from recurra.data.preparation.spec import PreparationSpec
from recurra.data.scaling import ScalingKind, SeriesScaler
from recurra.data.series import SeriesTable

Stamps = npt.NDArray[Any]
Covariates = Mapping[str, npt.NDArray[Any]]
VALUES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Preparation:
    """Fitted preparation of a forecasting network's inputs.

    Series that were there at fit keep the level, spread and step of their training rows. Any other
    series, and every series under `scaling="running"`, takes them from its own past, row by row.

    Args:
        spec: what the inputs are made of.
        levels: (shift, scale, step) of each known series.
        past, future: encoders of the covariates.
        linear: weights of the rule "linear", [L, horizon].
    """

    spec: PreparationSpec
    levels: dict[str | int, tuple[float, float, float]]
    past: CovariateEncoder
    future: CovariateEncoder
    linear: Array | None = None

    @classmethod
    def fit(cls, table: SeriesTable, spec: PreparationSpec, linear: Array | None = None) -> "Preparation":
        """Learn scales and encodings from training rows.

        Args:
            table: the training part only.
            spec: what the inputs are made of.
            linear: weights of the rule "linear", fitted on the same rows.
        """
        past = CovariateEncoder.fit(table.covariates, spec.past)
        future = CovariateEncoder.fit(table.covariates, spec.future)
        rule = Reference(spec.reference, spec.season, linear)
        return cls(spec, {} if spec.scaling == "running" else _fit_levels(table, spec, rule), past, future, linear)

    @property
    def rule(self) -> Reference:
        """The rule that forecasts start from."""
        return Reference(self.spec.reference, self.spec.season, self.linear)

    @property
    def n_known(self) -> int:
        """Inputs known in advance of each step."""
        return len(calendar_columns(self.spec.calendar)) + self.future.width

    @property
    def n_inputs(self) -> int:
        """Inputs of the network at each step."""
        return 1 + len(self.spec.lags) + int(self.spec.show_missing) + self.past.width + self.n_known

    @cached_property
    def _level_by_name(self) -> dict[str, tuple[float, float, float]]:
        """By the name as text: a table whose only series is "7" calls it 7."""
        return {str(name): level for name, level in self.levels.items()}

    def fixed_levels(self, ids: Sequence[str | int]) -> Array:
        """(shift, scale, step) of each series as fixed at fit, NaN for one that was not there, [series, 3]."""
        unknown = (np.nan, np.nan, np.nan)
        return np.array([self._level_by_name.get(str(name), unknown) for name in ids]).reshape(len(ids), 3)

    def start_levels(self, ids: Sequence[str | int]) -> Array:
        """Level of each series before its first observation: that of its training rows, or zero, [series]."""
        return np.nan_to_num(self.fixed_levels(ids)[:, 0])

    def rows(self, table: SeriesTable, ahead: Covariates | None = None) -> PreparedRows:
        """Prepare every row of a table.

        Args:
            table: the rows; each is prepared from its own past only.
            ahead: future covariates of the next `horizon` rows of each series, name -> [series * horizon].
        """
        fill, age = fill_missing(table.y, table.offsets, self.rule, self.start_levels(table.ids))
        shift, scale, step = self._levels_by_row(table, fill, age)
        n = len(table.y)
        return PreparedRows(
            spec=self.spec,
            rule=self.rule,
            offsets=table.offsets,
            y=table.y,
            fill=fill,
            age=age,
            shift=shift,
            scale=scale,
            step=step,
            past=self.past.encode(table.covariates, n, table.file_rows),
            known=self._known_by_row(table, ahead),
            owner=table.series_of_rows,
        )

    def calendar(self, ds: Stamps) -> Array:
        """Calendar features of rows with these time stamps, [n, C]."""
        if not self.spec.calendar:
            return np.zeros((len(ds), 0))
        return calendar_features(ds, self.spec.calendar, time_zone=self.spec.time_zone)

    def _known_by_row(self, table: SeriesTable, ahead: Covariates | None) -> Array:
        horizon, future = self.spec.horizon, self.future
        here = np.concatenate(
            [self.calendar(table.ds), future.encode(table.covariates, len(table), table.file_rows)], axis=1
        )
        calendar = self.calendar(table.future_ds(horizon).reshape(-1))
        n = len(calendar)
        after = np.zeros((n, future.width)) if ahead is None else future.encode(ahead, n)
        steps = np.concatenate([calendar, after], axis=1).reshape(table.n_series, horizon, -1)
        bounds = zip(table.offsets[:-1], table.offsets[1:], steps, strict=True)
        return np.concatenate([piece for begin, end, last in bounds for piece in (here[begin:end], last)])

    def _levels_by_row(self, table: SeriesTable, fill: Array, age: Rows) -> tuple[Array, Array, Array]:
        fixed = self.fixed_levels(table.ids)
        shift, scale, step = (np.repeat(column, table.lengths) for column in fixed.T)
        new = np.flatnonzero(np.isnan(fixed[:, 0]))
        errors = one_step_errors(table.y, fill, age, self.rule) if len(new) else fill
        for i in new:
            rows = slice(table.offsets[i], table.offsets[i + 1])
            running = RunningLevel.empty(1, self.spec.memory).over(table.y[rows], errors[rows])
            shift[rows], scale[rows] = running.shift(), running.scale()
            step[rows] = scale[rows] if self.spec.reference == "none" else running.step(scale[rows])
        return shift, scale, step

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON; floats survive it exactly."""
        return {
            "spec": self.spec.to_config(),
            "levels": [[name, *level] for name, level in self.levels.items()],
            "past": self.past.to_config(),
            "future": self.future.to_config(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], linear: Array | None = None) -> "Preparation":
        """The preparation that `to_config` described; `linear` travels beside it, as an array."""
        return cls(
            PreparationSpec.from_config(config["spec"]),
            {name: (float(a), float(b), float(c)) for name, a, b, c in config["levels"]},
            CovariateEncoder.from_config(config["past"]),
            CovariateEncoder.from_config(config["future"]),
            linear,
        )


def one_step_errors(y: Array, fill: Array, age: Rows, rule: Reference) -> Array:
    """Absolute error of the reference rule for each row from the row before; NaN where there is none, [rows]."""
    errors = np.full(len(y), np.nan)
    rows = np.flatnonzero((age >= 1) & ~np.isnan(y))
    if rule.kind != "none":
        for part in np.array_split(rows, max(1, len(rows) * rule.reach // VALUES_AT_ONCE)):
            before = gather_lookback(fill, age, part - 1)
            errors[part] = np.abs(y[part] - rule.next(before, np.zeros(len(part))))
    return errors


def _fit_levels(
    table: SeriesTable, spec: PreparationSpec, rule: Reference
) -> dict[str | int, tuple[float, float, float]]:
    scaler = SeriesScaler(cast("ScalingKind", spec.scaling)).fit(table)
    shift_scale = [scaler.statistics(name) for name in table.ids]
    level = np.array([shift for shift, _ in shift_scale])
    fill, age = fill_missing(table.y, table.offsets, rule, level)
    errors = one_step_errors(table.y, fill, age, rule)
    levels: dict[str | int, tuple[float, float, float]] = {}
    for i, name in enumerate(table.ids):
        shift, scale = shift_scale[i]
        own = errors[table.offsets[i] : table.offsets[i + 1]]
        own = own[~np.isnan(own)]
        step = float(own.mean()) if len(own) else 0.1 * scale
        levels[name] = (shift, scale, scale if spec.reference == "none" else max(step, SMALLEST_STEP * scale))
    return levels
