"""What every forecaster missed by on every day of a walk forward, from distributions of returns and variances."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from recurra.baselines.market import VarianceRule
from recurra.data.market import Asset, return_ahead, variance_ahead
from recurra.metrics import gaussian_nll, qlike
from recurra.models.distributions import ScaledDistribution, StudentT

Array = npt.NDArray[np.float64]

VAR_LEVELS = (0.01, 0.05)
FIELDS = ("variance", "qlike", "nll", "gaussian_nll", "crps", "pit", "mean", "std", "up", "below_1", "below_5")


@dataclass(frozen=True)
class Outcome:
    """What came after some days of one asset: origins first ... last - 1, one horizon.

    Args:
        returns: sum of the next returns, in percent, [days]; NaN where masked.
        variance: mean variance of the next days, [days]; NaN where masked.
    """

    returns: Array
    variance: Array

    @classmethod
    def of(cls, asset: Asset, first: int, last: int, days: int) -> "Outcome":
        """The outcomes after rows first ... last - 1."""
        return cls(return_ahead(asset.returns, days)[first:last], variance_ahead(asset.variance, days)[first:last])


def measure(outcome: Outcome, variance: Array, returns: ScaledDistribution) -> Array:
    """Every field of FIELDS for each day, [fields, days].

    What was forecast is there on every day, but `up` is NaN where the mean is 0, which has no direction. What was
    missed by is NaN where the outcome is masked.

    Args:
        outcome: what came.
        variance: expected mean variance of the next days, [days].
        returns: distribution of the sum of the next returns, [days].
    """
    known = ~np.isnan(outcome.returns)
    y = torch.from_numpy(np.where(known, outcome.returns, 0.0))
    mean, std = returns.mean.numpy(), returns.std.numpy()
    one, five = (returns.quantile(VAR_LEVELS)[:, i].numpy() for i in range(2))
    of_returns = [
        -returns.log_prob(y).numpy(),
        gaussian_nll(y.numpy(), mean, std**2),
        returns.crps(y).numpy(),
        returns.cdf(y).numpy(),
    ]
    up = np.where(mean == 0.0, np.nan, mean > 0.0)
    missed = np.where(known, np.stack(of_returns), np.nan)
    below = np.where(known, np.stack([y.numpy() < one, y.numpy() < five]), np.nan)
    return np.concatenate([[variance, qlike(outcome.variance, variance)], missed, [mean, std, up], below])


def measure_rule(rule: VarianceRule, learned: Asset, asset: Asset, origins: tuple[int, int], days: int) -> Array:
    """A fitted rule's fields: Student-t returns, with the degrees of freedom that suit the rows it learned from best.

    Args:
        rule: fitted on `learned`.
        learned: the rows before the fold.
        asset: the rows up to the fold's last day and what came after.
        origins: first and one past the last row that forecasts are made after.
        days: the horizon.
    """
    first, last = origins
    past = return_ahead(learned.returns, days)
    std = np.sqrt(rule.return_variance(learned, days))
    df = best_df((past - days * rule.mean_return) / std)
    outcome = Outcome.of(asset, first, last, days)
    variance, std = rule.variance(asset, days)[first:last], np.sqrt(rule.return_variance(asset, days)[first:last])
    mean = torch.full((last - first,), days * rule.mean_return, dtype=torch.float64)
    returns = StudentT(mean, torch.from_numpy(std), torch.full_like(mean, df))
    return measure(outcome, variance, returns)


def best_df(residuals: Array) -> float:
    """Degrees of freedom, from 2.5 to 100, under which residuals of variance 1 are the most likely; NaN left out."""
    z = torch.from_numpy(residuals[~np.isnan(residuals)])
    grid = np.geomspace(2.5, 100.0, 40)
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    fits = [float(StudentT(zero, one, torch.tensor(df, dtype=torch.float64)).log_prob(z).sum()) for df in grid]
    return float(grid[int(np.argmax(fits))])
