"""HAR and log-HAR: regressions of the next days' variance on that of the day, its week and its month."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from recurra.baselines.market.rule import Array, VarianceRule
from recurra.data.market import Asset, har_terms, path_terms, variance_ahead
from recurra.errors import TooShortError

WARM = 22
"""Rows at the beginning whose month is not full; nothing is learned from them."""


class Har(VarianceRule):
    """v[t + 1] = b_0 + b_1 v[t] + b_2 (week's mean) + b_3 (month's mean), never below the smallest variance seen.

    Source: Corsi 2009, equation 9; the floor is the insanity filter of Swanson & White 1997.
    """

    name = "HAR"
    unit: ClassVar[Literal["realised", "return"]] = "realised"

    def learn(self, asset: Asset) -> None:
        """Least squares, for each horizon by itself."""
        terms = har_terms(asset.variance)
        targets = {days: variance_ahead(asset.variance, days) for days in self.horizons}
        self.coefficients = {days: least_squares(terms, y)[0] for days, y in targets.items()}
        self.floor = float(np.nanmin(asset.variance))

    def signal(self, asset: Asset, days: int) -> Array:
        """The regression at every row."""
        return np.maximum(_with_constant(har_terms(asset.variance)) @ self.coefficients[days], self.floor)


class LogHar(VarianceRule):
    """The same in logarithms: ln v[t + 1] = x[t] b + e, whose mean variance is exp(x b) mean(exp e).

    κ = ln mean(exp e) over the rows it was fitted on is Duan's smearing: s² / 2 for normal residuals, as realised
    variances nearly have, and half of that for squared returns, whose logarithms reach far down.

    Args:
        horizons: days ahead; for several days the logarithm of their mean variance is regressed.
        leverage: whether min(r, 0) is a term; Corsi & Renò 2012.
        covariates: whether the asset's covariates are terms.

    Source: Corsi 2009, section 4, in logarithms; Andersen, Bollerslev & Diebold 2007, equation 8; Duan 1983, "Smearing
    estimate", equation 2.4.
    """

    unit: ClassVar[Literal["realised", "return"]] = "realised"

    def __init__(self, horizons: Sequence[int] = (1,), *, leverage: bool = False, covariates: bool = False) -> None:
        super().__init__(horizons)
        self.leverage, self.covariates = leverage, covariates
        self.name = "log-HAR" + (" + negative return" if leverage else "") + (" + covariates" if covariates else "")
        self.coefficients: dict[int, Array] = {}
        self.spread: dict[int, float] = {}
        self.smearing: dict[int, float] = {}

    def terms(self, asset: Asset) -> Array:
        """The regressors without the constant, [rows, terms]."""
        terms = path_terms(asset, self.leverage)
        return terms if self.covariates else terms[:, : 3 + self.leverage]

    def learn(self, asset: Asset) -> None:
        """Least squares, for each horizon by itself."""
        terms = self.terms(asset)
        for days in self.horizons:
            target = np.log(variance_ahead(asset.variance, days))
            self.coefficients[days], residuals = least_squares(terms, target)
            self.spread[days] = float(np.sqrt(np.mean(residuals**2)))
            self.smearing[days] = float(np.log(np.mean(np.exp(residuals))))

    def path(self, asset: Asset, days: int) -> Array:
        """The expected logarithm of the mean variance of the next days, at every row; [rows]."""
        return np.asarray(_with_constant(self.terms(asset)) @ self.coefficients[days])

    def signal(self, asset: Asset, days: int) -> Array:
        """exp(x b + κ) at every row."""
        return np.exp(self.path(asset, days) + self.smearing[days])

    def to_config(self) -> dict[str, Any]:
        """What was learned, as plain values."""
        return {
            "leverage": self.leverage,
            "covariates": self.covariates,
            "mean_return": self.mean_return,
            "horizons": [
                {
                    "days": days,
                    "coefficients": self.coefficients[days].tolist(),
                    "spread": self.spread[days],
                    "smearing": self.smearing[days],
                    "scales": list(self.scales[days]),
                }
                for days in self.horizons
            ],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "LogHar":
        """The rule that `to_config` described."""
        days = tuple(each["days"] for each in config["horizons"])
        rule = cls(days, leverage=config["leverage"], covariates=config["covariates"])
        rule.mean_return = config["mean_return"]
        for each in config["horizons"]:
            rule.coefficients[each["days"]] = np.array(each["coefficients"])
            rule.spread[each["days"]] = each["spread"]
            rule.smearing[each["days"]] = each.get("smearing", each["spread"] ** 2 / 2.0)  # older folders: as if normal
            rule.scales[each["days"]] = (each["scales"][0], each["scales"][1])
        return rule


def least_squares(terms: Array, target: Array) -> tuple[Array, Array]:
    """Coefficients [1 + terms] of a regression with a constant, and its residuals, [rows that took part].

    The first 22 rows and those with a masked target take no part.

    Raises:
        TooShortError: if fewer rows are left than three for each coefficient.
    """
    rows = np.flatnonzero(~np.isnan(target) & ~np.isnan(terms).any(axis=1))
    rows = rows[rows >= WARM]
    if len(rows) < 3 * (terms.shape[1] + 1):
        raise TooShortError(f"a regression on {terms.shape[1]} terms has {len(rows)} known days; give more rows")
    x = _with_constant(terms[rows])
    coefficients = np.asarray(np.linalg.lstsq(x, target[rows], rcond=None)[0], np.float64)
    return coefficients, np.asarray(target[rows] - x @ coefficients)


def _with_constant(terms: Array) -> Array:
    return np.concatenate([np.ones((len(terms), 1)), terms], axis=1)
