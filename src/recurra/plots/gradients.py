"""The norm of a gradient by its distance in time: vanishing and exploding made visible."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import PALETTE, SOFT, entitle, label_line_ends, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gradient_decay(
    norms: Mapping[str, npt.ArrayLike],
    *,
    title: str = "Gradient by distance in time",
    note: str = "norm of the gradient of the last step's loss, median over rows",
) -> "Figure":
    """Draw how a gradient's norm falls or grows with the distance from the last step, on a logarithmic axis.

    A straight line downwards is a gradient that vanishes by the same factor each step, upwards one that explodes.

    Args:
        norms: name -> norms [distance], or [distance, row], such as what `recurra.nn.gradient_norms` returns: the
            median over rows is drawn, and the middle 80 % shaded. NaN counts as no value; zeros leave a gap.
        title: over the picture.
        note: a smaller line under it.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: if there is nothing to draw, or the norms have no such shape.
        MissingExtraError: if matplotlib is not installed.
    """
    curves = {name: np.asarray(values, dtype=np.float64) for name, values in norms.items()}
    if not curves or any(curve.ndim not in (1, 2) or not curve.size for curve in curves.values()):
        shapes = {name: curve.shape for name, curve in curves.items()}
        raise ShapeError(f"expected norms of shape [distance] or [distance, row], got {shapes or 'none'}")
    figure, (axes,) = new_figure(7.5, 4.2)
    axes.set_yscale("log")
    axes.tick_params(which="minor", length=0)
    ends: list[tuple[float, str, str]] = []
    for place, (name, curve) in enumerate(curves.items()):
        colour = PALETTE[place % len(PALETTE)]
        style = ("-", (0, (5, 2)), (0, (1, 1.5)))[place // len(PALETTE) % 3]
        low, middle, high = _quantiles(curve)
        distance = np.arange(len(middle))
        axes.plot(distance, middle, color=colour, linewidth=1.8, linestyle=style, label=name)
        if curve.ndim == 2 and curve.shape[1] > 1:
            axes.fill_between(distance, low, high, color=colour, alpha=0.13, linewidth=0)
        drawn = middle[~np.isnan(middle)]
        if len(drawn):
            ends.append((float(drawn[-1]), name, colour))
    axes.margins(x=0.01)
    axes.set_xlabel("steps before the last one", fontsize=9, color=SOFT)
    entitle(axes, title, note)
    if ends:
        label_line_ends(axes, ends)
    return figure


def _quantiles(curve: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The 10 %, 50 % and 90 % quantiles over rows at each distance, [3, distance]; zeros and gaps are NaN."""
    rows = curve[:, None] if curve.ndim == 1 else curve
    found = np.full((3, len(rows)), np.nan)
    for distance, values in enumerate(rows):
        seen = values[np.isfinite(values)]
        if len(seen):
            found[:, distance] = np.quantile(seen, (0.1, 0.5, 0.9))
    found[found <= 0.0] = np.nan
    return found
