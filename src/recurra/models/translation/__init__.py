"""Networks that turn one sequence of pieces into another."""

from recurra.models.translation.decoder import DecoderState
from recurra.models.translation.encoder import EncodedSource
from recurra.models.translation.network import TranslationNetwork
from recurra.models.translation.shape import TranslationShape
from recurra.models.translation.smoothing import smoothed_loss

__all__ = ["DecoderState", "EncodedSource", "TranslationNetwork", "TranslationShape", "smoothed_loss"]
