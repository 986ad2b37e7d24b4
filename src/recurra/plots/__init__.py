"""Pictures from arrays (the extra `plots`): forecast fans, training curves, scores beside the naive rules.

Nothing here touches pyplot or a screen: each function returns a matplotlib Figure, and `save` writes it.
"""

from recurra.plots.fan import FanSeries, fan, fans
from recurra.plots.files import save
from recurra.plots.scores import score_chart
from recurra.plots.training import loss_curves

__all__ = ["FanSeries", "fan", "fans", "loss_curves", "save", "score_chart"]
