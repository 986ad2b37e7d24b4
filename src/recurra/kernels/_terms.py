"""Terms that the equations of several recurrences share."""

from torch import Tensor
from torch.nn import functional


def clipped(a: Tensor, bound: float | None) -> Tensor:
    """a between -bound and bound; None for no bound."""
    return a if bound is None else a.clamp(-bound, bound)


def normalized(a: Tensor, gain: Tensor | None, eps: float) -> Tensor:
    """LN(a) * gain over the last axis: (a - mean) / sqrt(variance + eps) * gain.

    Source: Ba, Kiros & Hinton 2016, equation 3.
    """
    return functional.layer_norm(a, a.shape[-1:], gain, None, eps)
