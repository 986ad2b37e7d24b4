"""The report of a walk forward: scores of the network beside the rules, and in words whether there is skill."""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.frequency import show_stamp
from recurra.evaluation._plain import plain
from recurra.evaluation._words import aligned, number, percent
from recurra.evaluation.market.days import FIELDS, VAR_LEVELS
from recurra.evaluation.market.skill import (
    LEVEL,
    ReturnSkill,
    VarianceSkill,
    compare_losses,
    return_skill,
    variance_skill,
)
from recurra.evaluation.market.trading import LongFlat, long_flat
from recurra.evaluation.significance import DieboldMariano
from recurra.metrics import Kupiec, kupiec, uniformity, wilson_interval

Array = npt.NDArray[np.float64]

NETWORK = "network"
DRIFTLESS = "random walk"


@dataclass(frozen=True)
class MarketScores:
    """Scores of one forecaster at one horizon, over all assets and days.

    Attributes:
        qlike: mean QLIKE of the variance.
        nll: mean negative log likelihood of the returns under its own distribution, in nats.
        gaussian_nll: the same under a normal distribution with its mean and variance.
        crps: mean CRPS of the returns, in percent.
        pit_distance, pit_p: how far the probability integral transforms are from uniform; for one day ahead.
        value_at_risk: share of days below the 1 % and 5 % quantile, with Kupiec's test; for one day ahead.
        right: share of days whose direction was forecast; days without a change are left out; NaN for a
            forecaster whose mean is always 0.
        right_interval: its Wilson interval, 95 %.
        n: days with a known return.
    """

    qlike: float
    nll: float
    gaussian_nll: float
    crps: float
    pit_distance: float
    pit_p: float
    value_at_risk: tuple[Kupiec, ...]
    right: float
    right_interval: tuple[float, float]
    n: int


@dataclass(frozen=True)
class MarketReport:
    """How the network and the rules forecast days that none of them had seen.

    Attributes:
        names: the forecasters: the network, further learners, the rules.
        ids: the assets.
        days: the days that were forecast first, [days].
        horizons: days ahead.
        values: FIELDS of every forecaster, [forecaster, horizon, asset, field, day]; NaN where nothing is known.
        returns: what came, [horizon, asset, 1, day].
        refit: days of a fold.
        seeds: networks whose losses are averaged.
        learners: names of the network and the further learners; the others are rules.
    """

    names: tuple[str, ...]
    ids: tuple[str | int, ...]
    days: npt.NDArray[Any]
    horizons: tuple[int, ...]
    values: Array
    returns: Array
    refit: int
    seeds: int
    learners: tuple[str, ...]

    def field(self, name: str, field: str, horizon: int | None = None) -> Array:
        """One forecaster's values on every day, [asset, day]; the shortest horizon by default."""
        k = 0 if horizon is None else self.horizons.index(horizon)
        values: Array = self.values[self.names.index(name), k, :, FIELDS.index(field)]
        return values

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules."""
        return tuple(name for name in self.names if name not in self.learners)

    @cached_property
    def scores(self) -> dict[int, dict[str, MarketScores]]:
        """Scores by horizon and forecaster."""
        return {days: {name: self._score(name, days) for name in self.names} for days in self.horizons}

    def _score(self, name: str, days: int) -> MarketScores:
        came = self.returns[self.horizons.index(days), :, 0]
        moved = ~np.isnan(came) & (came != 0.0) & ~np.isnan(self.field(name, "up", days))
        hits = int(np.sum(((self.field(name, "up", days) > 0.5) == (came > 0.0))[moved]))
        pit = self.field(name, "pit", days)
        distance, p = uniformity(pit.reshape(-1)) if days == 1 else (math.nan, math.nan)
        below = [self.field(name, field, days) for field in ("below_1", "below_5")]
        tests = [kupiec(each[~np.isnan(each)] > 0.5, level) for each, level in zip(below, VAR_LEVELS, strict=True)]
        n = int(moved.sum())
        return MarketScores(
            qlike=float(np.nanmean(self.field(name, "qlike", days))),
            nll=float(np.nanmean(self.field(name, "nll", days))),
            gaussian_nll=float(np.nanmean(self.field(name, "gaussian_nll", days))),
            crps=float(np.nanmean(self.field(name, "crps", days))),
            pit_distance=distance,
            pit_p=p,
            value_at_risk=tuple(tests) if days == 1 else (),
            right=hits / n if n else math.nan,
            right_interval=wilson_interval(hits, n),
            n=int(np.sum(~np.isnan(pit))),
        )

    @cached_property
    def always_up(self) -> tuple[float, tuple[float, float]]:
        """Share of days that rose, at the shortest horizon, and its Wilson interval: what "always up" is right on."""
        came = self.returns[0]
        moved = came[~np.isnan(came) & (came != 0.0)]
        hits = int(np.sum(moved > 0.0))
        return hits / max(moved.size, 1), wilson_interval(hits, moved.size)

    @cached_property
    def return_skill(self) -> ReturnSkill:
        """Whether there is skill in the direction and size of returns, at the shortest horizon."""
        path = self.rules[-1]
        simpler = np.stack([self.field(DRIFTLESS, "mean"), self.field(path, "mean")])
        std = self.field(path, "std")
        return return_skill(self.returns[0, :, 0], self.field(NETWORK, "mean"), simpler, std, self.horizons[0])

    @cached_property
    def variance_skill(self) -> VarianceSkill:
        """Whether there is skill in the variance beyond every rule, at the shortest horizon."""
        rules = {name: self.field(name, "qlike") for name in self.rules}
        return variance_skill(self.field(NETWORK, "qlike"), rules, self.horizons[0])

    def against(self, name: str, field: str = "qlike", horizon: int | None = None) -> DieboldMariano:
        """The network's losses of one kind against a forecaster's; below 0 the network is better."""
        days = horizon or self.horizons[0]
        return compare_losses(self.field(NETWORK, field, days), self.field(name, field, days), days)

    @property
    def evidence(self) -> bool:
        """Whether there is evidence of skill, in the returns or in their variance."""
        return self.return_skill.evidence or self.variance_skill.evidence

    @property
    def sentence(self) -> str:
        """In words: evidence of skill or not, in the returns and in the variance."""
        returns, variance = self.return_skill, self.variance_skill
        scores = self.scores[self.horizons[0]]
        low, high = scores[NETWORK].right_interval
        verdict = "There is evidence of skill" if returns.evidence else "There is no evidence of skill"
        first = (
            f"{verdict} in forecasting the returns: squared errors {percent(abs(returns.gain))} "
            f"{'smaller' if returns.gain > 0 else 'larger'} than without (one-sided p {number(returns.p_value)}), "
            f"direction right on {percent(scores[NETWORK].right)} "
            f"of days ({percent(low)} to {percent(high)}) where always up is on {percent(self.always_up[0])}."
        )
        verdict = "There is evidence of skill" if variance.evidence else "There is no evidence of skill"
        hardest = variance.hardest
        second = (
            f"{verdict} in forecasting the variance beyond every rule: QLIKE {number(scores[NETWORK].qlike)} against "
            f"{number(scores[hardest].qlike)} of {hardest}, the rule hardest to beat (one-sided p "
            f"{number(variance.p_value)}). Evidence means p below {LEVEL:g}."
        )
        return f"{first} {second}"

    def long_flat(self, asset: str | int | None = None, cost: float = 0.05) -> LongFlat:
        """What the one-day forecasts of direction would have earned, long or flat, after costs in percent a trade."""
        a = 0 if asset is None else self.ids.index(asset)
        return long_flat(self.returns[0, a, 0], self.field(NETWORK, "up")[a] > 0.5, cost=cost)

    def to_dict(self) -> dict[str, Any]:
        """Scores, tests and verdict as plain values for JSON; unknown values are None."""
        described: dict[str, Any] = {
            "sentence": self.sentence,
            "evidence": self.evidence,
            "settings": {
                "since": show_stamp(self.days[0]),
                "until": show_stamp(self.days[-1]),
                "horizons": list(self.horizons),
                "refit": self.refit,
                "seeds": self.seeds,
            },
            "scores": {str(k): {name: asdict(s) for name, s in each.items()} for k, each in self.scores.items()},
            "always_up": {"right": self.always_up[0], "interval": list(self.always_up[1])},
            "return_skill": asdict(self.return_skill),
            "variance_skill": asdict(self.variance_skill),
            "long_flat": {str(name): asdict(self.long_flat(name)) for name in self.ids},
        }
        described_plainly: dict[str, Any] = plain(described)
        return described_plainly

    def __str__(self) -> str:
        """The tables of scores, one a horizon, with the verdict below."""
        since, until = show_stamp(self.days[0]), show_stamp(self.days[-1])
        seeds = f", mean of {self.seeds} seeds" if self.seeds > 1 else ""
        title = f"Walk forward: {len(self.days):,} days, {since} to {until}, fitted anew every {self.refit}{seeds}"
        parts = [title, ""]
        for days, scores in self.scores.items():
            parts += [f"{days} day{'s' if days > 1 else ''} ahead", self._table(scores), ""]
        return "\n".join([*parts, self.sentence])

    def _table(self, scores: dict[str, MarketScores]) -> str:
        header = ["", "QLIKE", "NLL", "Gaussian NLL", "CRPS", "below 1 %", "below 5 %", "direction", "PIT p"]
        rows = []
        for name, s in scores.items():
            risk = [f"{percent(test.share)} (p {test.p_value:.2f})" for test in s.value_at_risk] or ["-", "-"]
            figures = [f"{value:.4f}" for value in (s.qlike, s.nll, s.gaussian_nll, s.crps)]
            rows.append([name, *figures, *risk, percent(s.right), "-" if math.isnan(s.pit_p) else f"{s.pit_p:.3f}"])
        return aligned(header, rows)
