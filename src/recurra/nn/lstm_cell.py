"""One step of a long short-term memory: drop-in for torch.nn.LSTMCell."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from recurra import kernels
from recurra.kernels import Phi
from recurra.nn._cell import RecurrentCell
from recurra.nn._initialization import lstm_initialization
from recurra.nn._lstm_options import LSTM_DEFAULTS, lstm_options, lstm_shapes
from recurra.nn._options import Zoneout, read_options


class LSTMCell(RecurrentCell):
    """One step of a long short-term memory.

    i, f, g, o = split(x W + h U + b);  c' = sigma(f) * c + sigma(i) * tanh(g);  h' = sigma(o) * tanh(c'). What the
    options change is in `recurra.nn.LSTM`.

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        bias: whether there are biases.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases, forget bias 1).
        forget_bias: what both biases of the forget gate add up to at the start; None leaves it to the preset.
        gate_activation, cell_activation, output_activation, peephole, coupling, clip, cell_clip, layer_norm,
            layer_norm_eps, zoneout: as in `recurra.nn.LSTM`; while training zoneout is drawn anew at each step. The
            parameters are `weight_peephole`, `weight_norm_ih`, `weight_norm_hh`, `weight_norm_c` and `bias_norm_c`.
        learned_state: whether output and cell before the first step are parameters, `state_h` and `state_c`, rather
            than zero where no state is given.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, a name unknown, or two do not go together.
        DtypeError: (a TypeError) if a size is not an int.

    Source: Hochreiter & Schmidhuber 1997, Gers et al. 2000 (forget gate), and of the options those of
    `recurra.nn.LSTM`; gate order i f g o as in PyTorch.
    """

    _kernel: ClassVar[Any] = kernels.lstm
    _gates: ClassVar[int] = 4
    _parts: ClassVar[int] = 2
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"forget_bias": None, **{name: usual for name, usual in LSTM_DEFAULTS.items() if name != "projection_clip"}}
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
        forget_bias: float | None = None,
        gate_activation: Phi = "sigmoid",
        cell_activation: Phi = "tanh",
        output_activation: Phi = "tanh",
        peephole: bool = False,
        coupling: str | None = None,
        clip: float | None = None,
        cell_clip: float | None = None,
        layer_norm: str | None = None,
        layer_norm_eps: float = 1e-5,
        zoneout: Zoneout = 0.0,
        learned_state: bool = False,
    ) -> None:
        how = lstm_initialization(initialization, forget_bias, bias)
        own: dict[str, Any] = {
            "gate_activation": gate_activation,
            "cell_activation": cell_activation,
            "output_activation": output_activation,
            "peephole": peephole,
            "coupling": coupling,
            "cell_clip": cell_clip,
            "layer_norm": layer_norm,
            "layer_norm_eps": layer_norm_eps,
        }
        options = read_options(
            "lstm",
            {name: phi for name, phi in own.items() if name.endswith("_activation")},
            clip=clip,
            zoneout=zoneout,
            learned_state=learned_state,
            peephole=peephole,
            of_kernel=lstm_options({**own, "projection_clip": None}, 0, forget_bias),
        )
        super().__init__(input_size, hidden_size, bias, device, dtype, backend, how, options)
        self.forget_bias = forget_bias
        for name, given in own.items():
            setattr(self, name, given)
        self._built(clip, zoneout, learned_state)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Take one step.

        Args:
            input: [B, I] or [I], the observation.
            hx: output and cell of the step before, each [B, H] or [H]; zeros, or the learned state, if not
                given.

        Returns:
            The output h' and the cell c', each [B, H] or [H].

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the cell.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        h, c = self._run(input, None if hx is None else tuple(hx))
        return h, c

    def _more_shapes(self) -> dict[str, tuple[int, ...] | None]:
        return lstm_shapes(self.hidden_size, self._options)
