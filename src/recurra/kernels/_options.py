"""What a recurrence computes beyond its plain equations, and the random masks of training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor

from recurra.kernels._activations import Activation, Function, resolve_activation

USUAL: Mapping[str, tuple[Activation, ...]] = MappingProxyType(
    {
        "rnn": (Activation("tanh"),),
        "lstm": (Activation("sigmoid"), Activation("tanh"), Activation("tanh")),
        "gru": (Activation("sigmoid"), Activation("tanh")),
    }
)
"""The activations of the plain equations, in ONNX's order: of the gates, of the candidate, of an LSTM's output."""

COUPLINGS = (None, "input", "forget")
LAYER_NORMS = (None, "ba", "fastrnns", "tflite")


@dataclass(frozen=True)
class Options:
    """What a recurrence computes beyond its plain equations; the equations are in `_reference.py` of each kernel.

    Attributes:
        activations: those of `USUAL`'s order; none stands for the usual ones. A callable keeps its input's shape.
        clip: bound of what goes into the activations, or None.
        coupling: of an LSTM's gates: "input" for f = 1 - i, "forget" for i = 1 - f, or None.
        cell_clip: bound of an LSTM's new cell, or None.
        projection_clip: bound of an LSTM's projected output, or None.
        layer_norm: the form of an LSTM's layer normalisation, "ba", "fastrnns" or "tflite", or None.
        layer_norm_eps: added to the variance there.
        reset_after: whether a GRU's reset gate acts after the recurrent product, or before it.
        reverse: whether the first direction runs from each row's last valid step to the first.
    """

    activations: tuple[Function, ...] = ()
    clip: float | None = None
    coupling: str | None = None
    cell_clip: float | None = None
    projection_clip: float | None = None
    layer_norm: str | None = None
    layer_norm_eps: float = 1e-5
    reset_after: bool = True
    reverse: bool = False

    def __reduce__(self) -> tuple[Callable[..., "Options"], tuple[object, ...]]:
        return _again, tuple(getattr(self, field.name) for field in fields(self))

    def functions(self, kind: str) -> tuple[Callable[[Tensor], Tensor], ...]:
        """The activations as functions; kind is a name of `USUAL`."""
        return tuple(resolve_activation(phi) for phi in self.activations or USUAL[kind])


PLAIN = Options()


def _again(*given: Any) -> Options:
    """The options of a copied or pickled layer; plain ones are the one object that the fast ways know."""
    options = Options(*given)
    return PLAIN if options == PLAIN else options


_DEFAULTS = tuple((field.name, field.default) for field in fields(Options) if field.name != "layer_norm_eps")


def used_options(options: Options) -> list[str]:
    """The names of the options that are not the plain ones."""
    if options is PLAIN:
        return []
    return [name for name, usual in _DEFAULTS if getattr(options, name) != usual]


class Masks(NamedTuple):
    """What training drew for recurrent dropout and zoneout, or zoneout's shares in evaluation; no gradient enters it.

    Attributes:
        h_in: [L*D, B, P], what h is multiplied with where it enters the recurrent product; None for nothing.
        keep_h: [L*D, T, B, P], the share of the old output that each step keeps; or one share for all; or None.
        keep_c: [L*D, T, B, H], the share of the old cell, likewise.
    """

    h_in: Tensor | None = None
    keep_h: Tensor | float | None = None
    keep_c: Tensor | float | None = None

    def of_layer(self, at: slice) -> "Masks":
        """The masks of some layers and directions."""
        h_in, keep_h, keep_c = self
        return Masks(
            None if h_in is None else h_in[at],
            keep_h[at] if isinstance(keep_h, Tensor) else keep_h,
            keep_c[at] if isinstance(keep_c, Tensor) else keep_c,
        )

    @property
    def used(self) -> list[str]:
        """The names of the options that these belong to."""
        zoneout = self.keep_h is not None or self.keep_c is not None
        return ["recurrent_dropout"] * (self.h_in is not None) + ["zoneout"] * zoneout
