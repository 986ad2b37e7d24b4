"""The long short-term memory: drop-in for torch.nn.LSTM, projection included."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra import kernels
from recurra.kernels import PLAIN, Phi
from recurra.nn._initialization import lstm_initialization
from recurra.nn._lstm_options import LSTM_DEFAULTS, lstm_options, lstm_shapes
from recurra.nn._options import Zoneout, read_options
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent

Input = TypeVar("Input", Tensor, PackedSequence)


class LSTM(Recurrent):
    """Long short-term memories.

    i, f, g, o = split(x W + h U + b);  c' = sigma(f) * c + sigma(i) * tanh(g);  h' = sigma(o) * tanh(c'),
    with a projection h' = (sigma(o) * tanh(c')) W_hr. What the options change, in the order of a step:

    | option | |
    |---|---|
    | peephole | p_i * c is added to i, p_f * c to f, p_o * c' to o |
    | layer_norm="tflite" | of each gate LN(x W + h U + p * c) * g_x + b |
    | layer_norm="ba" | LN(x W) * g_x + LN(h U) * g_h + b, over all gates; h' = sigma(o) * tanh(LN(c') * g_c + b_c) |
    | layer_norm="fastrnns" | as "ba", and LN(c') * g_c + b_c is the cell of the next step |
    | clip | what goes into each activation lies in [-clip, clip] |
    | coupling="input", "forget" | f = 1 - i, or i = 1 - f, both after sigma |
    | cell_clip | c' lies in [-cell_clip, cell_clip] |
    | projection_clip | h' after the projection, likewise |
    | zoneout | p_h h + (1 - p_h) h' and p_c c + (1 - p_c) c'; h' is made of the c' before it |

    Args:
        input_size: I, n_inputs.
        hidden_size: H, n_neurons.
        num_layers: L, layers, each reading the outputs of the one before.
        bias: whether there are biases.
        batch_first: whether batched input and output are [B, T, ...] rather than [T, B, ...].
        dropout: share of each layer's outputs, but the last one's, set to zero while training.
        bidirectional: whether a second set of layers reads from the last step to the first.
        proj_size: P, width of the projected output; 0 for none.
        device, dtype: of the parameters.
        backend: "auto", "native", "torch" or "reference"; one asked for by name serves or raises.
        initialization: "torch" or "keras" (Glorot-uniform and orthogonal kernels, zero biases, forget bias 1).
        recompute: whether training keeps the states between parts of the sequence instead of all gates, and computes
            them again: less memory for long sequences, more time. On the native backend, and not for an RNN, which
            keeps its outputs only.
        forget_bias: what both biases of the forget gate add up to at the start; None leaves it to the preset.
        gate_activation, cell_activation, output_activation: what stands in the place of sigma, of g's tanh and of the
            tanh on c': a name of ONNX's list, an `Activation` with alpha and beta, or any callable that keeps its
            input's shape.
        peephole: whether the gates see the cell, by `weight_peephole_l{k}` [3H] in the order i f o.
        coupling: None, "input" or "forget"; the gate that is not used keeps its rows in the parameters.
        clip, cell_clip, projection_clip: bounds, or None.
        layer_norm: None or the form of layer normalisation, "ba", "fastrnns" or "tflite", with the parameters
            `weight_norm_ih_l{k}` [4H] and, but for "tflite", `weight_norm_hh_l{k}` [4H], `weight_norm_c_l{k}` and
            `bias_norm_c_l{k}` [H].
        layer_norm_eps: added to the variance; TFLite has 1e-8.
        recurrent_dropout: share p of h that is zero where it enters the product with U, the rest times 1/(1 - p); the
            same neurons in all steps of a row, drawn anew for each call while training.
        zoneout: share of h' and c' that stay h and c, one number or two; while training at random at each step.
        learned_state: whether output and cell before the first step are parameters, `state_h_l{k}` and
            `state_c_l{k}`, rather than zero.
        reverse: whether a one-directional layer runs from each row's last valid step to its first.

    Raises:
        ConfigError: (a ValueError) if an argument is out of range, a name unknown, or two do not go together.
        DtypeError: (a TypeError) if an argument is of the wrong type.

    Source: Hochreiter & Schmidhuber 1997, Gers et al. 2000 (forget gate), Gers & Schmidhuber 2000 (peepholes),
    Sak et al. 2014 (projection), Jozefowicz et al. 2015 (forget bias), Greff et al. 2017 (coupling), Ba et al. 2016
    (layer_norm="ba"), PyTorch's benchmarks/fastrnns, TFLite's operator LSTM, ONNX operator LSTM (clip, activations,
    input_forget), Gal & Ghahramani 2016 (recurrent dropout), Krueger et al. 2017 (zoneout); gate order i f g o as in
    PyTorch.

    >>> layer = LSTM(3, 5, batch_first=True)
    >>> y, (h, c) = layer(torch.zeros(2, 4, 3), lengths=[4, 1])
    >>> y.shape, h.shape, c.shape
    (torch.Size([2, 4, 5]), torch.Size([1, 2, 5]), torch.Size([1, 2, 5]))
    """

    _kernel: ClassVar[Any] = kernels.lstm
    _gates: ClassVar[int] = 4
    _mode: ClassVar[str] = "LSTM"
    _own_defaults: ClassVar[Mapping[str, object]] = MappingProxyType({"forget_bias": None, **LSTM_DEFAULTS})

    gate_activation: Phi
    cell_activation: Phi
    output_activation: Phi
    peephole: bool
    coupling: str | None
    cell_clip: float | None
    projection_clip: float | None
    layer_norm: str | None
    layer_norm_eps: float

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        backend: str = "auto",
        initialization: str = "torch",
        recompute: bool = False,
        forget_bias: float | None = None,
        gate_activation: Phi = "sigmoid",
        cell_activation: Phi = "tanh",
        output_activation: Phi = "tanh",
        peephole: bool = False,
        coupling: str | None = None,
        clip: float | None = None,
        cell_clip: float | None = None,
        projection_clip: float | None = None,
        layer_norm: str | None = None,
        layer_norm_eps: float = 1e-5,
        recurrent_dropout: float = 0.0,
        zoneout: Zoneout = 0.0,
        learned_state: bool = False,
        reverse: bool = False,
    ) -> None:
        how = lstm_initialization(initialization, forget_bias, bias)
        own: dict[str, Any] = {
            "gate_activation": gate_activation,
            "cell_activation": cell_activation,
            "output_activation": output_activation,
            "peephole": peephole,
            "coupling": coupling,
            "cell_clip": cell_clip,
            "projection_clip": projection_clip,
            "layer_norm": layer_norm,
            "layer_norm_eps": layer_norm_eps,
        }
        options = read_options(
            "lstm",
            {name: phi for name, phi in own.items() if name.endswith("_activation")},
            clip=clip,
            zoneout=zoneout,
            learned_state=learned_state,
            recurrent_dropout=recurrent_dropout,
            reverse=reverse,
            bidirectional=bidirectional,
            peephole=peephole,
            of_kernel=lstm_options(own, proj_size, forget_bias),
        )
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
            backend,
            how,
            recompute,
            options,
        )
        self.forget_bias = forget_bias
        for name, given in own.items():
            setattr(self, name, given)
        self._built(clip, recurrent_dropout, zoneout, learned_state, reverse)

    def forward(
        self, input: Input, hx: tuple[Tensor, Tensor] | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Input, tuple[Tensor, Tensor]]:
        """Run the layers over a sequence.

        Args:
            input: [T, B, I], [B, T, I] if batch_first, [T, I] without rows, or a PackedSequence.
            hx: outputs [L*D, B, P] and cells [L*D, B, H] before the first step, without B where the input has no
                rows; zeros if not given.
            lengths: [B], valid steps of each row of a padded batch, in any order, 0 allowed; None if all are valid.

        Returns:
            The last layer's outputs in the form of the input, width D*P, zero past a row's length; and each
            layer's output and cell after each row's own last valid step. The reverse direction begins at each
            row's own last valid step. A row of length 0 keeps its initial state.

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit the layer.
            BackendUnavailable: if the backend asked for by name cannot serve this call.
        """
        output, (h, c) = self._run(input, None if hx is None else tuple(hx), lengths)
        return cast(Input, output), (h, c)

    def step(self, x_t: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Take one observation; equal to a call with a sequence of one step.

        Args:
            x_t: [B, I] or [I].
            state: [L, B, P] and [L, B, H], or without B, from the step before; zeros if not given.

        Returns:
            The output [B, P] or [P], and the state to hand to the next step.

        Raises:
            StreamingUnsupported: if the layer is bidirectional.
            ShapeError, DtypeError, DeviceError, BackendUnavailable: as a call.
        """
        output, (h, c) = self._run_step(x_t, None if state is None else tuple(state))
        return output, (h, c)

    def _quick_arguments(self) -> dict[str, Any] | None:
        return {} if self._options.kernel == PLAIN and not self._options.peephole else None

    def _more_shapes(self) -> dict[str, tuple[int, ...] | None]:
        return lstm_shapes(self.hidden_size, self._options)

    @property
    def _state_widths(self) -> tuple[int, ...]:
        return (self._output_width, self.hidden_size)
