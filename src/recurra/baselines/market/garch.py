"""GARCH(1,1) and GJR-GARCH, fitted by the package `arch`; the recursion itself is ours, so that no row looks ahead."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import ClassVar, Literal

import numpy as np

from recurra.baselines.market.rule import Array, VarianceRule
from recurra.data.market import Asset
from recurra.errors import MissingExtraError


class Garch(VarianceRule):
    """h[t + 1] = ω + (α + γ 1[e < 0]) e[t]² + β h[t],  e = r - μ; γ = 0 unless asymmetric.

    With persistence p = α + γ / 2 + β, later days return to the level s = ω / (1 - p):
    h[t + k] = s + p^(k - 1) (h[t + 1] - s). Fitted by normal maximum likelihood.

    Args:
        horizons: days ahead.
        asymmetric: whether falls count more (GJR).

    Source: Bollerslev 1986; Glosten, Jagannathan & Runkle 1993.
    """

    unit: ClassVar[Literal["realised", "return"]] = "return"

    def __init__(self, horizons: Sequence[int] = (1,), *, asymmetric: bool = False) -> None:
        super().__init__(horizons)
        self.asymmetric = asymmetric
        self.name = "GJR" if asymmetric else "GARCH"

    @staticmethod
    def available() -> bool:
        """Whether the package `arch` is installed."""
        return find_spec("arch") is not None

    def learn(self, asset: Asset) -> None:
        """Maximum likelihood on the known returns.

        Raises:
            MissingExtraError: without the package `arch`.
        """
        if not self.available():
            raise MissingExtraError("GARCH needs the package arch; install it with: pip install recurra[samples]")
        from arch import arch_model

        returns = asset.returns[~np.isnan(asset.returns)]
        model = arch_model(returns, mean="Constant", vol="GARCH", p=1, o=int(self.asymmetric), q=1, rescale=False)
        fitted = model.fit(disp="off", show_warning=False).params
        self.mu, self.omega = float(fitted["mu"]), float(fitted["omega"])
        self.alpha, self.beta = float(fitted["alpha[1]"]), float(fitted["beta[1]"])
        self.gamma = float(fitted["gamma[1]"]) if self.asymmetric else 0.0
        self.first = float(np.var(returns))

    def signal(self, asset: Asset, days: int) -> Array:
        """Mean of the next days' h, at every row; a masked return counts as its own variance."""
        h, ahead = self.first, np.empty(len(asset))
        for t, error in enumerate(asset.returns - self.mu):
            square = h if np.isnan(error) else error**2
            share = self.gamma / 2.0 if np.isnan(error) else self.gamma * (error < 0.0)
            h = self.omega + (self.alpha + share) * square + self.beta * h
            ahead[t] = h
        persistence = min(self.alpha + self.gamma / 2.0 + self.beta, 1.0 - 1e-9)
        level = self.omega / (1.0 - persistence)
        mean_weight = float(np.mean(persistence ** np.arange(days)))
        return np.asarray(level + mean_weight * (ahead - level))
