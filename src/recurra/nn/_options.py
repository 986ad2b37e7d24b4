"""Reads and refuses the options of layers and cells, and draws the masks of recurrent dropout and zoneout."""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import dropout

from recurra.errors import ConfigError
from recurra.kernels import PLAIN, USUAL, Activation, Function, Masks, Options, Phi, as_function
from recurra.nn._construction import check_flag

Zoneout: TypeAlias = float | tuple[float, float]
"""The share of the old state that is kept; of an LSTM two shares, of h and of c."""


@dataclass(frozen=True)
class LayerOptions:
    """What a layer or cell does beyond its plain equations.

    Attributes:
        kernel: what its kernel computes.
        recurrent_dropout: share of h that is zero where it enters the recurrent product, in training.
        zoneout: share of each part of the state that keeps its old value; () for none.
        learned_state: whether the state before the first step is a parameter.
        peephole: whether an LSTM's gates see the cell.
    """

    kernel: Options = PLAIN
    recurrent_dropout: float = 0.0
    zoneout: tuple[float, ...] = ()
    learned_state: bool = False
    peephole: bool = False

    @property
    def has_plain_modules(self) -> bool:
        """Whether everything but `kernel` is as in a plain layer."""
        return not (self.recurrent_dropout or self.zoneout or self.learned_state or self.peephole)


NO_OPTIONS = LayerOptions()


def read_options(
    kind: str,
    activations: Mapping[str, Phi],
    *,
    clip: float | None,
    zoneout: Zoneout,
    learned_state: bool,
    recurrent_dropout: float = 0.0,
    reverse: bool = False,
    bidirectional: bool = False,
    peephole: bool = False,
    of_kernel: Mapping[str, Any] | None = None,
) -> LayerOptions:
    """The options of a layer or cell, or a refusal.

    Args:
        kind: "rnn", "lstm" or "gru".
        activations: keyword -> what was given, in the order of `recurra.kernels.USUAL`.
        clip: as in the constructors.
        zoneout: as in the constructors.
        learned_state: as in the constructors.
        recurrent_dropout: as in the constructors of layers.
        reverse: as in the constructors of layers.
        bidirectional: as in the constructors of layers.
        peephole: as in the constructor of an LSTM.
        of_kernel: further fields of `recurra.kernels.Options`.

    Raises:
        ConfigError: if a number is out of range, a name unknown, or a combination has no meaning; it is named.
        DtypeError: if a flag is not a bool.
    """
    both_ways = check_flag("bidirectional", bidirectional)
    if check_flag("reverse", reverse) and both_ways:
        raise ConfigError("reverse=True does not go with bidirectional=True, which reads in both directions anyway")
    kernel = Options(
        activations=_functions(kind, activations), clip=bound("clip", clip), reverse=reverse, **(of_kernel or {})
    )
    return LayerOptions(
        PLAIN if kernel == PLAIN else kernel,
        _share("recurrent_dropout", recurrent_dropout, below_one=True),
        _shares(kind, zoneout),
        check_flag("learned_state", learned_state),
        check_flag("peephole", peephole),
    )


def bound(name: str, value: float | None) -> float | None:
    """A bound, if it is a finite number above zero, or None.

    Raises:
        ConfigError: if it is not.
    """
    if value is None:
        return None
    if not _is_number(value) or not 0 < value < math.inf:
        raise ConfigError(f"{name} should be a finite number above zero, got: {value!r}")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _share(name: str, value: float, *, below_one: bool = False) -> float:
    if not _is_number(value) or not 0 <= value <= 1 or (below_one and value == 1):
        raise ConfigError(f"{name} should be a number in range [0, 1{')' if below_one else ']'}, got: {value!r}")
    return float(value)


def _shares(kind: str, zoneout: Zoneout) -> tuple[float, ...]:
    parts = 2 if kind == "lstm" else 1
    given: Sequence[float] = zoneout if isinstance(zoneout, tuple | list) else (zoneout,) * parts
    if len(given) != parts:
        wanted = "one number, or two for h and c" if parts == 2 else "one number"
        raise ConfigError(f"zoneout of this recurrence should be {wanted}, got: {zoneout!r}")
    shares = tuple(_share("zoneout", p) for p in given)
    return shares if any(shares) else ()


def _functions(kind: str, activations: Mapping[str, Phi]) -> tuple[Function, ...]:
    functions = tuple(as_function(phi, name) for name, phi in activations.items())
    usual = USUAL[kind]
    same = all(isinstance(phi, Activation) and phi == known for phi, known in zip(functions, usual, strict=True))
    return () if same else functions


OPTION_DEFAULTS: Mapping[str, object] = MappingProxyType(
    {"clip": None, "recurrent_dropout": 0.0, "zoneout": 0.0, "learned_state": False, "reverse": False}
)
"""The options that all layers have, and what they are if not given."""


def shown_options(module: object, defaults: Mapping[str, object]) -> list[str]:
    """name=value of the attributes that are not the default ones."""
    shown = []
    for name, usual in defaults.items():
        value = getattr(module, name)
        if callable(value) and not isinstance(value, Activation):
            value = getattr(value, "__name__", type(value).__name__)
        if str(value) != str(usual):
            shown.append(f"{name}={value}")
    return shown


def draw_masks(
    options: LayerOptions,
    training: bool,
    x: Tensor,
    sizes: tuple[int, int, int],
    widths: Sequence[int],
    *,
    draw: bool = True,
) -> Masks | None:
    """The masks of one call, from torch's default generator; None where nothing is dropped or kept.

    Args:
        options: of the layer.
        training: whether it trains; in evaluation zoneout takes the expectation and recurrent dropout does nothing.
        x: a tensor whose type and device the masks have.
        sizes: L*D, T and B.
        widths: of each part of the state.
        draw: whether random numbers are drawn; without, the masks hold what they are on average.
    """
    states, steps, batch = sizes
    h_in = None
    if training and options.recurrent_dropout:
        h_in = dropout(x.new_ones(states, batch, widths[0]), options.recurrent_dropout, draw)
    if not options.zoneout:
        return None if h_in is None else Masks(h_in)
    keep: list[Tensor | float | None] = []
    for p, width in zip(options.zoneout, widths, strict=True):
        if training and draw and p:
            keep.append(torch.bernoulli(x.new_full((states, steps, batch, width), p)))
        else:
            keep.append(p or None)
    return Masks(h_in, *keep)
