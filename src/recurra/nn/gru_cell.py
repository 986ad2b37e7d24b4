"""One step of a gated recurrent unit: drop-in for torch.nn.GRUCell."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from recurra import kernels
from recurra.kernels import Phi
from recurra.nn._cell import RecurrentCell
from recurra.nn._construction import check_flag
from recurra.nn._initialization import Initialization
from recurra.nn._options import read_options


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
        gate_activation, candidate_activation: what stands in the place of sigma and of tanh: a name of ONNX's list, an
            `Activation` with alpha and beta, or any callable that keeps its input's shape.
        clip: bound of what goes into the activations, which then lies in [-clip, clip].
        zoneout: share of h' that stays h: while training at random, drawn anew at each step, in evaluation
            p h + (1 - p) h'.
        learned_state: whether the output before the first step is a parameter, `state_h`, rather than zero where no
            state is given.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range or a name unknown.
        DtypeError: (a TypeError) if a size is not an int.

    Source: Cho et al. 2014 (reset before), and the variant of PyTorch and cuDNN (reset after); ONNX operator GRU (clip,
    activations); Krueger et al. 2017 (zoneout); gate order r z n.
    """

    _kernel: ClassVar[Any] = kernels.gru
    _gates: ClassVar[int] = 3
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"reset_after": True, "gate_activation": "sigmoid", "candidate_activation": "tanh"}
    )

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
        gate_activation: Phi = "sigmoid",
        candidate_activation: Phi = "tanh",
        clip: float | None = None,
        zoneout: float = 0.0,
        learned_state: bool = False,
    ) -> None:
        options = read_options(
            "gru",
            {"gate_activation": gate_activation, "candidate_activation": candidate_activation},
            clip=clip,
            zoneout=zoneout,
            learned_state=learned_state,
            of_kernel={"reset_after": check_flag("reset_after", reset_after)},
        )
        super().__init__(input_size, hidden_size, bias, device, dtype, backend, Initialization(initialization), options)
        self.reset_after = reset_after
        self.gate_activation = gate_activation
        self.candidate_activation = candidate_activation
        self._built(clip, zoneout, learned_state)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step.

        Args:
            input: [B, I] or [I], the observation.
            hx: [B, H] or [H], the output of the step before; zeros, or the learned state, if not given.

        Returns:
            The output h', [B, H] or [H].

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the cell.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        (h,) = self._run(input, None if hx is None else (hx,))
        return h
