"""From tables to the inputs of a forecasting network, causally: in training, in prediction and row by row."""

from recurra.data.preparation.preparation import Preparation
from recurra.data.preparation.prepared import PreparedRows
from recurra.data.preparation.reference import Reference, ReferenceKind
from recurra.data.preparation.rows import Origins
from recurra.data.preparation.spec import PreparationSpec
from recurra.data.preparation.streaming import StreamedRows

__all__ = [
    "Origins",
    "Preparation",
    "PreparationSpec",
    "PreparedRows",
    "Reference",
    "ReferenceKind",
    "StreamedRows",
]
