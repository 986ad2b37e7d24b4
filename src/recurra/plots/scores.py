"""Scores of several forecasters beside each other, the smaller the better, with their intervals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import BLUE, GRID, INK, SOFT, entitle, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def score_chart(
    names: Sequence[str],
    scores: npt.ArrayLike,
    *,
    intervals: npt.ArrayLike | None = None,
    highlight: Sequence[str] = ("network",),
    title: str = "Scores",
    unit: str = "MAE; smaller is better",
) -> "Figure":
    """Draw one bar per forecaster, the best at the top, the figure written beside it.

    Args:
        names: the forecasters.
        scores: one error each, shape [forecaster]; NaN is written as "-".
        intervals: lower and upper end of each score, shape [forecaster, 2]; None if not known.
        highlight: names drawn in colour; the others are grey.
        title: over the picture.
        unit: what is measured, and which way is better.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: if names, scores and intervals do not fit each other.
        MissingExtraError: if matplotlib is not installed.
    """
    values = np.asarray(scores, dtype=np.float64)
    ends = None if intervals is None else np.asarray(intervals, dtype=np.float64)
    if values.shape != (len(names),) or not len(names) or (ends is not None and ends.shape != (len(names), 2)):
        raise ShapeError(
            f"{len(names)} names, scores of shape {values.shape}"
            + ("" if ends is None else f" and intervals of shape {ends.shape}")
            + "; there must be one score, and one pair of ends, per name"
        )
    order = np.argsort(values)[::-1]
    figure, (axes,) = new_figure(7.0, 1.1 + 0.42 * len(names))
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    reach = float(np.nanmax([np.nanmax(values), np.nanmax(ends) if ends is not None else -np.inf]))
    for height, place in enumerate(order):
        strong = names[place] in highlight
        axes.barh(height, values[place], color=BLUE if strong else "#b6bdc6", height=0.62)
        right = values[place]
        if ends is not None:
            axes.plot(ends[place], [height, height], color=INK, linewidth=1.4, solid_capstyle="butt")
            right = np.nanmax([right, ends[place, 1]])
        axes.annotate(
            _figure(values[place]), (0.0 if np.isnan(right) else right, height), (6, 0), textcoords="offset points",
            va="center", fontsize=9, color=INK, fontweight="bold" if strong else "normal",
        )  # fmt: skip
    axes.set_yticks(range(len(names)), [names[place] for place in order], fontsize=9.5, color=INK)
    axes.set_xlim(0.0 if np.nanmin(values) >= 0.0 else None, reach * 1.12 if reach > 0.0 else None)
    axes.axvline(0.0, color=GRID, linewidth=1.0)
    axes.tick_params(axis="x", colors=SOFT)
    entitle(axes, title, unit)
    return figure


def _figure(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"
