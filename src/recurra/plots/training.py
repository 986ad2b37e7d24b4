"""The course of a training run: loss on the training and on the validation part."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recurra.errors import ShapeError
from recurra.plots._canvas import BLUE, ORANGE, SOFT, entitle, label_line_ends, new_figure, readable_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def loss_curves(
    training: npt.ArrayLike,
    validation: npt.ArrayLike | None = None,
    *,
    title: str = "Training",
    unit: str = "loss",
    logarithmic: bool = False,
) -> "Figure":
    """Draw the loss after each epoch, and mark the epoch whose weights were kept.

    Args:
        training: loss on the training part, shape [epoch].
        validation: loss on the validation part, the same shape; None if there was none. NaN leaves a gap.
        title: over the picture.
        unit: what the loss measures.
        logarithmic: whether the loss axis is.

    Returns:
        A matplotlib Figure; write it with `recurra.plots.save`.

    Raises:
        ShapeError: if the losses are not two series of the same length.
        MissingExtraError: if matplotlib is not installed.
    """
    curves = [("training", np.asarray(training, dtype=np.float64), BLUE)]
    if validation is not None:
        curves.append(("validation", np.asarray(validation, dtype=np.float64), ORANGE))
    if any(curve.ndim != 1 or curve.shape != curves[0][1].shape or not len(curve) for _, curve, _ in curves):
        raise ShapeError(f"the losses have shapes {[curve.shape for _, curve, _ in curves]}; each must be [epoch]")
    figure, (axes,) = new_figure(7.0, 3.8)
    epochs = np.arange(1, len(curves[0][1]) + 1)
    for _, curve, colour in curves:
        axes.plot(epochs, curve, color=colour, linewidth=1.8)
    if logarithmic:
        axes.set_yscale("log")
    kept = curves[-1][1]
    if validation is not None and not np.isnan(kept).all():
        best = int(np.nanargmin(kept))
        axes.plot(epochs[best], kept[best], "o", color=ORANGE, markersize=6)
        axes.annotate(
            f"kept: epoch {best + 1}, {kept[best]:.4g}", (epochs[best], kept[best]), (0, 18),
            textcoords="offset points", ha="center", fontsize=8.5, color=ORANGE,
        )  # fmt: skip
    axes.margins(x=0.02, y=0.12)
    axes.set_xlabel("epoch", fontsize=9, color=SOFT)
    readable_numbers(axes)
    entitle(axes, title, unit)
    ends = [
        (float(curve[~np.isnan(curve)][-1]), name, colour)
        for name, curve, colour in curves
        if not np.isnan(curve).all()
    ]
    label_line_ends(axes, ends)
    return figure
