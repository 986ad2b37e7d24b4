"""Pictures from arrays (the extra `plots`): forecasts, training, scores, and what goes on inside a layer.

Nothing here touches pyplot or a screen: each function returns a matplotlib Figure, and `save` writes it.
"""

from recurra.plots.alignment import alignment_chart
from recurra.plots.attribution import attribution_map
from recurra.plots.calibration import pit_histogram
from recurra.plots.fan import FanSeries, fan, fans
from recurra.plots.files import save
from recurra.plots.gradients import gradient_decay
from recurra.plots.saturation import Saturation, saturation_chart, saturation_shares
from recurra.plots.scores import score_chart
from recurra.plots.states import state_maps
from recurra.plots.tracks import TrackPicture, track_map
from recurra.plots.training import loss_curves

__all__ = [
    "FanSeries",
    "Saturation",
    "TrackPicture",
    "alignment_chart",
    "attribution_map",
    "fan",
    "fans",
    "gradient_decay",
    "loss_curves",
    "pit_histogram",
    "saturation_chart",
    "saturation_shares",
    "save",
    "score_chart",
    "state_maps",
    "track_map",
]
