"""One row of one stream, without the cost of arrays: equal to `StreamedRows.advance` on that row."""

import math
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

import numpy as np

from recurra.data.preparation.reference import Array, Lookback, Steps
from recurra.data.preparation.rows import squash
from recurra.data.preparation.running import ROUNDING, SMALLEST_STEP, RunningLevel
from recurra.data.preparation.spec import PreparationSpec
from recurra.data.preparation.streaming import StreamedRows

SERVED = frozenset(
    {
        "horizon", "season", "reference", "scaling", "frequency", "memory", "time_zone", "calendar", "show_missing",
        "show_gap",
    }
)  # fmt: skip


class SingleRow(NamedTuple):
    """What a row leads to: the target's own inputs [1 + lags], the rule's forecasts [horizon], and their step scale."""

    inputs: Array
    reference: Array
    step: float


def serves(spec: PreparationSpec) -> bool:
    """Whether rows of this preparation can be taken one by one here: no covariates, and no choice unknown here."""
    if spec.scaling in ("instance", "log") or spec.step.irregular:
        return False
    return all(at_default(spec, name) for name in (field.name for field in fields(spec)) if name not in SERVED)


def at_default(settings: Any, name: str) -> bool:
    """Whether a field of a dataclass has its default value."""
    field = next(field for field in fields(settings) if field.name == name)
    made: Any = field.default_factory
    return bool(getattr(settings, name) == (made() if field.default is MISSING else field.default))


class SingleRows:
    """Takes known observations of single streams into a `StreamedRows`, in place.

    Args:
        spec: of the preparation; must be one that `serves` tells true of.
    """

    def __init__(self, spec: PreparationSpec) -> None:
        self.spec = spec
        self._lags = np.array((0, *spec.lags))
        self._fade = 1.0 - 1.0 / spec.memory

    def advance(self, rows: StreamedRows, i: int, y: float) -> SingleRow:
        """One row of stream i.

        Args:
            rows: the streams.
            i: which one.
            y: its observation; not missing.
        """
        recent, rule, bare = rows.recent[i], rows.rule, self.spec.reference == "none"
        shift, scale, step = rows.fixed[i].tolist()
        own = shift != shift  # noqa: PLR0124  NaN is unlike itself
        error = math.nan
        if rows.age[i] >= 0 and not bare:
            level = np.zeros(1) if own else np.array([shift])
            error = abs(y - float(rule.ahead(_lookback(recent, int(rows.age[i])), level, 1)[0, 0]))
        rows.age[i] += 1
        rows.since[i] = 0
        recent[1:] = recent[:-1]
        recent[0] = y
        if own:
            shift, scale, step = self._run(rows, i, y, error)
            step = scale if bare else step
        lookback = _lookback(recent, int(rows.age[i]))
        values = lookback(self._lags)[0]
        inputs = (values - y) / scale
        inputs[0] = (y - shift) / scale
        inputs = squash(inputs)
        if self.spec.show_missing:
            inputs = np.append(inputs, 1.0)
        if self.spec.show_gap:
            inputs = np.append(inputs, 0.0)
        return SingleRow(inputs, rule.ahead(lookback, np.array([shift]), self.spec.horizon)[0], step)

    def _run(self, rows: StreamedRows, i: int, y: float, error: float) -> tuple[float, float, float]:
        """Level, scale and step after the row; the sums of `RunningLevel.add`, for one stream."""
        sums, fade = rows.following, self._fade
        assert isinstance(sums, RunningLevel)
        before_count, before_total = float(sums.count[i]), float(sums.total[i])
        before = before_total / before_count if before_count > 0 else y
        count, total = fade * before_count + 1.0, fade * before_total + y
        mean = total / count
        squares = fade * float(sums.squares[i]) + max((y - before) * (y - mean), 0.0)
        sums.count[i], sums.total[i], sums.squares[i] = count, total, squares
        variance, size = squares / count, abs(mean)
        scale = math.sqrt(variance) if variance > ROUNDING * size * size else size if size > 0 else 1.0
        errors, steps = float(sums.errors[i]), float(sums.steps[i])
        if error == error:  # noqa: PLR0124  not NaN
            errors, steps = fade * errors + error, fade * steps + 1.0
            sums.errors[i], sums.steps[i] = errors, steps
        step = max(errors / steps, SMALLEST_STEP * scale) if steps > 0 else 0.1 * scale
        return mean, scale, step


def _lookback(recent: Array, age: int) -> Lookback:
    whole = age >= len(recent) - 1

    def lookback(j: Steps) -> Array:
        found: Array = recent[j] if whole else np.where(j <= age, recent[j], recent[0])
        return found[None]

    return lookback
