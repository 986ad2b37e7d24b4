"""Walk-forward evaluation of market forecasts beside the rules of the field, and a verdict in words."""

from recurra.evaluation.market.report import LeftOut, MarketReport
from recurra.evaluation.market.scores import MarketScores
from recurra.evaluation.market.skill import ReturnSkill, VarianceSkill
from recurra.evaluation.market.trading import LongFlat, long_flat
from recurra.evaluation.market.walk import walk_forward

__all__ = [
    "LeftOut",
    "LongFlat",
    "MarketReport",
    "MarketScores",
    "ReturnSkill",
    "VarianceSkill",
    "long_flat",
    "walk_forward",
]
