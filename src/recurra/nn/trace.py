"""Looking inside a layer: every gate, cell and output of every step as named arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra.errors import ConfigError
from recurra.kernels import State
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent
from recurra.nn._unrolling import Unrolled, unroll


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """What went on inside a layer.

    A part is called as the parameters are: "f_l0" is the forget gate of the first layer, "h_l1_reverse" the output
    of the second layer's reverse direction; `trace["f_l0"]` is `trace.parts["f_l0"]`.

    | layer | parts of each step |
    |---|---|
    | RNN | a (what goes into the activation, clipped if there is a clip), h |
    | LSTM | i, f, o (after sigma), g (after tanh), c, h (after the projection, if there is one) |
    | GRU | r, z (after sigma), n (after tanh), h |

    h and c are what the next step sees: with zoneout some of the old value is in them, with layer_norm="fastrnns" c is
    the normalised one. Tied gates (`coupling`) are shown as they are used.

    Attributes:
        parts: name -> [T, B, H], [B, T, H] if the layer is batch_first, [T, H] without rows; h of a projected LSTM has
            width P. NaN past a row's length: there was no step.
        output: what the layer returns: zeros past a row's length.
        state: what the layer returns beside it.
        lengths: [B], the steps of each row.
        batch_first: where the rows are.
    """

    parts: dict[str, Tensor]
    output: Tensor
    state: Tensor | State
    lengths: Tensor
    batch_first: bool

    def __getitem__(self, name: str) -> Tensor:
        return self.parts[name]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {list(part.shape)}" for name, part in self.parts.items())
        return f"Trace({shown})"

    def layer(self, number: int, *, reverse: bool = False) -> dict[str, Tensor]:
        """The parts of one layer and direction by their short names: "i", "f", ...

        Raises:
            ConfigError: if there is no such layer or direction.
        """
        end = f"_l{number}" + ("_reverse" if reverse else "")
        found = {name.removesuffix(end): part for name, part in self.parts.items() if name.partition("_")[2] == end[1:]}
        if not found:
            raise ConfigError(f"there is no layer {number}{' in reverse' if reverse else ''} in {self!r}")
        return found

    def arrays(self, row: int = 0) -> dict[str, npt.NDArray[np.floating]]:
        """The valid steps of one row as NumPy arrays [steps, H], as `recurra.plots` takes them.

        Raises:
            ConfigError: if there is no such row.
        """
        rows = len(self.lengths)
        if not -rows <= row < rows:
            raise ConfigError(f"row should lie in 0..{rows - 1}, got: {row}")
        steps = int(self.lengths[row])
        return {name: _array(self._row(part, row)[:steps]) for name, part in self.parts.items()}

    def _row(self, part: Tensor, row: int) -> Tensor:
        if part.dim() == 2:
            return part
        return part[row] if self.batch_first else part[:, row]


def trace(
    layer: Recurrent,
    x: Tensor | PackedSequence,
    state: Tensor | State | None = None,
    *,
    lengths: Lengths | None = None,
    gradients: bool = False,
) -> Trace:
    """Every gate, cell and output of every step, computed by the equations in plain PyTorch.

    Any number of layers, both directions, ragged rows, all options. As in evaluation there is no dropout between the
    layers nor in the recurrence, and zoneout takes its expectation; under autocast the numbers are those of the
    parameters' type.

    Args:
        layer: an RNN, LSTM or GRU.
        x: as the layer takes it; a PackedSequence comes out padded.
        state: as the layer takes it; zeros if not given.
        lengths: [B], valid steps of each row; None if all are valid.
        gradients: whether the parts belong to a graph, so that gradients flow through them.

    Returns:
        The parts by name, and what the layer returns, equal to it but for rounding.

    Raises:
        ShapeError, DtypeError, DeviceError: if the tensors do not fit the layer.
        ConfigError: if the layer is of another kind.

    >>> from recurra.nn import LSTM
    >>> seen = trace(LSTM(3, 5), torch.zeros(4, 2, 3))
    >>> seen["f_l0"].shape, sorted(seen.layer(0))
    (torch.Size([4, 2, 5]), ['c', 'f', 'g', 'h', 'i', 'o'])
    """
    with torch.set_grad_enabled(gradients):
        u = unroll(layer, x, state, lengths)
        parts = {name: _laid_out(layer, u, _stacked(u, steps)) for name, steps in u.parts.items()}
        output = _laid_out(layer, u, u.output)
        last = u.state if u.batched else tuple(part.squeeze(1) for part in u.state)
    return Trace(parts, output, last if len(last) > 1 else last[0], u.lengths, layer.batch_first)


def _stacked(u: Unrolled, steps: list[Tensor]) -> Tensor:
    """[T, B, H] of T steps, NaN past a row's length."""
    whole = torch.stack(steps)[: u.x.shape[0]]
    return torch.where(u.valid, whole, torch.nan) if u.ragged else whole


def _laid_out(layer: Recurrent, u: Unrolled, part: Tensor) -> Tensor:
    """[T, B, ...] in the layout of the layer's input."""
    if not u.batched:
        return part[:, 0]
    return part.transpose(0, 1) if layer.batch_first else part


def _array(part: Tensor) -> npt.NDArray[np.floating]:
    plain = part.detach().cpu()
    array: npt.NDArray[np.floating] = (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()
    return array
