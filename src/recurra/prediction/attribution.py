"""Which inputs, at which lags, make a forecast what it is: integrated gradients, with their completeness error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from recurra.data.calendar import calendar_columns
from recurra.data.frames import to_native
from recurra.data.preparation import Origins, Preparation
from recurra.data.preparation.covariates import CategoryColumn, CovariateEncoder
from recurra.data.preparation.reference import Array
from recurra.data.readers import TableKind
from recurra.data.series import SeriesTable
from recurra.errors import ConfigError
from recurra.models.forecast import RulePath
from recurra.prediction.ensemble import AnyPredictor, EnsemblePredictor
from recurra.prediction.forecast import ForecastPredictor
from recurra.shapes import Tensor

POINTS_AT_ONCE = 16


@dataclass(frozen=True)
class Attribution:
    """The mean forecast of one step of one series, taken apart; in the units of the series.

    forecast = rule + base + sum of the attributions + completeness_error

    Attributes:
        series: its name.
        step: which step ahead, from 1.
        forecast: the mean forecast.
        rule: what the rule says that the network corrects.
        base: the network's correction where every input has its mean over the series' rows.
        inputs: names of the network's inputs at each row.
        values: their attributions by lag, [lags, inputs]; lag 0 is the latest row.
        earlier: those of all earlier rows together, [inputs].
        known: names of what is known in advance.
        ahead: its attributions by step ahead, [horizon, known].
        window: attributions of the last values that a decoder reads directly, by lag, [values].
        completeness_error: what the attributions, which are sums over `points` gradients, leave unexplained.
        points: gradients between base and input.

    Source: Sundararajan, Taly & Yan 2017; the gradients are taken at the middles of `points` equal pieces.
    """

    series: str | int
    step: int
    forecast: float
    rule: float
    base: float
    inputs: tuple[str, ...]
    values: Array
    earlier: Array
    known: tuple[str, ...]
    ahead: Array
    window: Array
    completeness_error: float
    points: int

    @property
    def by_input(self) -> dict[str, float]:
        """The attribution of each input over all lags and steps, largest first."""
        sums: dict[str, float] = {}
        for name, value in zip(self.inputs, self.values.sum(0) + self.earlier, strict=True):
            sums[name] = sums.get(name, 0.0) + float(value)
        for name, value in zip(self.known, self.ahead.sum(0), strict=True):
            sums[f"{name}, ahead"] = float(value)
        if len(self.window):
            sums["last values"] = float(self.window.sum())
        return dict(sorted(sums.items(), key=lambda item: -abs(item[1])))

    def to_table(self, kind: TableKind = "pandas") -> Any:
        """A row for each input and lag: series, step, input, lag (negative for steps ahead), attribution.

        The rule, the base and the completeness error are rows too, so that the column sums to the forecast; what lies
        before the last lag stands at that lag plus one.
        """
        lags = len(self.values)
        rows = [("rule", 0, self.rule), ("base", 0, self.base)]
        rows += [(name, lag, self.values[lag, i]) for i, name in enumerate(self.inputs) for lag in range(lags)]
        rows += [(name, lags, self.earlier[i]) for i, name in enumerate(self.inputs)]
        rows += [(n, -k - 1, self.ahead[k, i]) for i, n in enumerate(self.known) for k in range(len(self.ahead))]
        rows += [("last values", lag, value) for lag, value in enumerate(self.window)]
        rows += [("completeness error", 0, self.completeness_error)]
        names, at, values = zip(*rows, strict=True)
        n = len(rows)
        columns = {
            "series": np.array([self.series] * n, object),
            "step": np.full(n, self.step),
            "input": np.array(names, object),
            "lag": np.array(at, np.int64),
            "attribution": np.array(values, np.float64),
        }
        return to_native(columns, kind)


def explain(
    predictor: AnyPredictor, table: SeriesTable, known: Array, step: int, lags: int, points: int, series: int = 0
) -> Attribution:
    """The mean forecast after the last row of one series, taken apart.

    Args:
        predictor: the trained model; an ensemble's attributions are the means of its members'.
        table: rows of the series, and of its other targets where there are several.
        known: what is known in advance of the steps ahead, [series, horizon, K].
        step: which step ahead, from 1.
        lags: so many last rows are told one by one.
        points: gradients between base and input.
        series: index of the one to explain.

    Raises:
        ConfigError: if the network does not forecast that step at once, or a number is below 1.
    """
    for name, value in (("step", step), ("lags", lags), ("points", points)):
        if value < 1:
            raise ConfigError(f"{name}={value} must be at least 1")
    if step > predictor.shape.horizon:
        raise ConfigError(
            f"step={step} is forecast by feeding back; the network itself says steps 1 to {predictor.shape.horizon}"
        )
    if isinstance(predictor, EnsemblePredictor):
        return _mean([_explain(member, table, known, step, lags, points, series) for member in predictor.members])
    return _explain(predictor, table, known, step, lags, points, series)


def _explain(
    predictor: ForecastPredictor, table: SeriesTable, known: Array, step: int, lags: int, points: int, series: int
) -> Attribution:
    prepared = predictor.preparation.rows(table)
    mine = np.arange(prepared.offsets[series], prepared.offsets[series + 1])
    x = torch.from_numpy(prepared.inputs(mine))[None]
    origins = prepared.origins(mine[-1:])
    size = predictor.shape.lookback
    window = torch.from_numpy(origins.window(size)) if size else torch.zeros(1, 0, dtype=torch.float64)
    inputs = (x, torch.from_numpy(known[series : series + 1, : predictor.shape.horizon]), window)
    usual = torch.from_numpy(prepared.known_at(mine).mean(0))
    means = (x.mean(1, keepdim=True), usual[None, None], window.mean(1, keepdim=True) if size else window)
    bases = tuple(mean.expand_as(part) for mean, part in zip(means, inputs, strict=True))
    rule = _rule_path(predictor, origins)
    gradients = _mean_gradients(predictor, rule, inputs, bases, step, points)
    own, ahead, last = (((p - b) * g)[0].numpy() for p, b, g in zip(inputs, bases, gradients, strict=True))
    with torch.no_grad():
        forecast, start = (float(_mean_at(predictor, rule, parts, step)) for parts in (inputs, bases))
    said = float(predictor.preparation.in_units(rule.ahead[0, step - 1 : step].numpy())[0])
    shown = min(lags, len(own))
    return Attribution(
        series=table.ids[series],
        step=step,
        forecast=forecast,
        rule=said,
        base=start - said,
        inputs=input_names(predictor.preparation),
        values=own[::-1][:shown],
        earlier=own[: len(own) - shown].sum(0),
        known=known_names(predictor.preparation),
        ahead=ahead,
        window=last[::-1],
        completeness_error=forecast - start - float(own.sum() + ahead.sum() + last.sum()),
        points=points,
    )


def _rule_path(predictor: ForecastPredictor, origins: Origins) -> RulePath:
    ahead = predictor.preparation.rule.ahead(origins.lookback, origins.shift, predictor.shape.horizon)
    columns = (ahead, origins.step[:, None], origins.scale[:, None])
    return RulePath(*(torch.from_numpy(column) for column in columns))


def _mean_at(predictor: ForecastPredictor, rule: RulePath, parts: Sequence[Tensor], step: int) -> Tensor:
    """The mean forecast of a step at each of several points, [points]."""
    x, known, window = parts
    network, n = predictor.network, len(x)
    output, _ = network.states(x)
    shape = predictor.shape
    raw = network.raw(output[:, -1], known if shape.n_future else None, window if shape.lookback else None)
    path = RulePath(*(column.expand(n, -1) for column in (rule.ahead, rule.step, rule.scale)))
    said = predictor.in_table_units(network.output.distribution(raw, path))
    mean: Tensor = said.mean[:, step - 1]
    return mean


def _mean_gradients(
    predictor: ForecastPredictor,
    rule: RulePath,
    inputs: Sequence[Tensor],
    bases: Sequence[Tensor],
    step: int,
    points: int,
) -> list[Tensor]:
    """Gradients of the mean forecast, averaged over the straight way from the bases to the inputs."""
    totals = [torch.zeros_like(part) for part in inputs]
    middles = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    for shares in middles.split(POINTS_AT_ONCE):
        ways = [
            (base + shares.reshape(-1, *(1,) * (part.dim() - 1)) * (part - base)).detach().requires_grad_()
            for part, base in zip(inputs, bases, strict=True)
        ]
        mean = _mean_at(predictor, rule, ways, step)
        found = torch.autograd.grad(mean.sum(), ways, allow_unused=True)
        for total, gradient in zip(totals, found, strict=True):
            if gradient is not None:
                total.add_(gradient.sum(0, keepdim=True))
    return [total / points for total in totals]


def _mean(parts: Sequence[Attribution]) -> Attribution:
    averaged = ("forecast", "rule", "base", "values", "earlier", "ahead", "window", "completeness_error")
    means: dict[str, Any] = {name: np.mean([getattr(part, name) for part in parts], axis=0) for name in averaged}
    return Attribution(**{**parts[0].__dict__, **means})


def known_names(preparation: Preparation) -> tuple[str, ...]:
    """Names of what is known in advance of a step: calendar features and future covariates."""
    return (*calendar_columns(preparation.spec.calendar), *_encoded(preparation.future))


def input_names(preparation: Preparation) -> tuple[str, ...]:
    """Names of the network's inputs at a row; those that nothing names are numbered."""
    spec = preparation.spec
    begin = ["level", *(f"value {lag} before" for lag in spec.lags)]
    begin += ["observed"] * spec.show_missing + ["gap"] * spec.show_gap
    begin += ["time since"] * (preparation.elapsed is not None)
    begin += _encoded(preparation.past) + _encoded(preparation.static)
    begin += [f"level of {name}" for name in spec.targets]
    begin += [f"{name} observed" for name in spec.targets if spec.show_missing]
    begin += [f"asked for {name}" for name in spec.targets]
    return (*begin, *known_names(preparation))


def _encoded(encoder: CovariateEncoder) -> list[str]:
    names = []
    for name, column in encoder.columns.items():
        if isinstance(column, CategoryColumn):
            names += [f"{name}={label}" for label in column.vocabulary.values]
        else:
            names.append(name)
        names += [f"{name} missing", f"{name} gap"] if column.masked else []
    return names
