"""The rules every market forecast is compared with: random walk, yesterday's, EWMA, GARCH, GJR, HAR and log-HAR."""

from collections.abc import Sequence

from recurra.baselines.market.garch import Garch
from recurra.baselines.market.har import Har, LogHar
from recurra.baselines.market.rule import VarianceRule
from recurra.baselines.market.simple import Ewma, RandomWalk, Yesterday

__all__ = ["Ewma", "Garch", "Har", "LogHar", "RandomWalk", "VarianceRule", "Yesterday", "market_rules", "missing_rules"]


def market_rules(horizons: Sequence[int], covariates: Sequence[str] = ()) -> list[VarianceRule]:
    """Every rule; the last is the log-HAR with negative returns and covariates, the path that the network corrects.

    GARCH and GJR are fitted by the package `arch`; without it they are left out, and `missing_rules` names them.
    """
    days = tuple(horizons)
    rules: list[VarianceRule] = [RandomWalk(days), Yesterday(days), Ewma(days)]
    if Garch.available():
        rules += [Garch(days), Garch(days, asymmetric=True)]
    rules += [Har(days), LogHar(days), LogHar(days, leverage=True)]
    if covariates:
        rules.append(LogHar(days, leverage=True, covariates=True))
    return rules


def missing_rules() -> tuple[str, ...]:
    """Names of the rules that are left out because their package is not installed."""
    return () if Garch.available() else ("GARCH", "GJR")
