"""Networks that hear: a front end, a recurrent stack, and a class or a text at its end."""

from recurra.models.acoustic.front_end import FrontEnd, FrontEndStream
from recurra.models.acoustic.networks import AcousticShape, ClassifierNetwork, CtcNetwork

__all__ = ["AcousticShape", "ClassifierNetwork", "CtcNetwork", "FrontEnd", "FrontEndStream"]
