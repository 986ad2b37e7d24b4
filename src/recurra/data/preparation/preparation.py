"""From a table to a network's inputs: fitted on training rows, then the same for training, prediction and streams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from recurra.data.calendar import calendar_columns, calendar_features
from recurra.data.preparation.covariates import CovariateEncoder, NumericColumn, Unseen
from recurra.data.preparation.gaps import missing_cells, steps_on, steps_since, table_gaps
from recurra.data.preparation.peers import peer_width
from recurra.data.preparation.prepared import PreparedRows
from recurra.data.preparation.reference import VALUES_AT_ONCE, Array, Reference
from recurra.data.preparation.rows import Rows, fill_missing, gather_lookback
from recurra.data.preparation.running import SMALLEST_STEP, RunningLevel
from recurra.data.preparation.spec import PreparationSpec
from recurra.data.preparation.units import in_model_units, to_table_units
from recurra.data.preparation.windowed import WindowLevel
from recurra.data.scaling import ScalingKind, SeriesScaler
from recurra.data.series import SeriesTable
from recurra.data.targets import find_peers

Stamps = npt.NDArray[Any]
Covariates = Mapping[str, npt.NDArray[Any]]
LONG = 64
"""Look-backs of a linear rule from which on products of many rows are quicker than windows."""
NO_COLUMNS = CovariateEncoder({})


@dataclass(frozen=True)
class Preparation:
    """Fitted preparation of a forecasting network's inputs.

    Series that were there at fit keep the level, spread and step of their training rows. Any other
    series, and every series under a scaling that follows the past, takes them from its own past, row by row.

    Args:
        spec: what the inputs are made of.
        levels: (shift, scale, step) of each known series.
        past, future: encoders of the covariates.
        linear: weights of the rule "linear", [L, horizon].
        static: encoder of the columns with one value a series.
        elapsed: mean and deviation of the logarithm of the time between rows, if they come at any time.
    """

    spec: PreparationSpec
    levels: dict[str | int, tuple[float, float, float]]
    past: CovariateEncoder
    future: CovariateEncoder
    linear: Array | None = None
    static: CovariateEncoder = NO_COLUMNS
    elapsed: NumericColumn | None = None

    @classmethod
    def fit(
        cls,
        table: SeriesTable,
        spec: PreparationSpec,
        linear: Array | None = None,
        masked: bool = False,
        unseen: Unseen = "refuse",
    ) -> "Preparation":
        """Learn scales and encodings from training rows.

        Args:
            table: the training part only.
            spec: what the inputs are made of.
            linear: weights of the rule "linear", fitted on the same rows.
            masked: whether past and future covariates may be missing.
            unseen: what to do about a category that is not among these rows.
        """
        table = in_model_units(table, spec.scaling)
        past = CovariateEncoder.fit(table.covariates, spec.past, masked, unseen)
        future = CovariateEncoder.fit(table.covariates, spec.future, masked, unseen)
        static = CovariateEncoder.fit(table.covariates, spec.static, unseen=unseen)
        levels = {} if spec.follows else _fit_levels(table, spec, Reference(spec.reference, spec.season, linear))
        return cls(spec, levels, past, future, linear, static, _fit_elapsed(table))

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
        spec = self.spec
        target = 1 + len(spec.lags) + int(spec.show_missing) + int(spec.show_gap)
        past = (self.elapsed is not None) + self.past.width + self.static.width
        return target + past + peer_width(len(spec.targets), spec.show_missing) + self.n_known

    @property
    def masked(self) -> tuple[str, ...]:
        """The covariates that may be missing, past ones first."""
        return self.past.masked + self.future.masked

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
        fixed = self.fixed_levels(ids)[:, 0]
        return np.where(np.isnan(fixed), 0.0, fixed)

    def rows(self, table: SeriesTable) -> PreparedRows:
        """Prepare every row of a table.

        Args:
            table: the rows; each is prepared from its own past only.

        Raises:
            BadValueError: for a category that is not known, and a negative value under a log scale.
        """
        table = in_model_units(table, self.spec.scaling)
        fill, age = self.filled(table)
        shift, scale, step = self._levels_by_row(table, fill, age)
        since = self.gaps(table)
        apart = np.zeros(len(table)) if self.elapsed is None else table_gaps(table.ds, table.offsets)
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
            since=steps_since(~np.isnan(table.y), table.offsets),
            past=self.past_inputs(table.covariates, apart, table.file_rows, since),
            known=self._known_by_row(table, since),
            owner=table.series_of_rows,
            begun=(age >= 0) | ~np.isnan(np.repeat(self.fixed_levels(table.ids)[:, 0], table.lengths)),
            peers=find_peers(table.ids, self.spec.targets) if self.spec.targets else None,
        )

    def filled(self, table: SeriesTable) -> tuple[Array, Rows]:
        """Every row's value for the rule, and its age; see `fill_missing`. The rule "none" forecasts the level by then.

        Args:
            table: in the units of the model.
        """
        fill, age = fill_missing(table.y, table.offsets, self.rule, self.start_levels(table.ids))
        gaps = np.isnan(table.y) & (age >= 0)
        if self.spec.reference == "none" and gaps.any():
            level, _, _ = self._levels_by_row(table, fill, age)
            fill = np.where(gaps, level, fill)
        return fill, age

    def past_inputs(
        self, covariates: Covariates, gaps: Array, rows: Rows | None = None, since: Mapping[str, Rows] | None = None
    ) -> Array:
        """What is known at rows beside their targets and not in advance, [n, P].

        Args:
            covariates: name -> [n].
            gaps: logarithm of the time since the row before, NaN where there is none, [n].
            rows: numbers of the rows in the user's table, for errors.
            since: rows since each covariate that may be missing was known, name -> [n].
        """
        n = len(gaps)
        parts = [self.past.encode(covariates, n, rows, since), self.static.encode(covariates, n, rows)]
        if self.elapsed is not None:
            parts.insert(0, self.elapsed.encode(gaps)[:, :1])
        return np.concatenate(parts, axis=1)

    def gaps(self, table: SeriesTable) -> dict[str, Rows]:
        """Rows since each covariate that may be missing was known, name -> [rows]."""
        return {name: steps_since(~missing_cells(table.covariates[name]), table.offsets) for name in self.masked}

    def future_inputs(self, ahead: Covariates, since: Mapping[str, Rows], n: int, steps: int) -> Array:
        """Encoded future covariates of the steps after some origins, [n, steps, F].

        Args:
            ahead: name -> [n * steps].
            since: rows since each of them that may be missing was known, at the origin, name -> [n].
            n: number of origins.
            steps: steps after each.
        """
        on = {
            name: steps_on(since[name], ~missing_cells(ahead[name]).reshape(n, steps)).reshape(-1)
            for name in self.future.masked
        }
        return self.future.encode(ahead, n * steps, since=on).reshape(n, steps, self.future.width)

    def in_units(self, values: Array) -> Array:
        """What the network says in the units of the target; same shape."""
        return to_table_units(values, self.spec.scaling)

    def calendar(self, ds: Stamps) -> Array:
        """Calendar features of rows with these time stamps, [n, C]."""
        if not self.spec.calendar:
            return np.zeros((len(ds), 0))
        return calendar_features(ds, self.spec.calendar, time_zone=self.spec.time_zone)

    def _known_by_row(self, table: SeriesTable, since: Mapping[str, Rows]) -> Array:
        """Of every row, and of the steps after each series; the future covariates of these are zero, not known."""
        horizon, future = self.spec.horizon, self.future
        ahead = table.future_ds(horizon).reshape(-1)
        calendar = self.calendar(np.concatenate([table.ds, ahead]))
        encoded = future.encode(table.covariates, len(table), table.file_rows, since)
        here = np.concatenate([calendar[: len(table)], encoded], axis=1)
        unknown = np.zeros((table.n_series, horizon, future.width))
        steps = np.concatenate([calendar[len(table) :].reshape(table.n_series, horizon, -1), unknown], axis=2)
        bounds = zip(table.offsets[:-1], table.offsets[1:], steps, strict=True)
        return np.concatenate([piece for begin, end, last in bounds for piece in (here[begin:end], last)])

    def _levels_by_row(self, table: SeriesTable, fill: Array, age: Rows) -> tuple[Array, Array, Array]:
        fixed = self.fixed_levels(table.ids)
        shift, scale, step = (np.repeat(column, table.lengths) for column in fixed.T)
        new = np.flatnonzero(np.isnan(fixed[:, 0]))
        errors = one_step_errors(table.y, fill, age, self.rule) if len(new) else fill
        lengths = table.lengths
        for length in sorted(set(lengths[new].tolist())):
            alike = new[lengths[new] == length]
            rows = table.offsets[alike, None] + np.arange(length)
            shift[rows], scale[rows], step[rows] = self.following(1).over(table.y[rows], errors[rows])
            if self.spec.reference == "none":
                step[rows] = scale[rows]
        return shift, scale, step

    def following(self, n: int) -> RunningLevel | WindowLevel:
        """Level and scale of n streams that take them from their own past; nothing seen yet."""
        kind = WindowLevel if self.spec.scaling == "instance" else RunningLevel
        return kind.empty(n, self.spec.memory)

    def to_config(self) -> dict[str, Any]:
        """Plain values for JSON; floats survive it exactly. What older models do not have is left out if not used."""
        config: dict[str, Any] = {
            "spec": self.spec.to_config(),
            "levels": [[name, *level] for name, level in self.levels.items()],
            "past": self.past.to_config(),
            "future": self.future.to_config(),
        }
        if self.static.columns:
            config["static"] = self.static.to_config()
        if self.elapsed is not None:
            config["elapsed"] = [self.elapsed.mean, self.elapsed.deviation]
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], linear: Array | None = None) -> "Preparation":
        """The preparation that `to_config` described; `linear` travels beside it, as an array."""
        return cls(
            PreparationSpec.from_config(config["spec"]),
            {name: (float(a), float(b), float(c)) for name, a, b, c in config["levels"]},
            CovariateEncoder.from_config(config["past"]),
            CovariateEncoder.from_config(config["future"]),
            linear,
            CovariateEncoder.from_config(config.get("static", ())),
            NumericColumn(config["elapsed"][0], config["elapsed"][1], True) if "elapsed" in config else None,
        )


def _fit_elapsed(table: SeriesTable) -> NumericColumn | None:
    """Mean and deviation of the logarithm of the time between rows, if they come at any time."""
    if not table.frequency.irregular:
        return None
    gaps = table_gaps(table.ds, table.offsets)
    encoder = CovariateEncoder.fit({"gap": gaps}, ("gap",), masked=True)
    column = encoder.columns["gap"]
    assert isinstance(column, NumericColumn)
    return column


def one_step_errors(y: Array, fill: Array, age: Rows, rule: Reference) -> Array:
    """Absolute error of the reference rule for each row from the row before; NaN where there is none, [rows]."""
    errors = np.full(len(y), np.nan)
    if rule.kind == "linear" and rule.reach >= LONG and np.isfinite(fill).all():
        errors[1:] = np.abs(y[1:] - _next_along(fill, age, rule)[:-1])
        errors[age < 1] = np.nan
    elif rule.kind != "none":
        rows = np.flatnonzero((age >= 1) & ~np.isnan(y))
        for part in np.array_split(rows, max(1, len(rows) * rule.reach // VALUES_AT_ONCE)):
            before = gather_lookback(fill, age, part - 1)
            errors[part] = np.abs(y[part] - rule.next(before, np.zeros(len(part))))
    return errors


def _next_along(fill: Array, age: Rows, rule: Reference) -> Array:
    """What the linear rule says of the row after each, NaN before a series' first observation, [rows]."""
    found = np.full(len(fill), np.nan)
    firsts = np.flatnonzero(age == 0)
    ends = np.append(np.flatnonzero(np.diff(age) < 1) + 1, len(age))
    lengths = ends[np.searchsorted(ends, firsts, side="right")] - firsts
    for length in sorted(set(lengths.tolist())):
        alike = firsts[lengths == length]
        at_once = max(1, VALUES_AT_ONCE // rule.values_along(length))
        for begin in range(0, len(alike), at_once):
            rows = alike[begin : begin + at_once, None] + np.arange(length)
            found[rows] = rule.next_along(fill[rows])
    return found


def _fit_levels(
    table: SeriesTable, spec: PreparationSpec, rule: Reference
) -> dict[str | int, tuple[float, float, float]]:
    scaler = SeriesScaler(cast("ScalingKind", spec.scaling)).fit(table)
    shift_scale = [scaler.statistics(name) for name in table.ids]
    level = np.array([shift for shift, _ in shift_scale])
    fill, age = fill_missing(table.y, table.offsets, rule, level)
    errors = one_step_errors(table.y, fill, age, rule)
    levels: dict[str | int, tuple[float, float, float]] = {}
    begun = [not np.isnan(table.series(i).y).all() for i in range(table.n_series)]
    for i, name in ((i, table.ids[i]) for i in np.flatnonzero(begun)):
        shift, scale = shift_scale[i]
        own = errors[table.offsets[i] : table.offsets[i + 1]]
        own = own[~np.isnan(own)]
        step = float(own.mean()) if len(own) else 0.1 * scale
        levels[name] = (shift, scale, scale if spec.reference == "none" else max(step, SMALLEST_STEP * scale))
    return levels
