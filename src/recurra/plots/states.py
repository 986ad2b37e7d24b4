"""A recurrent layer unrolled in time as heat maps: its gates, cells and outputs, one panel for each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import BLUE, GRID, INK, ORANGE, SOFT, new_figure
from recurra.plots._parts import GATES, MEANINGS, TANHS, as_parts, split_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def state_maps(
    parts: Mapping[str, npt.ArrayLike], *, title: str = "Unrolled in time", panel_in: float = 1.25
) -> "Figure":
    """Draw the states and gates of one sequence, time from left to right, neurons from top to bottom.

    Names that end alike ("i_l0", "f_l0") stand in one column, names that begin alike ("f_l0", "f_l1") in one row.
    Gates are drawn from 0 to 1, what comes out of a tanh from -1 to 1, everything else from minus to plus its largest
    size.

    Args:
        parts: name -> values [step, neuron], such as `trace.arrays()`; NaN is drawn grey.
        title: over the picture.
        panel_in: height of a panel in inches.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: if there is nothing to draw, or the parts have unlike numbers of steps.
        MissingExtraError: if matplotlib is not installed.
    """
    arrays = as_parts(parts)
    steps = {array.shape[0] for array in arrays.values()}
    if len(steps) != 1 or not all(array.size for array in arrays.values()):
        raise ShapeError(f"the parts have {sorted(steps)} steps; draw parts of one sequence that has some")
    rows = list(dict.fromkeys(split_name(name)[0] for name in arrays))
    columns = list(dict.fromkeys(split_name(name)[1] for name in arrays))
    width_in = 8.0 if len(columns) == 1 else 1.0 + 4.6 * len(columns)
    figure, axes = new_figure(width_in, 0.9 + panel_in * len(rows), len(rows), len(columns))
    for place, panel in enumerate(axes):
        row, column = divmod(place, len(columns))
        there = [k for k, short in enumerate(rows) if _named(short, columns[column]) in arrays]
        if row not in there:
            panel.set_visible(False)
            continue
        _draw(figure, panel, rows[row], arrays[_named(rows[row], columns[column])])
        words = f"{rows[row]}  {MEANINGS.get(rows[row], '')}".rstrip()
        panel.set_title(words, loc="left", fontsize=9, color=INK, pad=4)
        if len(columns) > 1 and row == there[0]:
            panel.set_title(columns[column], loc="right", fontsize=9, fontweight="bold", color=SOFT, pad=4)
        panel.tick_params(axis="x", labelbottom=row == there[-1])
        panel.set_xlabel("step" if row == there[-1] else "", fontsize=9, color=SOFT)
        panel.set_ylabel("" if column else "neurons", fontsize=8.5, color=SOFT)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    return figure


def _named(short: str, column: str) -> str:
    return f"{short}_{column}" if column else short


def _draw(figure: "Figure", axes: "Axes", short: str, values: npt.NDArray[np.float64]) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    if short in GATES:
        low, high, colours = 0.0, 1.0, ["#ffffff", BLUE]
    else:
        finite = np.abs(values[np.isfinite(values)])
        high = 1.0 if short in TANHS else float(finite.max(initial=0.0)) or 1.0
        low, colours = -high, [ORANGE, "#ffffff", BLUE]
    shades = LinearSegmentedColormap.from_list(short, colours).with_extremes(bad=GRID)
    image = axes.imshow(values.T, aspect="auto", cmap=shades, vmin=low, vmax=high)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.015, aspect=12, ticks=[low, (low + high) / 2, high])
    bar.ax.set_yticklabels([f"{tick:.2g}" for tick in (low, (low + high) / 2, high)])
    bar.ax.tick_params(labelsize=7.5, length=0, colors=SOFT)
    bar.outline.set_visible(False)
