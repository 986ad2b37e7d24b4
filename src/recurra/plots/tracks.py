"""Tracks seen from above: where an object was, where it may go, and where it went."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recurra.errors import ConfigError, ShapeError
from recurra.plots._canvas import BLUE, GRID, INK, ORANGE, SOFT, entitle, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
TINT = "#9cc6e1"


def _nothing() -> Array:
    return np.zeros((0, 0, 2))


@dataclass(frozen=True)
class TrackPicture:
    """What one panel shows, as arrays of positions (x, y), or (longitude, latitude).

    Attributes:
        history: fixes so far, [fixes, 2].
        path: the middle path, [horizon, 2].
        actual: where the object went, [horizon, 2], NaN where not known; None if it is not known at all.
        futures: possible paths, [futures, horizon, 2].
        regions: outlines to shade, such as `PathForecasts.ellipses` gives, [outlines, points, 2].
        shades: how dark each outline is, from 0 to 1, [outlines]; all alike if empty.
        others: tracks of other objects, in grey.
        title: name of the object.
        unit: of the coordinates, for the axes; "degrees" stretches the map as at its middle latitude.
    """

    history: Array
    path: Array
    actual: Array | None = None
    futures: Array = field(default_factory=_nothing)
    regions: Array = field(default_factory=_nothing)
    shades: Array = field(default_factory=lambda: np.zeros(0))
    others: Sequence[Array] = ()
    title: str = ""
    unit: str = "m"

    def __post_init__(self) -> None:
        flat = {"history": self.history, "path": self.path}
        if self.actual is not None:
            flat["actual"] = self.actual
        for name, array in flat.items():
            if np.ndim(array) != 2 or np.shape(array)[1] != 2:
                raise ShapeError(f"{name} has shape {np.shape(array)}; it must be [positions, 2]")
        for name, array in (("futures", self.futures), ("regions", self.regions)):
            if np.ndim(array) != 3 or np.shape(array)[2] != 2:
                raise ShapeError(f"{name} has shape {np.shape(array)}; it must be [paths, positions, 2]")
        if len(self.shades) not in (0, len(self.regions)):
            raise ShapeError(f"{len(self.shades)} shades for {len(self.regions)} regions; give one for each, or none")


def track_map(pictures: Sequence[TrackPicture], *, columns: int = 2, panel_in: float = 4.2) -> "Figure":
    """Draw tracks, predictions and their ellipses, a panel for each object.

    Coast lines are not drawn: no light library ships them.

    Args:
        pictures: one per panel.
        columns: panels side by side.
        panel_in: width and height of a panel in inches.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ConfigError: if there is nothing to draw or `columns` is below 1.
        MissingExtraError: if matplotlib is not installed.
    """
    if not pictures or columns < 1:
        raise ConfigError(f"{len(pictures)} pictures in {columns} columns; give at least one of each")
    across = min(columns, len(pictures))
    down = math.ceil(len(pictures) / across)
    figure, axes = new_figure(panel_in * across, panel_in * down, down, across)
    for place, panel in enumerate(axes):
        if place < len(pictures):
            _draw(panel, pictures[place])
        else:
            panel.set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower left", ncols=len(labels), fontsize=8.5, frameon=False, labelcolor=INK,
        handlelength=1.6, columnspacing=1.6,
    )  # fmt: skip
    return figure


def _draw(axes: "Axes", picture: TrackPicture) -> None:
    for other in picture.others:
        axes.plot(*_line(np.asarray(other)), color=GRID, linewidth=1.0, zorder=1)
    _shade(axes, picture)
    for number, future in enumerate(picture.futures):
        joined = np.concatenate([picture.history[-1:], future])
        label = "possible futures" if number == 0 else None
        axes.plot(*_line(joined), color=BLUE, linewidth=0.6, alpha=0.35, zorder=3, label=label)
    axes.plot(*_line(picture.history), color=INK, linewidth=1.3, marker="o", markersize=2.5, zorder=4, label="history")
    joined = np.concatenate([picture.history[-1:], picture.path])
    axes.plot(*_line(joined), color=BLUE, linewidth=1.8, zorder=5, label="middle path")
    if picture.actual is not None:
        went = np.concatenate([picture.history[-1:], picture.actual])
        axes.plot(*_line(went), color=ORANGE, linewidth=1.3, marker="o", markersize=2.5, zorder=6, label="went")
    degrees = picture.unit == "degrees"
    middle = float(np.mean(picture.history[:, 1])) if degrees else 0.0
    axes.set_aspect(1.0 / max(math.cos(math.radians(middle)), 0.05), adjustable="datalim")
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_xlabel("longitude" if degrees else picture.unit, fontsize=8.5, color=SOFT)
    axes.set_ylabel("latitude" if degrees else picture.unit, fontsize=8.5, color=SOFT)
    entitle(axes, picture.title)


def _shade(axes: "Axes", picture: TrackPicture) -> None:
    shades = picture.shades if len(picture.shades) else np.ones(len(picture.regions))
    for number, (outline, shade) in enumerate(zip(picture.regions, shades, strict=True)):
        label = "likely region" if number == 0 else None
        axes.fill(*_line(outline), color=TINT, alpha=0.05 + 0.4 * float(shade), linewidth=0, zorder=2, label=label)


def _line(positions: Array) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The coordinates, broken where a longitude jumps over the date line."""
    x, y = np.asarray(positions[:, 0], np.float64), np.asarray(positions[:, 1], np.float64)
    seam = np.flatnonzero(np.abs(np.diff(x)) > 180.0) + 1
    return np.insert(x, seam, np.nan), np.insert(y, seam, np.nan)
