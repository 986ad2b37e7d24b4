"""What one call of a recurrence is made of: weights, how layers are stacked, and the call itself.

Axes: T time steps, B rows, I inputs, H neurons, G gates (RNN 1, GRU 3, LSTM 4), L layers, D directions,
P width of the output of one direction (H, or the projection).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from torch import Tensor

from recurra.kernels._options import PLAIN, Masks, Options, used_options

State: TypeAlias = tuple[Tensor, ...]
"""(h,) for RNN and GRU, (h, c) for LSTM; each [L*D, B, P or H], or [B, P or H] for a cell."""

Result: TypeAlias = tuple[Tensor, State]
"""The outputs of every step and the state after the last valid one."""


class Weights(NamedTuple):
    """The parameters of one layer in one direction, laid out as in PyTorch.

    Attributes:
        w_ih: [G*H, I], gates in PyTorch's order (LSTM i f g o, GRU r z n). W_x of equation 15-2, transposed.
        w_hh: [G*H, P]. W_y of equation 15-2, transposed.
        b_ih, b_hh: [G*H] each, both or neither. Their sum is b, except for n of the GRU.
        w_hr: [P, H], the projection of an LSTM's output, or None.
        w_p: [3H], the peepholes of an LSTM's gates i, f, o, or None.
        n_ih, n_hh: [4H] each, the gains of an LSTM's layer normalisation of x W and of h U; or n_ih alone, of the sums
            of each gate ("tflite"); or None.
        n_c, m_c: [H] each, gain and bias of the cell's normalisation ("ba", "fastrnns"), or None.
    """

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor | None = None
    b_hh: Tensor | None = None
    w_hr: Tensor | None = None
    w_p: Tensor | None = None
    n_ih: Tensor | None = None
    n_hh: Tensor | None = None
    n_c: Tensor | None = None
    m_c: Tensor | None = None


PARTS = 5
"""The first fields of Weights, which PyTorch's layers have too."""


@dataclass(frozen=True)
class Stack:
    """How layers and directions are put together.

    Attributes:
        num_layers: layers, each reading the outputs of the one before.
        bidirectional: whether each layer also reads its input from the last valid step to the first.
        batch_first: whether padded input and output are [B, T, ...] rather than [T, B, ...].
        dropout: share of each layer's outputs, except the last one's, set to zero while training.
        training: whether dropout is on.
        recompute: whether the native backward pass runs each layer again instead of keeping its gates.
        frozen: the packed weights of each layer (`recurra.kernels.freezing`), or None.
        masks: of recurrent dropout and zoneout, or None.
    """

    num_layers: int = 1
    bidirectional: bool = False
    batch_first: bool = False
    dropout: float = 0.0
    training: bool = False
    recompute: bool = False
    frozen: tuple[object, ...] | None = None
    masks: Masks | None = None

    @property
    def directions(self) -> int:
        """1, or 2 if bidirectional."""
        return 2 if self.bidirectional else 1

    def layer(self, k: int) -> "Stack":
        """Layer k alone, without dropout."""
        frozen = None if self.frozen is None else self.frozen[k : k + 1]
        masks = (
            None if self.masks is None else self.masks.of_layer(slice(k * self.directions, (k + 1) * self.directions))
        )
        return Stack(1, self.bidirectional, self.batch_first, recompute=self.recompute, frozen=frozen, masks=masks)


ONE_LAYER = Stack()


@dataclass(frozen=True)
class Call:
    """One call of a recurrence, as handed to a backend.

    Attributes:
        x: padded [T, B, I] or [B, T, I]; packed [rows of all steps, I] with `batch_sizes`; [B, I] for a cell.
        state: the state before the first step.
        weights: one a layer and direction: layer 0 forward, layer 0 reverse, layer 1 forward, ...
        stack: how they are put together; ignored by a cell.
        lengths: [B] valid steps of each row of a padded batch, int64; None if all are valid.
        batch_sizes: [T] rows at each step of a packed batch, as in `PackedSequence`; None if padded.
        options: what is computed beyond the plain equations.
        is_cell: whether this is a single step of one layer.
    """

    x: Tensor
    state: State
    weights: Sequence[Weights]
    stack: Stack = ONE_LAYER
    lengths: Tensor | None = None
    batch_sizes: Tensor | None = None
    options: Options = PLAIN
    is_cell: bool = False

    @property
    def masks(self) -> Masks | None:
        """Of recurrent dropout and zoneout, or None."""
        return self.stack.masks

    def used_options(self) -> list[str]:
        """The names of the options that this call uses beyond the plain equations."""
        used = used_options(self.options)
        if self.weights[0].w_p is not None:
            used.append("peephole")
        if self.stack.masks is not None:
            used += self.stack.masks.used
        return used

    @property
    def steps(self) -> int:
        """T, the number of time steps, padding included."""
        if self.is_cell:
            return 1
        if self.batch_sizes is not None:
            return self.batch_sizes.shape[0]
        return self.x.shape[1] if self.stack.batch_first else self.x.shape[0]

    @property
    def batch(self) -> int:
        """B, the number of rows."""
        if self.is_cell:
            return self.x.shape[0]
        if self.batch_sizes is not None:
            return int(self.batch_sizes[0]) if self.steps else 0
        return self.x.shape[0] if self.stack.batch_first else self.x.shape[1]
