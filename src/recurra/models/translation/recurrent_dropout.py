"""Dropout on recurrent states, with the whole sequence still in one call of the kernel."""

from typing import Any

import torch
from torch import Tensor, nn

from recurra.nn import GRU, LSTM, RNN

Layer = RNN | LSTM | GRU


class RecurrentDropout(nn.Module):
    """Calls a recurrent layer so that a share of its outputs never reaches its own next step, while training.

    h U  becomes  (m * h) U / (1 - p) = h (diag(m) / (1 - p) U),  m drawn once a call: 0 with probability p, else 1

    The mask is the same at all steps, as Gal and Ghahramani ask, and for all rows of the batch; it can so be laid
    on the columns of `weight_hh` before the call, and the kernel needs to know nothing of it.

    Args:
        p: share that is dropped.

    Source: Gal & Ghahramani 2016, equation 7, with one mask a batch.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, layer: Layer, *inputs: Any, **options: Any) -> Any:
        """What `layer(*inputs, **options)` returns, with some recurrent connections cut."""
        if not self.training or self.p == 0.0:
            return layer(*inputs, **options)
        masked = {name: self._masked(weight) for name, weight in layer.named_parameters() if "weight_hh" in name}
        return torch.func.functional_call(layer, masked, inputs, options)

    def _masked(self, weight: Tensor) -> Tensor:
        kept = torch.empty(weight.shape[1], dtype=weight.dtype, device=weight.device).bernoulli_(1.0 - self.p)
        return weight * (kept / (1.0 - self.p))

    def extra_repr(self) -> str:
        """The share."""
        return f"p={self.p}"
