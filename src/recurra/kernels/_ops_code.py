"""What a layer computes as lists of numbers, which is all that an operator in a graph can take besides tensors."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from recurra.kernels._activations import DEFAULTS, Activation
from recurra.kernels._call import Call, Stack, Weights
from recurra.kernels._cpu_call import GATES, Recipe
from recurra.kernels._cpu_variant import NUMBER, variant_of
from recurra.kernels._options import COUPLINGS, LAYER_NORMS, Masks, Options, used_options

KINDS = ("rnn", "lstm", "gru", "gru")
"""As csrc/kinds.hpp numbers them; the last has its reset before the recurrent product."""

STATES = (1, 2, 1, 1)
"""Parts of a state, by kind."""

_NAMES = tuple(NUMBER)
_PHIS = 3
_FLAGS = 8 + _PHIS + len(Masks._fields)


def encode(kind: int, activation: int, call: Call) -> tuple[list[int], list[float]]:
    """The numbers of one layer.

    Args:
        kind: of the recurrence, as csrc/kinds.hpp numbers them.
        activation: of a plain recurrent layer, likewise.
        call: of this layer; its masks and weights say what is there.

    Returns:
        Whole numbers: kind, activation, bidirectional, batch first, reverse, coupling, layer norm, how many activations
        are named and which, whether each mask is a tensor, which fields of Weights are there. And others: the bounds (0
        for none), eps, zoneout's shares, alpha and beta of each activation.
    """
    o, stack, masks = call.options, call.stack, call.masks or Masks()
    phis = [phi for phi in o.activations if isinstance(phi, Activation)]
    rest = _PHIS - len(phis)
    how = [kind, activation, int(stack.bidirectional), int(stack.batch_first), int(o.reverse)]
    how += [COUPLINGS.index(o.coupling), LAYER_NORMS.index(o.layer_norm), len(phis)]
    how += [*(NUMBER[phi.name] for phi in phis), *([0] * rest)]
    how += [int(isinstance(mask, Tensor)) for mask in masks]
    how += [int(part is not None) for part in call.weights[0]]
    numbers = [o.clip or 0.0, o.cell_clip or 0.0, o.projection_clip or 0.0, o.layer_norm_eps]
    numbers += [keep if isinstance(keep, float) else 0.0 for keep in masks[1:]]
    for phi in phis:
        numbers += [phi.alpha or 0.0, phi.beta or 0.0]
    return how, numbers + [0.0] * (2 * rest)


def decode(how: list[int], numbers: list[float], masks: list[Tensor], equations: Callable[[Call], Any]) -> Recipe:
    """The recipe of a layer from its numbers."""
    kind, activation, bidirectional, batch_first, reverse, coupling, norm, phis = how[:8]
    clip, cell_clip, projection_clip, eps, *shares = numbers[:6]
    options = Options(
        tuple(_activation(how[8 + k], numbers[6 + 2 * k :]) for k in range(phis)),
        clip or None,
        COUPLINGS[coupling],
        cell_clip or None,
        projection_clip or None,
        LAYER_NORMS[norm],
        eps,
        kind != len(GATES) - 1,
        bool(reverse),
    )
    left = iter(masks)
    drawn = [next(left) if there else None for there in how[8 + _PHIS : _FLAGS]]
    given = Masks(
        drawn[0], *(share or None if mask is None else mask for mask, share in zip(drawn[1:], shares, strict=True))
    )
    used = used_options(options) + given.used + ["peephole"] * fields_there(how)[Weights._fields.index("w_p")]
    stack = Stack(1, bool(bidirectional), bool(batch_first), masks=given if given.used else None)
    return Recipe(kind, activation, stack, STATES[kind], equations, options, variant_of(KINDS[kind], options, used))


def fields_there(how: list[int]) -> list[int]:
    """1 for each field of Weights that is there, 0 for the others."""
    return how[_FLAGS:]


def _activation(number: int, numbers: list[float]) -> Activation:
    name = _NAMES[number]
    return Activation(name, *numbers[: len(DEFAULTS.get(name, ()))])
