"""What RNNCell, LSTMCell and GRUCell share: the parameters of one layer, and a single step of its kernel."""

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from recurra.errors import ShapeError
from recurra.kernels import State, Weights, check_backend_name
from recurra.nn._autocast import autocast_is_on, in_type_of
from recurra.nn._construction import check_sizes
from recurra.nn._initialization import Initialization, initialize
from recurra.nn._reading import check_types


class RecurrentCell(Module):
    """One step of one layer; RNNCell, LSTMCell and GRUCell say which recurrence.

    Parameters: `weight_ih` [G*H, I], `weight_hh` [G*H, H], `bias_ih` and `bias_hh` [G*H].
    """

    _kernel: ClassVar[Any]
    _gates: ClassVar[int]
    _parts: ClassVar[int] = 1

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        backend: str,
        initialization: Initialization,
    ) -> None:
        super().__init__()
        check_sizes(input_size, hidden_size)
        check_backend_name(backend)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.backend = backend
        self.initialization = initialization.preset
        self._initialization = initialization
        rows = self._gates * hidden_size
        shapes = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for name, shape in shapes.items():
            if bias or not name.startswith("bias"):
                setattr(self, name, Parameter(torch.empty(shape, device=device, dtype=dtype)))
            else:
                self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every parameter to its first value again, drawing from torch's default generator."""
        initialize((self._weights(),), self.hidden_size, self._initialization)

    def extra_repr(self) -> str:
        """The arguments that are not the default ones."""
        shown = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {"bias": True, "initialization": "torch", "backend": "auto"}
        shown += [f"{name}={getattr(self, name)}" for name, usual in defaults.items() if getattr(self, name) != usual]
        return ", ".join(shown)

    def _options(self) -> dict[str, object]:
        """What the kernel takes besides the arguments that all three have."""
        return {}

    def _weights(self) -> Weights:
        return Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def _run(self, input: Tensor, hx: State | None) -> State:
        if autocast_is_on(self.weight_ih):
            with torch.autocast("cpu", enabled=False):
                state = None if hx is None else tuple(in_type_of(self.weight_ih, part) for part in hx)
                return self._run(in_type_of(self.weight_ih, input), state)
        name = type(self).__name__
        check_types(name, input, hx, self._parts)
        if input.dim() not in (1, 2):
            raise ShapeError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for k, part in enumerate(hx or ()):
            if part.dim() not in (1, 2):
                which = "hidden" if self._parts == 1 else f"hx[{k}]"
                raise ShapeError(f"{name}: Expected {which} to be 1D or 2D, got {part.dim()}D instead")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if hx is None:
            hx = tuple(x.new_zeros(x.shape[0], self.hidden_size) for _ in range(self._parts))
        elif not batched:
            hx = tuple(part.unsqueeze(0) for part in hx)
        after: State = self._kernel.cell(x, hx, self._weights(), backend=self.backend, **self._options())
        return after if batched else tuple(part.squeeze(0) for part in after)
