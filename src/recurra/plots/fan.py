"""The forecast fan: history, quantile bands around the median, and what then happened."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError
from recurra.plots._canvas import BLUE, INK, ORANGE, SOFT, entitle, legible_dates, new_figure, readable_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
TINTS = ("#e3eff7", "#cfe3f1", "#9cc6e1")
"""Of the widest interval to the narrowest."""


@dataclass(frozen=True)
class FanSeries:
    """What one fan shows, as arrays.

    Attributes:
        history_ds: time stamps (datetime64 or numbers), shape [rows].
        history_y: values, shape [rows]; NaN leaves a gap.
        ds: time stamps of the forecast, shape [horizon]. A forecast in several pieces, one after the other, may be
            given as one, with `origins`.
        levels: quantile levels, increasing.
        quantiles: shape [horizon, level].
        actual: what happened, shape [horizon]; None if it is not known.
        title: name of the series.
        unit: of the values, for the axis.
        origins: where forecasts started, as time stamps; None marks the end of the history.
    """

    history_ds: npt.NDArray[Any]
    history_y: Array
    ds: npt.NDArray[Any]
    levels: tuple[float, ...]
    quantiles: Array
    actual: Array | None = None
    title: str = ""
    unit: str = ""
    origins: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        shapes = {
            "history_y": (np.shape(self.history_y), np.shape(self.history_ds)),
            "quantiles": (np.shape(self.quantiles), (*np.shape(self.ds), len(self.levels))),
            "actual": (np.shape(self.ds if self.actual is None else self.actual), np.shape(self.ds)),
        }
        for name, (found, expected) in shapes.items():
            if found != expected:
                raise ShapeError(f"{name} has shape {found}; the other arrays ask for {expected}")


def fan(series: FanSeries, *, width_in: float = 9.0, height_in: float = 4.2) -> "Figure":
    """Draw one forecast fan.

    Args:
        series: the arrays.
        width_in: width in inches.
        height_in: height in inches.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    figure, (axes,) = new_figure(width_in, height_in)
    _draw(axes, series)
    _explain(figure, axes)
    return figure


def fans(series: Sequence[FanSeries], *, columns: int = 2, panel_in: tuple[float, float] = (5.0, 2.8)) -> "Figure":
    """Draw several forecast fans as small panels of one figure.

    Args:
        series: one per panel.
        columns: panels side by side.
        panel_in: width and height of a panel in inches.

    Returns:
        A matplotlib Figure.

    Raises:
        ConfigError: if there is nothing to draw or `columns` is below 1.
        MissingExtraError: if matplotlib is not installed.
    """
    if not series or columns < 1:
        raise ConfigError(f"{len(series)} series in {columns} columns; give at least one of each")
    across = min(columns, len(series))
    down = math.ceil(len(series) / across)
    figure, axes = new_figure(panel_in[0] * across, panel_in[1] * down, down, across)
    for place, panel in enumerate(axes):
        if place < len(series):
            _draw(panel, series[place])
        else:
            panel.set_visible(False)
    _explain(figure, axes[0])
    return figure


def _explain(figure: "Figure", axes: "Axes") -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower left", ncols=len(labels), fontsize=8.5, frameon=False, labelcolor=INK,
        handlelength=1.6, columnspacing=1.6,
    )  # fmt: skip


def _draw(axes: "Axes", series: FanSeries) -> None:
    centre = int(np.argmin(np.abs(np.asarray(series.levels) - 0.5)))
    marker = "o" if len(series.ds) <= 60 else None
    axes.plot(series.history_ds, series.history_y, color=INK, linewidth=1.3, label="history")
    for low, high, shade in _bands(series.levels):
        share = f"{100 * (series.levels[high] - series.levels[low]):.3g} % interval"
        axes.fill_between(
            series.ds, series.quantiles[:, low], series.quantiles[:, high], color=shade, linewidth=0,
            label=share,
        )  # fmt: skip
    axes.plot(series.ds, series.quantiles[:, centre], color=BLUE, linewidth=1.8, label="forecast (median)")
    if series.actual is not None:
        axes.plot(
            series.ds, series.actual, color=ORANGE, linewidth=1.1, marker=marker, markersize=3, label="what happened"
        )
        if len(series.history_ds) and series.origins is None:
            joint = [series.history_ds[-1], series.ds[0]], [series.history_y[-1], series.actual[0]]
            axes.plot(*joint, color=ORANGE, linewidth=1.1)
    for origin in series.history_ds[-1:] if series.origins is None else series.origins:
        axes.axvline(origin, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.margins(x=0.01)
    legible_dates(axes, series.ds)
    readable_numbers(axes)
    entitle(axes, series.title, series.unit)


def _bands(levels: Sequence[float]) -> list[tuple[int, int, str]]:
    """The intervals to shade, the widest first: places of the lower and upper level, and the tint."""
    pairs = [
        (low, len(levels) - 1 - low)
        for low in range(len(levels) // 2)
        if math.isclose(levels[low] + levels[-1 - low], 1.0, abs_tol=1e-9)
    ]
    if len(pairs) > 3:
        pairs = [pairs[0], pairs[len(pairs) // 2], pairs[-1]] if len(pairs) < 5 else [pairs[0], pairs[len(pairs) // 2]]
    return [(low, high, tint) for (low, high), tint in zip(pairs, TINTS[-len(pairs) :] if pairs else (), strict=True)]
