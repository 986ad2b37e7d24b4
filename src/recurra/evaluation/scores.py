"""From window errors to scores: per series and overall, and the paired comparison of two forecasters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.evaluation.significance import RESAMPLES, Interval, clustered_bootstrap
from recurra.evaluation.windows import WindowErrors

Array = npt.NDArray[np.float64]

ENOUGH_BLOCKS = 6
"""With 5 windows that all agree the two-sided sign test gives p = 0.0625, with 6 it gives 0.031."""


@dataclass(frozen=True)
class Scores:
    """Scores of one forecaster on one set of windows; NaN where undefined.

    Attributes:
        n: targets scored; each counts alike.
        mae: mean absolute error of the median, units of the target.
        rmse: root mean squared error of the median, units of the target.
        smape: percent, 0 to 200.
        mase: mean absolute error over the seasonal naive error of the history before the origin.
        quantile_loss: mean pinball loss over levels, units of the target.
        coverage: share of targets inside the outermost interval.
        skill: 1 - MAE / MAE of the best rule; above 0 is better than the rule.
    """

    n: int
    mae: float
    rmse: float
    smape: float
    mase: float
    quantile_loss: float
    coverage: float
    skill: float


@dataclass(frozen=True)
class Comparison:
    """The network beside the best naive rule: "better", "no better" or "worse".

    Attributes:
        rule: the rule it is compared with.
        measure: "MAE" or "MASE".
        network: the network's score.
        best: the rule's score.
        interval: of the network's score less the rule's, paired by window.
        verdict: "better" or "worse" if the interval excludes zero and rests on at least 6 blocks, else "no better".
    """

    rule: str
    measure: str
    network: float
    best: float
    interval: Interval
    verdict: str


def score_windows(windows: Sequence[WindowErrors], names: Sequence[str], best: int) -> dict[str, Scores]:
    """Scores of every forecaster over these windows.

    Args:
        windows: at least one.
        names: the forecasters, in the order of the sums.
        best: place of the rule that skill is measured against.

    Returns:
        Name to scores. Sums are pooled over all targets: each known target counts once.
    """
    n = sum(window.known for window in windows)
    total = {name: np.sum([window.sums[name] for window in windows], axis=0) for name in windows[0].sums}
    scaled = [window for window in windows if not np.isnan(window.scale)]
    n_scaled = sum(window.known for window in scaled)
    total["scaled"] = np.sum([window.sums["scaled"] for window in scaled], axis=0) if scaled else total["scaled"]

    def mean(measure: str, place: int, count: int = n) -> float:
        return float(total[measure][place] / count) if count else float("nan")

    table = {}
    for place, name in enumerate(names):
        mae, against = mean("absolute", place), mean("absolute", best)
        table[name] = Scores(
            n=n,
            mae=mae,
            rmse=mean("squared", place) ** 0.5,
            smape=mean("symmetric", place),
            mase=mean("scaled", place, n_scaled),
            quantile_loss=mean("pinball", place),
            coverage=mean("inside", place),
            skill=1.0 - mae / against if against > 0.0 else (0.0 if mae == against else float("nan")),
        )
    return table


def compare(
    windows: Sequence[WindowErrors],
    names: Sequence[str],
    measure: str,
    rule: int | None = None,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare the network (place 0) with a rule, paired by window.

    Args:
        windows: at least one.
        names: the forecasters, the network first.
        measure: "MAE" or "MASE".
        rule: place of the rule; None takes the one with the smallest error on these very windows, which is the
            strictest comparison: the rule is chosen with hindsight, the network is not.
        resamples: bootstrap draws.

    Returns:
        Scores, interval and verdict.
    """
    key = {"MAE": "absolute", "MASE": "scaled"}[measure]
    used = [window for window in windows if window.known and not np.isnan(window.sums[key]).any()]
    ids = {series_id: row for row, series_id in enumerate(dict.fromkeys(window.series_id for window in used))}
    folds = {fold: column for column, fold in enumerate(sorted({window.fold for window in used}))}
    sums = np.zeros((len(names), len(ids), len(folds)))
    counts = np.zeros((len(ids), len(folds)))
    for window in used:
        place = ids[window.series_id], folds[window.fold]
        sums[(slice(None), *place)] += window.sums[key]
        counts[place] += window.known
    if not used:
        nothing = Interval(float("nan"), float("nan"), float("nan"), 0.95, 0)
        return Comparison(names[1 if rule is None else rule], measure, float("nan"), float("nan"), nothing, "no better")
    means = sums.sum(axis=(1, 2)) / counts.sum()
    against = 1 + int(np.argmin(means[1:])) if rule is None else rule
    interval = clustered_bootstrap(sums[0] - sums[against], counts, resamples=resamples)
    verdict = "no better"
    if interval.excludes_zero and interval.blocks >= ENOUGH_BLOCKS:
        verdict = "better" if interval.upper < 0.0 else "worse"
    return Comparison(names[against], measure, float(means[0]), float(means[against]), interval, verdict)
