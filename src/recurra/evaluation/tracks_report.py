"""The report on predicted paths: scores of the network beside the naive rules, and a verdict in words."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recurra.evaluation._plain import plain
from recurra.evaluation._words import aligned, number, percent, verdict_sentence
from recurra.evaluation.scores import Comparison

NETWORK = "network"
OFF = "correction switched off"


@dataclass(frozen=True)
class BestOf:
    """The best of k futures: each person's own, or the one that is best for everybody of a moment.

    Attributes:
        ade, fde: mean and last error, each of its own best future, averaged over persons.
        ade_scene, fde_scene: the same with one choice for all persons of a moment.
    """

    ade: float
    fde: float
    ade_scene: float
    fde_scene: float


@dataclass(frozen=True)
class TrackScores:
    """Scores of one predictor; NaN, or empty, where undefined.

    Attributes:
        n: paths scored.
        ade, fde: average and final displacement error of the middle path, units of length.
        by_step: mean error at each step ahead.
        miss_rate: share of middle paths that end further away than the report's limit.
        nll: negative log likelihood of a position, nats.
        calibration: claimed probability of a region -> how often it held the truth.
        best_of: "draws" at random or "spread" over the distribution -> the best of k.
    """

    n: int
    ade: float
    fde: float
    by_step: tuple[float, ...]
    miss_rate: float
    nll: float
    calibration: Mapping[float, float]
    best_of: Mapping[str, BestOf]


@dataclass(frozen=True)
class TrackReport:
    """How paths were predicted that the network had not seen, beside the naive rules, from the same histories.

    The best naive rule is the one with the lowest ADE on these very windows: chosen with hindsight, the strictest
    comparison. Intervals are over objects, since windows of one object hang together.

    Attributes:
        names: the predictors, the network first.
        scores: of each.
        comparisons: the network beside the best rule, beside itself with its correction switched off, and beside
            constant velocity.
        improved: share of windows in which the network's mean error is lower than each other's.
        best_rule: the naive rule with the lowest ADE.
        futures: k of the best of k.
        limit: an end further away is a miss, units of length.
        unit: of lengths, empty if it is the table's own.
    """

    names: tuple[str, ...]
    scores: Mapping[str, TrackScores]
    comparisons: Mapping[str, Comparison]
    improved: Mapping[str, float]
    best_rule: str
    futures: int
    limit: float
    unit: str = ""

    @property
    def comparison(self) -> Comparison:
        """The network beside the best naive rule."""
        return self.comparisons[self.best_rule]

    @property
    def sentence(self) -> str:
        """In words: is the network better than the best naive rule?"""
        return verdict_sentence(self.comparison)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON; what is undefined is None."""
        described: dict[str, Any] = plain(
            {
                "sentence": self.sentence,
                "best_rule": self.best_rule,
                "unit": self.unit,
                "futures": self.futures,
                "miss_limit": self.limit,
                "comparisons": {name: asdict(comparison) for name, comparison in self.comparisons.items()},
                "improved": dict(self.improved),
                "scores": {
                    name: {**asdict(scores), "calibration": {str(k): v for k, v in scores.calibration.items()}}
                    for name, scores in self.scores.items()
                },
            }
        )
        return described

    def __str__(self) -> str:
        """The table of scores with the verdict below it."""
        n = self.scores[self.names[0]].n
        unit = f" in {self.unit}" if self.unit else ""
        header = ["", "ADE", "FDE", "NLL", f"best of {self.futures}", "missed", "lower than"]
        rows = []
        for name in self.names:
            s = self.scores[name]
            best = s.best_of.get("draws")
            pair = "-" if best is None else f"{number(best.ade)} / {number(best.fde)}"
            shown = f"{name} *" if name == self.best_rule else name
            share = percent(self.improved[name]) if name in self.improved else ""
            rows.append([shown, number(s.ade), number(s.fde), number(s.nll), pair, percent(s.miss_rate), share])
        lines = [f"Predicted paths: {n:,} scored{unit}", "", aligned(header, rows)]
        lines.append("* the best naive rule by ADE on these paths")
        return "\n".join([*lines, *self._calibration_lines(), self.sentence])

    def _calibration_lines(self) -> list[str]:
        claimed = self.scores[self.names[0]].calibration
        if not claimed or any(math.isnan(share) for share in claimed.values()):
            return []
        held = ", ".join(f"{percent(level)}: {percent(share)}" for level, share in claimed.items())
        return [f"The network's regions held the truth, claimed and found: {held}"]
