"""What one call of a recurrence is made of: weights, how layers are stacked, and the call itself.

Axes: T time steps, B rows, I inputs, H neurons, G gates (RNN 1, GRU 3, LSTM 4), L layers, D directions,
P width of the output of one direction (H, or the projection).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from torch import Tensor

from recurra.kernels._activations import Activation

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
    """

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor | None = None
    b_hh: Tensor | None = None
    w_hr: Tensor | None = None


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
    """

    num_layers: int = 1
    bidirectional: bool = False
    batch_first: bool = False
    dropout: float = 0.0
    training: bool = False
    recompute: bool = False
    frozen: tuple[object, ...] | None = None

    @property
    def directions(self) -> int:
        """1, or 2 if bidirectional."""
        return 2 if self.bidirectional else 1

    def layer(self, k: int) -> "Stack":
        """Layer k alone, without dropout."""
        frozen = None if self.frozen is None else self.frozen[k : k + 1]
        return Stack(1, self.bidirectional, self.batch_first, recompute=self.recompute, frozen=frozen)


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
        activation: phi of an RNN.
        reset_after: whether a GRU's reset gate acts after the recurrent product.
        is_cell: whether this is a single step of one layer.
    """

    x: Tensor
    state: State
    weights: Sequence[Weights]
    stack: Stack = ONE_LAYER
    lengths: Tensor | None = None
    batch_sizes: Tensor | None = None
    activation: Activation = "tanh"
    reset_after: bool = True
    is_cell: bool = False

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
