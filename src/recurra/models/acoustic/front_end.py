"""Strided convolutions over time, which shorten a sequence before the recurrent layers read it."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import pad

from recurra.shapes import Float, Lengths, Tensor


class Convolution(nn.Module):
    """y(t) = relu(norm(W x(s t - r ... s t + r) + b)); what lies beyond the ends is zero; T steps become ceil(T / s).

    Args:
        n_in: features.
        n_out: features of the output.
        width: 2 r + 1, odd.
        stride: s.
    """

    def __init__(self, n_in: int, n_out: int, width: int, stride: int) -> None:
        super().__init__()
        self.reach, self.stride = width // 2, stride
        self.convolution = nn.Conv1d(n_in, n_out, width, stride)
        self.norm = nn.LayerNorm(n_out)

    def inner(self, x: Float[Tensor, "batch time features"]) -> Float[Tensor, "batch steps channels"]:
        """Steps whose whole neighbourhood is there."""
        y: Tensor = self.norm(self.convolution(x.transpose(1, 2)).transpose(1, 2)).relu()
        return y

    def forward(
        self, x: Float[Tensor, "batch time features"], lengths: Lengths
    ) -> tuple[Float[Tensor, "batch steps channels"], Lengths]:
        """All steps, zero past a row's length, and the lengths of the output."""
        y = self.inner(pad(x, (0, 0, self.reach, self.reach + self.stride - 1)))[:, : -(-x.shape[1] // self.stride)]
        lengths = shorter(lengths, self.stride)
        return y * inside(lengths, y.shape[1]), lengths


class FrontEnd(nn.Module):
    """Convolutions one after the other, or nothing at all.

    Args:
        n_in: features.
        channels: features of each convolution's output.
        strides: of each convolution; an empty sequence for none.
        width: steps that one reads.
        dropout: between them.
    """

    def __init__(self, n_in: int, channels: int, strides: Sequence[int], width: int = 5, dropout: float = 0.0) -> None:
        super().__init__()
        sizes = [n_in, *[channels] * len(strides)]
        self.n_out = sizes[-1]
        self.layers = nn.ModuleList(
            Convolution(a, b, width, stride) for a, b, stride in zip(sizes, sizes[1:], strides, strict=False)
        )
        self.dropout = nn.Dropout(dropout)

    @property
    def stride(self) -> int:
        """Input steps for one output step."""
        total = 1
        for layer in self.layers:
            total *= int(layer.stride)  # type: ignore[arg-type]
        return total

    def forward(
        self, x: Float[Tensor, "batch time features"], lengths: Lengths
    ) -> tuple[Float[Tensor, "batch steps channels"], Lengths]:
        """The shortened sequences, zero past a row's length, and their lengths."""
        for layer in self.layers:
            x, lengths = layer(x, lengths)
            x = self.dropout(x)
        return x, lengths


class FrontEndStream:
    """A front end for steps that come one after the other; each convolution waits for the steps it looks ahead.

    Args:
        front_end: in evaluation.
    """

    def __init__(self, front_end: FrontEnd) -> None:
        weight = next(front_end.parameters(), torch.zeros(0, dtype=torch.float64))
        self._layers = [_Waiting(layer, weight.dtype) for layer in front_end.layers if isinstance(layer, Convolution)]

    def push(self, x: Float[Tensor, "time features"]) -> Float[Tensor, "steps channels"]:
        """More steps in, finished steps out."""
        for layer in self._layers:
            x = layer.push(x)
        return x

    def finish(self, x: Float[Tensor, "time features"]) -> Float[Tensor, "steps channels"]:
        """The last steps in, and all that are still to come out."""
        for layer in self._layers:
            x = torch.cat([layer.push(x), layer.finish()])
        return x


class _Waiting:
    """One convolution and the steps that its next output reads."""

    def __init__(self, layer: Convolution, dtype: torch.dtype) -> None:
        self.layer = layer
        self.n_in, self.n_out = 0, 0
        self._held = torch.zeros(layer.reach, layer.convolution.in_channels, dtype=dtype)

    def push(self, x: Tensor) -> Tensor:
        self._held = torch.cat([self._held, x])
        self.n_in += len(x)
        return self._give()

    def finish(self) -> Tensor:
        missing = -(-self.n_in // self.layer.stride) - self.n_out
        if missing <= 0:
            return self._nothing()
        width = 2 * self.layer.reach + 1
        beyond = (missing - 1) * self.layer.stride + width - len(self._held)
        self._held = pad(self._held, (0, 0, 0, max(beyond, 0)))
        return self._give()[:missing]

    def _give(self) -> Tensor:
        width, stride = 2 * self.layer.reach + 1, self.layer.stride
        n = (len(self._held) - width) // stride + 1
        if n <= 0:
            return self._nothing()
        y = self.layer.inner(self._held[None, : (n - 1) * stride + width])[0]
        self._held = self._held[n * stride :]
        self.n_out += n
        return y

    def _nothing(self) -> Tensor:
        return self._held.new_zeros(0, self.layer.convolution.out_channels)


def shorter(lengths: Lengths, stride: int) -> Lengths:
    """ceil(length / stride)."""
    return -torch.div(-lengths, stride, rounding_mode="floor")


def inside(lengths: Lengths, steps: int) -> Tensor:
    """[batch, steps, 1]: whether a step is one of its row's."""
    return (torch.arange(steps, device=lengths.device) < lengths[:, None])[..., None]
