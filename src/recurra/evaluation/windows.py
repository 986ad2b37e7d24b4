"""What every forecaster missed by in every window, summed so that any table of scores can be made from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recurra.metrics import pinball

Array = npt.NDArray[np.float64]

MEASURES = ("absolute", "squared", "symmetric", "scaled", "pinball", "inside")


@dataclass(frozen=True)
class WindowErrors:
    """One window: one series, forecast once, `horizon` targets. Sums over its known targets, per forecaster.

    Attributes:
        series_id: whose window it is.
        fold: which origin, counted from 0.
        origin: the time stamp of the last row known, as text.
        known: how many of its targets are known.
        scale: the denominator of MASE, from the history before the origin; NaN if there is none.
        sums: for each measure the sum per forecaster, shape [forecaster]: absolute error, squared error, sMAPE term
            (percent), absolute error / scale, pinball loss (mean over levels), and 1 for a target inside the
            outermost interval.
        by_step: absolute error, shape [forecaster, horizon]; NaN where the target is missing.
    """

    series_id: str | int
    fold: int
    origin: str
    known: int
    scale: float
    sums: dict[str, Array]
    by_step: Array


def measure_window(
    actual: Array, points: Array, quantiles: Array, levels: Sequence[float], scale: float
) -> tuple[dict[str, Array], Array]:
    """Sum each measure over the known targets of one window.

    Args:
        actual: targets, shape [horizon]; NaN = missing.
        points: point forecasts, shape [forecaster, horizon].
        quantiles: forecast quantiles, shape [forecaster, horizon, level].
        levels: their levels.
        scale: the denominator of MASE; NaN if there is none.

    Returns:
        For each of MEASURES the sums, shape [forecaster]; and the absolute errors, shape [forecaster, horizon].
    """
    error = np.abs(points - actual)
    known = ~np.isnan(actual)
    size = np.abs(points) + np.abs(actual)
    losses = pinball(np.broadcast_to(actual, points.shape), quantiles, levels).mean(axis=-1)
    inside = (quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1])
    terms = {
        "absolute": error,
        "squared": np.square(error),
        "symmetric": 200.0 * error / np.where(size == 0.0, 1.0, size),
        "scaled": error / scale,
        "pinball": losses,
        "inside": inside.astype(np.float64),
    }
    return {name: terms[name][:, known].sum(axis=1) for name in MEASURES}, error
