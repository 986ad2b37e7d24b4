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
from recurra.evaluation.market.days import FIELDS
from recurra.evaluation.market.scores import MarketScores, over_seeds, score, share_of_days
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

Array = npt.NDArray[np.float64]

NETWORK = "network"
DRIFTLESS = "random walk"


@dataclass(frozen=True)
class LeftOut:
    """An asset that was not forecast on some days, since it had too few days before their fold to learn from."""

    asset: str | int
    since: str
    until: str


@dataclass(frozen=True)
class MarketReport:
    """How the network and the rules forecast days that none of them had seen.

    Attributes:
        names: the forecasters: the network, further learners, the rules.
        ids: the assets.
        days: the days that were forecast first, [days].
        horizons: days ahead.
        values: FIELDS of every forecaster, [seed, forecaster, horizon, asset, field, day]; NaN where nothing is known.
        returns: what came, [horizon, asset, 1, day].
        refit: days of a fold.
        seeds: networks that were scored, each by itself.
        learners: names of the network and the further learners; the others are rules.
        left_out: assets that were not forecast on some days.
        missing_rules: rules whose package is not installed.
        holes: places of the table where trading days are missing; the returns across them are masked.
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
    left_out: tuple[LeftOut, ...] = ()
    missing_rules: tuple[str, ...] = ()
    holes: int = 0

    def field(self, name: str, field: str, horizon: int | None = None, seed: int = 0) -> Array:
        """One forecaster's values on every day, [asset, day]; the shortest horizon and the first seed by default."""
        k = 0 if horizon is None else self.horizons.index(horizon)
        values: Array = self.values[seed, self.names.index(name), k, :, FIELDS.index(field)]
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
        k = self.horizons.index(days)
        each = self.values[:, self.names.index(name), k]
        seeds = each if name in self.learners else each[:1]
        return over_seeds([score(figures, self.returns[k, :, 0], days) for figures in seeds])

    @cached_property
    def always_up(self) -> tuple[float, tuple[float, float]]:
        """Share of days that rose, at the shortest horizon, and its Wilson interval: what "always up" is right on."""
        came = self.returns[0, :, 0]
        return share_of_days(came > 0.0, ~np.isnan(came) & (came != 0.0), self.horizons[0])

    @property
    def return_skill(self) -> ReturnSkill:
        """Whether there is skill in the direction and size of returns, at the shortest horizon; of the first seed."""
        return self.return_skills[0]

    @property
    def variance_skill(self) -> VarianceSkill:
        """Whether there is skill in the variance beyond every rule, at the shortest horizon; of the first seed."""
        return self.variance_skills[0]

    @cached_property
    def return_skills(self) -> tuple[ReturnSkill, ...]:
        """`return_skill` of each seed by itself: each is what `fit` would give, their mean is not."""
        path = self.rules[-1]
        simpler = np.stack([self.field(DRIFTLESS, "mean"), self.field(path, "mean")])
        std, came = self.field(path, "std"), self.returns[0, :, 0]
        means = [self.field(NETWORK, "mean", seed=seed) for seed in range(self.seeds)]
        return tuple(return_skill(came, mean, simpler, std, self.horizons[0]) for mean in means)

    @cached_property
    def variance_skills(self) -> tuple[VarianceSkill, ...]:
        """`variance_skill` of each seed by itself."""
        rules = {name: self.field(name, "qlike") for name in self.rules}
        losses = [self.field(NETWORK, "qlike", seed=seed) for seed in range(self.seeds)]
        return tuple(variance_skill(each, rules, self.horizons[0]) for each in losses)

    def against(self, name: str, field: str = "qlike", horizon: int | None = None) -> DieboldMariano:
        """The losses of the first seed's network against a forecaster's; below 0 the network is better."""
        days = horizon or self.horizons[0]
        return compare_losses(self.field(NETWORK, field, days), self.field(name, field, days), days)

    @property
    def evidence(self) -> bool:
        """Whether there is evidence of skill, in the returns or in their variance; of the first seed."""
        return self.return_skill.evidence or self.variance_skill.evidence

    @property
    def sentence(self) -> str:
        """In words: evidence of skill or not, in the returns and in the variance, and what it rests on."""
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
        beyond = "the rules that are installed" if self.missing_rules else "every rule"
        second = (
            f"{verdict} in forecasting the variance beyond {beyond}: QLIKE {number(scores[NETWORK].qlike)} against "
            f"{number(scores[hardest].qlike)} of {hardest}, the rule hardest to beat (one-sided p "
            f"{number(variance.p_value)}). Evidence means p below {LEVEL:g}."
        )
        return " ".join([first, second, *self.notes])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the verdict rests on, a sentence each: seeds, rules that are missing, assets left out, holes."""
        found = []
        if self.seeds > 1:
            returns, variance = (sum(s.evidence for s in each) for each in (self.return_skills, self.variance_skills))
            found.append(
                f"Scores are means over {self.seeds} seeds, the verdict is that of the first; by itself each of "
                f"{returns} of them would get evidence in the returns, and of {variance} in the variance."
            )
        if self.missing_rules:
            found.append(f"{' and '.join(self.missing_rules)} took no part: the package arch is not installed.")
        found += [
            f"{each.asset} was left out from {each.since} to {each.until}: too few days before to learn from."
            for each in self.left_out
        ]
        if self.holes:
            found.append(f"Trading days are missing in {self.holes} places; the returns across them are left out.")
        return tuple(found)

    def long_flat(self, asset: str | int | None = None, cost: float = 0.05) -> LongFlat | None:
        """What the one-day forecasts of direction would have earned, long or flat, after costs in percent a trade.

        None if no day was forecast one day ahead.
        """
        a = 0 if asset is None else self.ids.index(asset)
        if 1 not in self.horizons:
            return None
        traded = ~np.isnan(self.field(NETWORK, "mean", 1)[a])
        returns, up = self.returns[self.horizons.index(1), a, 0], self.field(NETWORK, "up", 1)[a] > 0.5
        return long_flat(returns[traded], up[traded], cost=cost) if traded.any() else None

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
            "missing_rules": list(self.missing_rules),
            "left_out": [asdict(each) for each in self.left_out],
            "holes": self.holes,
            "scores": {str(k): {name: asdict(s) for name, s in each.items()} for k, each in self.scores.items()},
            "always_up": {"right": self.always_up[0], "interval": list(self.always_up[1])},
            "return_skill": asdict(self.return_skill),
            "variance_skill": asdict(self.variance_skill),
            "long_flat": {str(name): asdict(earned) if (earned := self.long_flat(name)) else None for name in self.ids},
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
