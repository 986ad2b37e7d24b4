"""Is a forecast distribution as wide as it says? A histogram of probability integral transforms."""

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import BLUE, INK, SOFT, entitle, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pit_histogram(pit: npt.ArrayLike, *, bins: int = 20, title: str = "Calibration") -> "Figure":
    """Draw how often what came fell into each part of the forecast distribution: flat if the forecasts are right.

    A valley means that they are too narrow, a hill that they are too wide. The dashed lines hold 95 % of the bars of a
    right forecast.

    Args:
        pit: the forecast distribution function at what came, between 0 and 1, [days]; NaN takes no part.
        bins: bars.
        title: over the picture.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: if nothing is known or `bins` is below 2.
        MissingExtraError: if matplotlib is not installed.
    """
    values = np.asarray(pit, dtype=np.float64).reshape(-1)
    values = values[~np.isnan(values)]
    if not values.size or bins < 2:
        raise ShapeError(f"{values.size} known values in {bins} bars; give at least one value and two bars")
    counts, edges = np.histogram(values, bins=bins, range=(0.0, 1.0))
    shares = counts / values.size * bins
    reach = 1.96 * math.sqrt((bins - 1.0) / values.size)
    figure, (axes,) = new_figure(6.0, 3.2)
    axes.bar(edges[:-1], shares, width=1.0 / bins, align="edge", color=BLUE, edgecolor="white", linewidth=0.6)
    axes.axhline(1.0, color=INK, linewidth=1.0)
    for height in (1.0 - reach, 1.0 + reach):
        axes.axhline(height, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_xlim(0.0, 1.0)
    entitle(axes, title, f"{values.size:,} days; density of the forecast distribution function at what came")
    return figure
