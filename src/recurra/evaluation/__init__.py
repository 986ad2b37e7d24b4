"""Rolling-origin backtests, comparison with the naive rules, tests of significance, the report in words."""

from recurra.evaluation.backtest import backtest
from recurra.evaluation.report import BacktestReport
from recurra.evaluation.rolling import Overlap, Window
from recurra.evaluation.scores import Comparison, Scores
from recurra.evaluation.significance import (
    DieboldMariano,
    Interval,
    clustered_bootstrap,
    diebold_mariano,
    moving_block_bootstrap,
)
from recurra.evaluation.tracks import (
    Truth,
    best_of,
    compare_paths,
    density_ranks,
    fit_rules,
    log_density,
    report_tracks,
    score_tracks,
)
from recurra.evaluation.tracks_report import TrackReport, TrackScores
from recurra.evaluation.translations import TranslationReport, score_translations

__all__ = [
    "BacktestReport",
    "Comparison",
    "DieboldMariano",
    "Interval",
    "Overlap",
    "Scores",
    "TrackReport",
    "TrackScores",
    "TranslationReport",
    "Truth",
    "Window",
    "backtest",
    "best_of",
    "clustered_bootstrap",
    "compare_paths",
    "density_ranks",
    "diebold_mariano",
    "fit_rules",
    "log_density",
    "moving_block_bootstrap",
    "report_tracks",
    "score_tracks",
    "score_translations",
]
