"""Saturation: how often gates are shut or open, and how often a tanh is at its ends, where gradients hardly pass."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import BLUE, INK, ORANGE, SOFT, entitle, new_figure
from recurra.plots._parts import GATES, MEANINGS, TANHS, as_parts, split_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Saturation(NamedTuple):
    """Shares of a part's values, from 0 to 1.

    Attributes:
        low: of a gate below 0.1, of a tanh below -0.9.
        high: above 0.9.
    """

    low: float
    high: float


def saturation_shares(parts: Mapping[str, npt.ArrayLike]) -> dict[str, Saturation]:
    """The shares of values at either end of their range, over all steps and neurons.

    Args:
        parts: name -> values [step, neuron], such as `trace.arrays()`; NaN counts as no value.

    Returns:
        Gates (i, f, o, r, z), candidates (g, n) and outputs (h) -> their shares. Cells and preactivations have no ends
        and are left out, and so is an output that leaves -1 .. 1, which is no tanh's.

    Raises:
        ShapeError: if a part has another number of dimensions, or there are none.
    """
    shares: dict[str, Saturation] = {}
    for name, array in as_parts(parts).items():
        short = split_name(name)[0]
        values = array[~np.isnan(array)]
        bounded = short in TANHS or (short == "h" and bool((np.abs(values) <= 1.0).all()))
        if len(values) and (short in GATES or bounded):
            bottom = 0.1 if short in GATES else -0.9
            shares[name] = Saturation(float((values < bottom).mean()), float((values > 0.9).mean()))
    return shares


def saturation_chart(parts: Mapping[str, npt.ArrayLike], *, title: str = "Saturation") -> "Figure":
    """Draw the shares as bars: shut from the left, open from the right.

    Args:
        parts: as for `saturation_shares`.
        title: over the picture.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: if no part has ends at which it could be saturated.
        MissingExtraError: if matplotlib is not installed.
    """
    shares = saturation_shares(parts)
    if not shares:
        raise ShapeError(f"none of the parts {list(parts)} is a gate, or lies between -1 and 1")
    several = len({split_name(name)[1] for name in shares}) > 1
    figure, (axes,) = new_figure(7.5, 1.5 + 0.36 * len(shares))
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    for place, (low, high) in enumerate(shares.values()):
        axes.barh(place, 100.0, color="#eef0f2", height=0.62)
        axes.barh(place, 100.0 * low, color=BLUE, height=0.62, label="low end" if place == 0 else None)
        axes.barh(
            place, 100.0 * high, left=100.0 - 100.0 * high, color=ORANGE, height=0.62,
            label="high end" if place == 0 else None,
        )  # fmt: skip
        axes.annotate(_percent(low), (0, place), (-6, 0), textcoords="offset points", ha="right", va="center",
                      fontsize=8.5, color=BLUE)  # fmt: skip
        axes.annotate(_percent(high), (100, place), (6, 0), textcoords="offset points", ha="left",
                      va="center", fontsize=8.5, color=ORANGE)  # fmt: skip
    axes.set_yticks(range(len(shares)), [_words(name, several) for name in shares], fontsize=9, color=INK)
    axes.tick_params(axis="y", pad=38)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 100.0)
    axes.set_xticks([])
    entitle(axes, title, "share of values: gates below 0.1 and above 0.9, others below -0.9 and above 0.9")
    figure.legend(loc="outside lower left", ncols=2, fontsize=8.5, frameon=False, labelcolor=SOFT, handlelength=1.6)
    return figure


def _words(name: str, several: bool) -> str:
    short, layer = split_name(name)
    return f"{MEANINGS[short]}  {name if several and layer else short}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %" if share >= 0.01 or share == 0.0 else "<1 %"
