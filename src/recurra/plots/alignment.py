"""Attention as an alignment: which piece of the source each piece of the answer looked at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import BLUE, INK, entitle, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def alignment_chart(
    attention: npt.ArrayLike, source: Sequence[str], target: Sequence[str], *, title: str = "Attention"
) -> "Figure":
    """Draw attention weights: the source from left to right, the answer from top to bottom.

    Args:
        attention: weights, [target, source], from 0 to 1.
        source: words or pieces of the source.
        target: words or pieces of the answer.
        title: over the picture.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: the weights are not [target, source], or there are none.
        MissingExtraError: if matplotlib is not installed.
    """
    weights = np.asarray(attention, dtype=np.float64)
    if weights.shape != (len(target), len(source)) or not weights.size:
        raise ShapeError(f"expected weights [{len(target)}, {len(source)}], got {list(weights.shape)}")
    from matplotlib.colors import LinearSegmentedColormap

    figure, (axes,) = new_figure(2.0 + 0.34 * len(source), 1.9 + 0.27 * len(target))
    shades = LinearSegmentedColormap.from_list("attention", ["#ffffff", BLUE])
    axes.imshow(weights, cmap=shades, vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_xticks(range(len(source)), [_plain(piece) for piece in source], rotation=60, ha="right", fontsize=8.5)
    axes.set_yticks(range(len(target)), [_plain(piece) for piece in target], fontsize=8.5)
    axes.tick_params(colors=INK, length=0)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    for edge in range(1, max(len(source), len(target))):
        if edge < len(source):
            axes.axvline(edge - 0.5, color="white", linewidth=1.0)
        if edge < len(target):
            axes.axhline(edge - 0.5, color="white", linewidth=1.0)
    entitle(axes, title, "each row adds up to 1; the darker, the more it was looked at")
    return figure


def _plain(piece: str) -> str:
    """A piece with a space where sentencepiece marks the beginning of a word; $ is no formula."""
    return piece.replace("▁", " ").strip().replace("$", r"\$") or "·"
