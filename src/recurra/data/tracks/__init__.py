"""Tracks of moving objects: from a table of fixes to windows, on a flat map or on the globe; numpy only.

TrackTable.from_table   fixes, checked: track after track, times increasing, steps as uneven as they came
Plane, Globe            where displacements live: differences, or local tangent planes in metres or kilometres
resample                even steps on request; positions_ahead: what a prediction is scored by
scene_windows           the benchmark's windows; learning_windows: what a network learns from
nearest_rows            who else is there
"""

from recurra.data.tracks.augmentation import Augmentation, transform
from recurra.data.tracks.columns import TrackColumns, TrackPolicy
from recurra.data.tracks.forecasts import PathForecasts
from recurra.data.tracks.geometry import Globe, LengthUnit, Plane, Space, space_of, wrap_longitude
from recurra.data.tracks.hurricanes import read_hurdat
from recurra.data.tracks.inputs import InputSpec, TrackInputs, WindowInputs, into, out_of
from recurra.data.tracks.neighbours import nearest_rows, neighbour_inputs
from recurra.data.tracks.pedestrians import read_pedestrians
from recurra.data.tracks.resampling import position_at, positions_ahead, resample
from recurra.data.tracks.table import TrackTable
from recurra.data.tracks.windows import TrackWindows, frame_numbers, learning_windows, scene_windows

__all__ = [
    "Augmentation",
    "Globe",
    "InputSpec",
    "LengthUnit",
    "PathForecasts",
    "Plane",
    "Space",
    "TrackColumns",
    "TrackInputs",
    "TrackPolicy",
    "TrackTable",
    "TrackWindows",
    "WindowInputs",
    "frame_numbers",
    "into",
    "learning_windows",
    "nearest_rows",
    "neighbour_inputs",
    "out_of",
    "position_at",
    "positions_ahead",
    "read_hurdat",
    "read_pedestrians",
    "resample",
    "scene_windows",
    "space_of",
    "transform",
    "wrap_longitude",
]
