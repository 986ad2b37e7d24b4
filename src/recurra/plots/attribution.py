"""What a forecast is made of, as a picture: inputs from top to bottom, lags from the past to the latest row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import BLUE, INK, ORANGE, SOFT, entitle, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def attribution_map(
    inputs: Sequence[str], values: npt.ArrayLike, *, title: str = "What the forecast is made of", note: str = ""
) -> "Figure":
    """Draw attributions by input and lag, blue where they raise the forecast and orange where they lower it.

    Args:
        inputs: names.
        values: attributions [lags, inputs]; lag 0, the latest row, first.
        title: over the picture.
        note: under the title, such as the completeness error.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: if names and values do not agree, or there are none.
        MissingExtraError: if matplotlib is not installed.
    """
    shown = np.asarray(values, np.float64)
    if shown.ndim != 2 or shown.shape[1] != len(inputs) or not shown.size:
        raise ShapeError(f"values have shape {shown.shape}; {len(inputs)} inputs want [lags, {len(inputs)}]")
    figure, (axes,) = new_figure(9.0, 1.4 + 0.26 * len(inputs))
    from matplotlib.colors import LinearSegmentedColormap

    most = float(np.abs(shown).max()) or 1.0
    shades = LinearSegmentedColormap.from_list("attribution", [ORANGE, "#ffffff", BLUE])
    image = axes.imshow(shown[::-1].T, aspect="auto", cmap=shades, vmin=-most, vmax=most)
    axes.grid(visible=False)
    axes.set_yticks(range(len(inputs)), list(inputs), fontsize=8.5, color=INK)
    lags = len(shown)
    ticks = np.unique(np.linspace(0, lags - 1, min(lags, 9)).astype(int))
    axes.set_xticks(ticks, [str(lags - 1 - tick) for tick in ticks])
    axes.set_xlabel("rows before the latest", fontsize=9, color=SOFT)
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.015, ticks=[-most, 0.0, most])
    bar.ax.set_yticklabels([f"{tick:+.2g}" for tick in (-most, 0.0, most)])
    bar.ax.tick_params(labelsize=7.5, length=0, colors=SOFT)
    entitle(axes, title, note)
    return figure
