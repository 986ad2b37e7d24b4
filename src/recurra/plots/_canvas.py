"""Figures in the house style: matplotlib is imported here, when first needed, and nowhere else."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recurra.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#22272e"
SOFT = "#6b7480"
GRID = "#e3e6ea"
BLUE = "#0072b2"
ORANGE = "#d55e00"
PALETTE = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#b8860b")
"""Okabe & Ito 2008: told apart by people with any colour vision."""


def new_figure(width_in: float, height_in: float, rows: int = 1, columns: int = 1) -> "tuple[Figure, list[Axes]]":
    """An empty figure with rows x columns axes in the house style.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("plots need matplotlib; install it with: pip install recurra[plots]") from error
    figure = Figure(figsize=(width_in, height_in), dpi=150, layout="constrained", facecolor="white")
    axes = list(np.atleast_1d(figure.subplots(rows, columns)).reshape(-1))
    for each in axes:
        _dress(each)
    return figure, axes


def entitle(axes: "Axes", title: str, note: str = "") -> None:
    """A title at the left, and a smaller line under it."""
    lift = 1 if note else 0
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=8 + 14 * lift)
    if note:
        axes.annotate(
            note, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", fontsize=8.5, color=SOFT
        )


def legible_dates(axes: "Axes", ds: npt.NDArray[Any]) -> None:
    """Few, short date labels on the x axis, if `ds` holds dates."""
    if np.asarray(ds).dtype.kind != "M":
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set(fontsize=8.5, color=SOFT)


def readable_numbers(axes: "Axes") -> None:
    """Thousands apart on the y axis: 1,250,000 instead of 1.25 and a factor in the corner."""
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(_tick))


def label_line_ends(axes: "Axes", labels: list[tuple[float, str, str]], gap: float = 0.06) -> None:
    """Text at the right edge beside the ends of lines, moved apart so that none covers another.

    Args:
        axes: where; its limits must be final.
        labels: height in data units, text and colour of each.
        gap: smallest distance of two labels, as a share of the axis.
    """
    bottom, top = axes.get_ylim()
    scale = np.log10 if axes.get_yscale() == "log" else np.asarray
    heights = [float((scale(height) - scale(bottom)) / (scale(top) - scale(bottom))) for height, _, _ in labels]
    order = np.argsort(heights)
    lowest = -np.inf
    for place in order:
        height = max(heights[place], lowest + gap)
        lowest = height
        axes.annotate(
            labels[place][1], (1, height), (5, 0), xycoords="axes fraction", textcoords="offset points",
            color=labels[place][2], fontsize=9, va="center", annotation_clip=False,
        )  # fmt: skip


def _tick(value: float, _position: int | None) -> str:
    if value == 0.0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def _dress(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelsize=8.5, length=0)
    axes.tick_params(axis="x", length=3)
