"""The market benchmark's work: rules, networks, shuffled targets and planted signals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra import MarketForecaster
from recurra.data.catalogue import load_sp500
from recurra.data.market import Asset, MarketTable
from recurra.evaluation.market import MarketReport

Array = npt.NDArray[np.float64]

SINCE = "2010-01-04"
TABLE: dict[str, Any] = {"close": None, "returns": "return", "realised": "rv"}
SEEDS = (0, 1, 2, 3, 4)
TABLES = {"planted": 20, "planted-long": 20, "shuffled": 200, "signs": 200}
"""How many made tables each part has."""
PACKED = ("qlike", "nll")
REFIT = {"rules": 22, "network": 250}
HIDDEN = 8
SIZES = {"short": (2000, 1000), "long": (4595, 2500)}
"""Days of a made table, and how many of them are learned from; the long ones are those of the real test."""


def sp500(vix: bool) -> MarketTable:
    """The S&P 500 from 2000 on."""
    return load_sp500(vix=vix)


def run_rules(vix: bool) -> dict[str, Any]:
    """The rules alone, fitted anew every 22 days: the anchors' figures."""
    from recurra.evaluation.market import walk_forward

    table = sp500(vix)
    report = walk_forward(table, _no_network, (1,), since=SINCE, refit=REFIT["rules"])
    return described(report, list(report.rules), ())


def run_network(vix: bool, seed: int) -> dict[str, Any]:
    """One seed of the network and of the same learner with its recurrent part off, and the rules on the same folds."""
    covariates = {"log_covariates": ("vix",)} if vix else {}
    model = MarketForecaster(seed=seed, **TABLE, **covariates)
    report = model.backtest(sp500(vix), since=SINCE, refit=REFIT["network"], linear=True)
    return described(report, list(report.names), report.names if seed == 0 else report.learners)


def described(report: MarketReport, names: list[str], daily: Sequence[str]) -> dict[str, Any]:
    """Scores of each forecaster, and the daily losses of some as text: the rules' are the same for every seed."""
    scores = report.to_dict()["scores"]["1"]
    return {
        "scores": {name: scores[name] for name in names},
        "always_up": report.to_dict()["always_up"],
        "long_flat": report.to_dict()["long_flat"],
        "daily": {name: {field: packed(report.field(name, field)[0]) for field in PACKED} for name in daily},
        "sentence": report.sentence,
    }


def run_shuffled(number: int) -> dict[str, Any]:
    """Days in random order: there is nothing to forecast but the constant."""
    random = np.random.default_rng([number, 20])
    return _verdict(_shuffled(random, "short"), number, "short")


def run_signs(number: int) -> dict[str, Any]:
    """Real days in order whose returns have random signs: the returns cannot be forecast, the variance can.

    The verdict is that in the returns alone.
    """
    random = np.random.default_rng([number, 40])
    days, _ = SIZES["short"]
    asset = sp500(False).assets[0]
    begin = int(random.integers(len(asset.returns) - days + 1))
    stretch = asset.part(begin, begin + days)
    signs = random.choice([-1.0, 1.0], size=days)
    found = _verdict(replace(stretch, returns=signs * stretch.returns), number, "short", hidden_size=16)
    return {**found, "evidence": found["returns"][0]}


def run_planted(number: int, size: str) -> dict[str, Any]:
    """Shuffled days whose returns follow r[t] = 0.173 r[t - 1] + e[t]: an R2 of 3 %."""
    random = np.random.default_rng([number, 30])
    asset = _shuffled(random, size)
    share = np.sqrt(0.03)
    returns = asset.returns.copy()
    for t in range(1, len(returns)):
        returns[t] = share * returns[t - 1] + np.sqrt(1.0 - 0.03) * asset.returns[t]
    return _verdict(replace(asset, returns=returns), number, size)


def _shuffled(random: np.random.Generator, size: str) -> Asset:
    days, _ = SIZES[size]
    asset = sp500(False).assets[0]
    order = random.permutation(np.flatnonzero(~np.isnan(asset.variance)))[:days]
    return replace(asset.part(0, days), returns=asset.returns[order], variance=asset.variance[order])


def _verdict(asset: Asset, number: int, size: str, hidden_size: int = HIDDEN) -> dict[str, Any]:
    """Learned once, from the first days; scored on the others."""
    days, learned = SIZES[size]
    model = MarketForecaster(seed=number, hidden_size=hidden_size, **TABLE)
    table = replace(sp500(False), assets=(asset,))
    report = model.backtest(table, since=asset.ds[learned], refit=days)
    returns, variance = report.return_skill, report.variance_skill
    return {
        "evidence": report.evidence,
        "returns": [returns.evidence, round(returns.p_value, 5), round(returns.gain, 5)],
        "variance": [variance.evidence, round(variance.p_value, 5), variance.hardest],
    }


def packed(values: Array) -> str:
    """Daily figures as one line."""
    return " ".join(f"{value:.4g}" for value in values)


def _no_network(table: MarketTable, seed: int) -> Any:
    """Stands where a network would: the last rule's path, uncorrected."""
    from recurra.data.market import input_names
    from recurra.models.market import MarketNetwork, MarketShape
    from recurra.prediction import MarketPredictor
    from recurra.prediction.market import AssetScale

    del seed
    names = tuple(table.assets[0].covariates)
    scales = {asset.id: AssetScale.fit(asset, (1,)) for asset in table.assets}
    return MarketPredictor(scales, MarketNetwork(MarketShape(len(input_names(names)), (1,), cell="none")))
