"""Rolling-origin backtests, comparison with the naive rules, tests of significance, the report in words."""

from recurra.evaluation.backtest import backtest
from recurra.evaluation.report import BacktestReport
from recurra.evaluation.scores import Comparison, Scores
from recurra.evaluation.significance import (
    DieboldMariano,
    Interval,
    clustered_bootstrap,
    diebold_mariano,
    moving_block_bootstrap,
)
from recurra.evaluation.translations import TranslationReport, score_translations

__all__ = [
    "BacktestReport",
    "Comparison",
    "DieboldMariano",
    "Interval",
    "Scores",
    "TranslationReport",
    "backtest",
    "clustered_bootstrap",
    "diebold_mariano",
    "moving_block_bootstrap",
    "score_translations",
]
