"""Is there evidence of skill? One test for the direction and size of returns, one for their variance.

Each is one-sided at 1 %, so that a learner without any skill is told that it has some in at most 2 of 100 cases.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.evaluation.significance import DieboldMariano, diebold_mariano

Array = npt.NDArray[np.float64]

LEVEL = 0.01
FEWEST_DAYS = 100


@dataclass(frozen=True)
class ReturnSkill:
    """Whether the forecast mean of the returns is better than their mean so far, and than none at all.

    Attributes:
        gain: share by which the squared errors, in units of the forecast standard deviation, are smaller; negative
            where they are larger. The smaller one of the two comparisons, as all figures here.
        statistic: of Clark and West's test with HAC errors.
        p_value: one-sided.
        n: days.
        evidence: p_value below 1 %, and at least 100 days. The gain is no condition: a mean that was learned is noisy,
            and can have larger squared errors than none although there is something to forecast, which is what the
            test makes up for. It is told beside the verdict.
    """

    gain: float
    statistic: float
    p_value: float
    n: int
    evidence: bool


@dataclass(frozen=True)
class VarianceSkill:
    """Whether the forecast variance is better than that of every rule, by QLIKE.

    Attributes:
        against: each rule's Diebold-Mariano test; below 0 the network is better.
        hardest: the rule with the largest one-sided p value: the one the network is least surely better than.
        p_value: that p value.
        evidence: p_value below 1 %, and at least 100 days.
    """

    against: dict[str, DieboldMariano]
    hardest: str
    p_value: float
    evidence: bool


def return_skill(returns: Array, forecast: Array, rules: Array, std: Array, horizon: int = 1) -> ReturnSkill:
    """Test the forecast mean of returns against simpler means, which it contains as special cases.

    f = ((r - m_0)² - (r - m)² + (m_0 - m)²) / σ²: the last term makes up for the noise of a mean that was estimated
    although there is none, without which the simpler forecast wins too often.

    Args:
        returns: what came, [asset, days]; NaN where masked.
        forecast: m, the same shape.
        rules: m_0 of each simpler forecast, [rules, asset, days].
        std: σ, the forecast standard deviation of one and the same rule, known beforehand, [asset, days].
        horizon: days ahead.

    Source: Clark & West 2007, equation 3.1; Newey & West 1987 for the errors; losses in units of σ² as weights.
    """
    tests = []
    for mean in rules:
        before, after = ((returns - mean) / std) ** 2, ((returns - forecast) / std) ** 2
        adjusted = over_assets(before - after + ((mean - forecast) / std) ** 2)
        known = ~np.isnan(adjusted)
        gain = 1.0 - np.nansum(after) / np.nansum(before)
        tests.append((*_one_sided(adjusted[known], horizon), float(gain), int(known.sum())))
    statistic, p_value, _, n = max(tests, key=lambda test: test[1])
    gain = min(test[2] for test in tests)
    return ReturnSkill(gain, statistic, p_value, n, p_value < LEVEL and n >= FEWEST_DAYS)


def variance_skill(losses: Array, rules: dict[str, Array], horizon: int = 1) -> VarianceSkill:
    """Test the network's losses against every rule's.

    Args:
        losses: the network's QLIKE, [asset, days]; NaN where masked.
        rules: each rule's, the same shape.
        horizon: days ahead.
    """
    against = {name: compare_losses(losses, other, horizon) for name, other in rules.items()}
    one_sided = {name: _below(test) for name, test in against.items()}
    hardest = max(one_sided, key=lambda name: one_sided[name])
    enough = min(test.n for test in against.values()) >= FEWEST_DAYS
    return VarianceSkill(against, hardest, one_sided[hardest], one_sided[hardest] < LEVEL and enough)


def compare_losses(losses: Array, other: Array, horizon: int = 1) -> DieboldMariano:
    """Diebold and Mariano's test with HAC errors; days are averaged over assets first. Below 0 the first is better."""
    difference = over_assets(losses - other)
    return diebold_mariano(difference, np.where(np.isnan(difference), np.nan, 0.0), horizon=horizon)


def over_assets(values: Array) -> Array:
    """Mean over the assets that are known on a day, [days]: assets of one day are not independent."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: Array = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return mean


def _below(test: DieboldMariano) -> float:
    """One-sided p value of the first forecaster being better."""
    return test.p_value / 2.0 if test.statistic < 0 else 1.0 - test.p_value / 2.0


def _one_sided(values: Array, horizon: int) -> tuple[float, float]:
    """HAC t statistic of a mean, and the p value of its being above 0; no evidence where nothing varies."""
    try:
        test = diebold_mariano(values, np.zeros_like(values), horizon=horizon)
    except ShapeError:
        return math.nan, 1.0
    if test.statistic == 0.0 or math.isinf(test.statistic):
        return 0.0, 1.0
    return test.statistic, test.p_value / 2.0 if test.statistic > 0 else 1.0 - test.p_value / 2.0
