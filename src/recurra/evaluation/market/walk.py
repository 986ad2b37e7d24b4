"""Walking forward through a market table: everything is fitted on the days before each fold, and on no other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recurra.baselines.market import LogHar, market_rules, missing_rules
from recurra.data.frequency import show_stamp
from recurra.data.market import Asset, MarketTable
from recurra.errors import ConfigError, TooShortError
from recurra.evaluation.market.days import FIELDS, Outcome, measure, measure_rule
from recurra.evaluation.market.report import NETWORK, LeftOut, MarketReport
from recurra.prediction.market import MarketForecast

Array = npt.NDArray[np.float64]


class Hindcaster(Protocol):
    """What a fold asks of a fitted model."""

    def hindcast(self, asset: Asset, first: int) -> MarketForecast:
        """Forecasts after every row from row number `first` on."""


Fit = Callable[[MarketTable, int], Hindcaster]
Check = Callable[[Asset], object]


def walk_forward(
    table: MarketTable, fit: Fit, horizons: Sequence[int], *, since: Any, refit: int = 250, seeds: Sequence[int] = (0,),
    others: dict[str, Fit] | None = None, check: Check | None = None,
) -> MarketReport:  # fmt: skip
    """Score a learner on the days from `since` on, beside the rules, on the same days.

    At the first day of each fold everything is fitted anew on the days before it: scales, paths, rules, networks. A
    target that reaches into the fold takes no part in the fit. An asset that is too young for a fold is left out of it.

    Args:
        table: all days.
        fit: from a table that ends before the fold, and a seed, to a fitted model.
        horizons: days ahead.
        since: first day that is forecast.
        refit: trading days of a fold.
        seeds: of the networks; each is scored by itself.
        others: further learners by name, to stand beside the network.
        check: raises TooShortError for an asset that `fit` cannot learn from; by default if its path cannot be fitted.

    Raises:
        TooShortError: if no asset has enough days before a fold.
        ConfigError: if there are no days before or from `since` on, or `refit` is below 1.
    """
    day = np.datetime64(since, "us")
    days = np.unique(np.concatenate([asset.ds for asset in table.assets]))
    first = int(np.searchsorted(days, day))
    if not 0 < first < len(days) or refit < 1:
        raise ConfigError(f"since={since} and refit={refit} leave no days to learn from, or none to forecast")
    learners = {NETWORK: fit, **(others or {})}
    check = check or (lambda asset: LogHar(horizons, leverage=True, covariates=bool(asset.covariates)).fit(asset))
    folds = [days[begin : begin + refit] for begin in range(first, len(days), refit)]
    scored = [_Fold(table, each, tuple(horizons), check) for each in folds]
    parts = [fold.run(learners, seeds) for fold in scored]
    joined = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    outcome = joined.pop("")
    return MarketReport(
        names=tuple(joined),
        ids=table.ids,
        days=days[first:],
        horizons=tuple(horizons),
        values=np.stack(list(joined.values()), axis=1),
        returns=outcome,
        refit=refit,
        seeds=len(seeds),
        learners=tuple(learners),
        left_out=_left_out(scored),
        missing_rules=missing_rules(),
        holes=table.holes,
    )


def _left_out(folds: Sequence["_Fold"]) -> tuple[LeftOut, ...]:
    """The assets that a fold could not learn from, each with its first and last such day."""
    days: dict[str | int, list[Any]] = {}
    for fold in folds:
        for name, own in fold.left_out.items():
            days.setdefault(name, []).extend(own[[0, -1]])
    return tuple(LeftOut(name, show_stamp(own[0]), show_stamp(own[-1])) for name, own in days.items())


class _Fold:
    """Some days, each forecast from the day before it."""

    def __init__(self, table: MarketTable, days: npt.NDArray[Any], horizons: tuple[int, ...], check: Check) -> None:
        self.table, self.horizons, self.days = table, horizons, days
        self.known = _long_enough(table.before(days[0]), check)
        young = [asset for asset in table.assets if asset.id not in self.known.ids]
        self.left_out = {asset.id: self.days[place] for asset in young if len(place := self._place(asset))}

    def run(self, learners: dict[str, Fit], seeds: Sequence[int]) -> dict[str, Array]:
        """Fields of every forecaster, [seeds, horizons, assets, fields, days]; the returns that came under ""."""
        covariates = tuple(self.known.assets[0].covariates)
        rules = market_rules(self.horizons, covariates)
        names = [*learners, *(rule.name for rule in rules)]
        shape = (len(self.horizons), len(self.table.assets), len(FIELDS), len(self.days))
        found = {name: np.full((len(seeds), *shape), np.nan) for name in names}
        found[""] = np.full((*shape[:2], 1, shape[3]), np.nan)
        models = {name: [fit(self.known, seed) for seed in seeds] for name, fit in learners.items()}
        for a, asset in enumerate(self.table.assets):
            place = self._place(asset)
            if asset.id not in self.known.ids or not len(place):
                continue
            learned, origins = self.known.asset(asset.id), self._origins(asset)
            for name, fitted in models.items():
                found[name][:, :, a][..., place] = self._of_models(fitted, asset)
            for rule in rules:
                rule.fit(learned)
                each = [measure_rule(rule, learned, asset, origins, days) for days in self.horizons]
                found[rule.name][:, :, a][..., place] = np.stack(each)
            came = [Outcome.of(asset, *origins, days).returns for days in self.horizons]
            found[""][:, a, 0][:, place] = np.stack(came)
        return found

    def _origins(self, asset: Asset) -> tuple[int, int]:
        """Rows that forecasts are made after: the last before the fold, to the last but one within it."""
        first = len(self.known.asset(asset.id))
        return first - 1, first + len(self._place(asset)) - 1

    def _place(self, asset: Asset) -> npt.NDArray[np.int64]:
        """Where the asset's days of this fold stand among all of the fold's days."""
        own = asset.ds[(asset.ds >= self.days[0]) & (asset.ds <= self.days[-1])]
        return np.asarray(np.searchsorted(self.days, own), np.int64)

    def _of_models(self, models: list[Hindcaster], asset: Asset) -> Array:
        """Of every seed's model, [seeds, horizons, fields, days]."""
        first, last = self._origins(asset)
        each = []
        for model in models:
            forecast = model.hindcast(asset.head(last), first)
            columns = [
                measure(Outcome.of(asset, first, last, days), forecast.variance[:, k], forecast.returns.at(k))
                for k, days in enumerate(self.horizons)
            ]
            each.append(np.stack(columns))
        return np.stack(each)


def _long_enough(known: MarketTable, check: Check) -> MarketTable:
    """The assets that can be learned from.

    Raises:
        TooShortError: if there is none.
    """
    kept, short = [], None
    for asset in known.assets:
        try:
            check(asset)
            kept.append(asset)
        except TooShortError as error:
            short = error
    if short is not None and not kept:
        raise short
    return replace(known, assets=tuple(kept))
