"""Terms that the equations of several recurrences share."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional


def clipped(a: Tensor, bound: float | None) -> Tensor:
    """What lies outside [-bound, bound] is set to the bound; None for no bound."""
    return a if bound is None else a.clamp(-bound, bound)


def normalized(a: Tensor, gain: Tensor | None, eps: float) -> Tensor:
    """LN(a) * gain over the last axis: (a - mean) / sqrt(variance + eps) * gain.

    Source: Ba, Kiros & Hinton 2016, equation 3.
    """
    return functional.layer_norm(a, a.shape[-1:], gain, None, eps)


def zoned_out(
    keep: Sequence[Tensor | float | None], old: Sequence[Tensor], new: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Each part of a state between its old and its new value: p old + (1 - p) new.

    Args:
        keep: p of each part: in training 0 or 1 at random, in evaluation the expectation; None for 0.
        old: the state before a step.
        new: the state after it.

    Source: Krueger et al. 2017, Zoneout: regularizing RNNs by randomly preserving hidden activations.
    """
    parts = zip(keep, old, new, strict=False)
    return tuple(after if p is None else p * before + (1 - p) * after for p, before, after in parts)
