"""The output at each row's last valid step: what a classifier of whole sequences reads."""

import torch
from torch import Tensor
from torch.nn import Module

from recurra.errors import DtypeError, ShapeError
from recurra.kernels import as_lengths
from recurra.nn._construction import check_flag
from recurra.nn._reading import Lengths, lengths_as_tensor


class LastStep(Module):
    """Picks each row's last valid step; a row without steps gives zeros.

    Args:
        batch_first: whether the input is [B, T, ...] rather than [T, B, ...].

    Raises:
        DtypeError: (a TypeError) if batch_first is not a bool.

    >>> LastStep()(torch.tensor([[[1.0], [2.0]], [[3.0], [0.0]]]), lengths=[2, 1])
    tensor([[3.],
            [2.]])
    """

    def __init__(self, *, batch_first: bool = False) -> None:
        super().__init__()
        self.batch_first = check_flag("batch_first", batch_first)

    def extra_repr(self) -> str:
        """The flag, if it is set."""
        return "batch_first=True" if self.batch_first else ""

    def forward(self, input: Tensor, *, lengths: Lengths | None = None) -> Tensor:
        """Pick the steps.

        Args:
            input: [T, B, ...], or [B, T, ...] if batch_first.
            lengths: [B], valid steps of each row, 0 allowed; None if all are valid.

        Returns:
            [B, ...].

        Raises:
            DtypeError: if the input is no tensor, but a layer's pair, say.
            ShapeError: if it has no steps, or lengths do not fit.
        """
        if not isinstance(input, Tensor):
            raise DtypeError(f"LastStep: input should be a layer's output, a tensor, got: {type(input).__name__}")
        if input.dim() < 2:
            raise ShapeError(f"LastStep: expected input with steps and rows, got {input.dim()}D")
        x = input.transpose(0, 1) if self.batch_first else input
        if x.shape[0] == 0:
            raise ShapeError("LastStep: the input has no steps")
        read = lengths_as_tensor(lengths, True)
        if read is None:
            return x[-1]
        count = as_lengths(read, x.shape[1], x.shape[0], x.device)
        last = x[(count - 1).clamp(min=0), torch.arange(x.shape[1], device=x.device)]
        return torch.where((count > 0).reshape(-1, *(1 for _ in last.shape[1:])), last, torch.zeros_like(last))
