"""One step of a gated recurrent unit: drop-in for torch.nn.GRUCell."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from recurra import kernels
from recurra.nn._cell import RecurrentCell
from recurra.nn._construction import check_flag
from recurra.nn._initialization import Initialization


class GRUCell(RecurrentCell):
    """One step of a gated recurrent unit; the reset gate acts after the recurrent product, or before it.

    r = sigma(x W_r + h U_r + b_r);  z = sigma(x W_z + h U_z + b_z);
    n = tanh(x W_n + b_in + r * (h U_n + b_hn)), or with reset_after=False n = tanh(x W_n + b_in + (r * h) U_n + b_hn);
    h' = z * h + (1 - z) * n

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        bias: whether there are biases.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases).
        reset_after: whether the reset gate acts after the recurrent product (PyTorch, cuDNN) or before it (the paper).

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, or a name unknown.
        DtypeError: (a TypeError) if a size is not an int.

    Source: Cho et al. 2014 (reset before), and the variant of PyTorch and cuDNN (reset after); gate order r z n.
    """

    _kernel: ClassVar[Any] = kernels.gru
    _gates: ClassVar[int] = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        initialization: str = "torch",
        reset_after: bool = True,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype, backend, Initialization(initialization))
        self.reset_after = check_flag("reset_after", reset_after)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step.

        Args:
            input: [B, I] or [I], the observation.
            hx: [B, H] or [H], the output of the step before; zeros if not given.

        Returns:
            The output h', [B, H] or [H].

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the cell.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        (h,) = self._run(input, None if hx is None else (hx,))
        return h

    def extra_repr(self) -> str:
        """The arguments that are not the default ones."""
        return super().extra_repr() + ("" if self.reset_after else ", reset_after=False")

    def _options(self) -> dict[str, object]:
        return {} if self.reset_after else {"reset_after": False}
