"""Truncated backpropagation through time: a long sequence in windows, with the state carried from one to the next."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from recurra.errors import ConfigError, DtypeError, ShapeError
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent, check_recurrent
from recurra.nn._windows import Piece, Sequence, read_sequence

CarriedState: TypeAlias = Tensor | tuple[Tensor, ...]
"""h of an RNN or GRU, (h, c) of an LSTM."""


@dataclass(frozen=True)
class TruncatedRun:
    """What a pass over a sequence leaves; nothing here holds a graph.

    Attributes:
        output: what the losses were taken of, every step in the layout of x; zeros past a row's length.
        state: after each row's last valid step, as the layer gives it: hand it to the next call.
        losses: [windows], of the windows in which a row had steps.
    """

    output: Tensor
    state: CarriedState
    losses: Tensor


@dataclass(frozen=True)
class TruncatedBPTT:
    """Training over a sequence too long to be unrolled at once.

    The sequence is cut into windows of k1 steps. Each window runs from the state that the one before left, takes its
    loss, and sends the gradient back over the last k2 steps, no further; then the weights may move. While they do
    not, outputs are those of the whole sequence; gradients are those of k2 steps, and memory is that of k2 steps,
    whatever the length.

    Args:
        layer: a one-directional RNN, LSTM or GRU.
        loss: (predictions [N, ...], targets [N, ...]) -> one number, over the N valid steps of all rows of a window:
            `torch.nn.functional.mse_loss`, `cross_entropy`. With a mean each window counts alike; with a sum the
            gradients of all windows add up to that of the whole.
        window: k1, steps from one loss to the next.
        gradient_window: k2, steps that a window's gradient goes back, a multiple of k1; k1 if not given. With
            k2 = m k1 each step is run m times, each time with the weights of then and, while training, its own dropout.
        embed: applied to each window's input before the layer, such as an embedding; x then has a dimension for rows.
        head: applied to each window's outputs after the layer, such as a linear map.
        update: called after each window's backward pass with the window's number and loss: the place to clip,
            to step the optimiser and to clear the gradients. Without it the gradients of all windows add up.

    Raises:
        ConfigError: (a ValueError) if a window is not a whole number above zero, k2 not a multiple of k1, or the layer
            of another kind.
        DtypeError: (a TypeError) if loss, embed, head or update cannot be called.
        StreamingUnsupported: if the layer is bidirectional or runs in reverse.

    Source: Williams & Peng 1990, BPTT(h; h') with h = k2 and h' = k1.

    >>> from recurra.nn import GRU
    >>> layer = GRU(2, 3)
    >>> train = TruncatedBPTT(layer, torch.nn.functional.mse_loss, window=10)
    >>> run = train(torch.zeros(25, 1, 2), torch.zeros(25, 1, 3))
    >>> run.output.shape, run.state.shape, run.losses.shape
    (torch.Size([25, 1, 3]), torch.Size([1, 1, 3]), torch.Size([3]))
    """

    layer: Recurrent
    loss: Callable[[Tensor, Tensor], Tensor]
    window: int
    gradient_window: int | None = None
    embed: Callable[[Tensor], Tensor] | None = None
    head: Callable[[Tensor], Tensor] | None = None
    update: Callable[[int, Tensor], object] | None = None

    def __post_init__(self) -> None:
        check_recurrent(self.layer)
        self.layer._check_streams()
        for name in ("loss", "embed", "head", "update"):
            given = getattr(self, name)
            if not callable(given) and (given is not None or name == "loss"):
                raise DtypeError(f"{name} should be a function or a module, got: {type(given).__name__}")
        for name in ("window", "gradient_window"):
            steps = getattr(self, name)
            if steps is not None and (not isinstance(steps, int) or isinstance(steps, bool) or steps < 1):
                raise ConfigError(f"{name} should be a whole number above zero, got: {steps!r}")
        if self.gradient_window is not None and self.gradient_window % self.window:
            raise ConfigError(
                f"gradient_window should be a multiple of window, got {self.gradient_window} and {self.window}"
            )

    def __call__(
        self, x: Tensor, target: Tensor, state: CarriedState | None = None, *, lengths: Lengths | None = None
    ) -> TruncatedRun:
        """Go over a sequence once.

        Args:
            x: [T, B, ...], or [B, T, ...] if the layer is batch_first; without embed also [T, I] without rows.
            target: one for each step, in the layout of x.
            state: before the first step, as the layer takes it; zeros if not given. It is not detached: gradients
                of the windows that begin with it reach it.
            lengths: [B], valid steps of each row; a row that has ended keeps its state, and windows in which all
                rows have ended are not run.

        Returns:
            The outputs, the last state and the losses, without a graph; the gradients are in the parameters.

        Raises:
            ShapeError, DtypeError, DeviceError, BackendUnavailable: as the layer; also if target, head or loss do
                not fit, or the input was computed from parameters outside (give that part as `embed`).
        """
        sequence = read_sequence(self.layer, x, target, lengths, self.embed is not None)
        carried = last = state if state is None or sequence.batched else _each(state, lambda part: part.unsqueeze(1))
        outputs: list[Tensor] = []
        losses: list[Tensor] = []
        for number in range(-(-sequence.end // self.window)):
            output, value, carried, last = self._advance(sequence, number, carried)
            outputs.append(output)
            losses.append(value)
            if self.update is not None:
                self.update(number, value)
        if not outputs:
            with torch.no_grad():
                output, last = self._forward(sequence.piece(0, 0), last)
            outputs.append(output)
        assert last is not None
        last = _each(last, torch.Tensor.detach)
        if not sequence.batched:
            last = _each(last, lambda part: part.squeeze(1))
        return TruncatedRun(sequence.joined(outputs), last, torch.stack(losses) if losses else outputs[0].new_zeros(0))

    def _advance(
        self, sequence: Sequence, number: int, carried: CarriedState | None
    ) -> tuple[Tensor, Tensor, CarriedState | None, CarriedState]:
        """One window: its output and loss, the state that the next one's gradient ends at, and the last state.

        The graph lives in the names of this function only.
        """
        reach = (self.gradient_window or self.window) // self.window
        first = max(0, number + 1 - reach)
        state = carried
        for k in range(first, number + 1):
            piece = sequence.piece(k * self.window, min((k + 1) * self.window, sequence.end))
            prediction, state = self._forward(piece, state)
            if k == first and number + 1 >= reach:
                carried = _each(state, torch.Tensor.detach)
        assert state is not None
        value = self.loss(prediction[piece.valid], piece.target[piece.valid])
        if value.numel() != 1:
            raise ShapeError(f"the loss should be one number, got a tensor of shape {list(value.shape)}")
        value.backward()
        valid = piece.valid.reshape(*piece.valid.shape, *(1 for _ in prediction.shape[2:]))
        output = torch.where(valid, prediction.detach(), 0.0)
        return output, value.detach().reshape(()), carried, _each(state, torch.Tensor.detach)

    def _forward(self, piece: Piece, state: CarriedState | None) -> tuple[Tensor, CarriedState]:
        x = piece.x if self.embed is None else self.embed(piece.x)
        output, after = self.layer(x, state, lengths=piece.lengths)
        prediction: Tensor = output if self.head is None else self.head(output)
        if prediction.shape[:2] != piece.valid.shape:
            raise ShapeError(
                f"the head should keep the first two dimensions {list(piece.valid.shape)} of the layer's output, "
                f"got {list(prediction.shape)}"
            )
        return prediction, after


def _each(state: CarriedState, do: Callable[[Tensor], Tensor]) -> CarriedState:
    return do(state) if isinstance(state, Tensor) else tuple(do(part) for part in state)
