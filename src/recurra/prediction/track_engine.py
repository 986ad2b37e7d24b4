"""The network of one stream, one fix of one object at a time: on the native kernels without torch, or with it."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from recurra.errors import BackendUnavailable
from recurra.models.forecast import State
from recurra.models.trajectory import PathOutput, TrajectoryNetwork
from recurra.models.trajectory.outputs import WIDEST
from recurra.nn import Stepper
from recurra.shapes import Tensor

Array = npt.NDArray[np.float64]
Parts = tuple[Tensor, ...]


class Drawn:
    """A path's output as arrays: what `PathOutput` holds, for one origin.

    Attributes:
        weights: of the components, [K].
        means: [horizon, K, 2].
        factors: a, b, c, [horizon, K, 3]; None for points.
    """

    __slots__ = ("factors", "means", "weights")

    def __init__(self, weights: Array, means: Array, factors: Array | None) -> None:
        self.weights, self.means, self.factors = weights, means, factors

    def in_space(
        self, scale: float, velocity: tuple[float, float], frame: tuple[float, float], steps: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Middle path, weights, means and factors in units of length: `TrajectoryPredictor.in_space` for one object.

        Args:
            scale: length of a usual step.
            velocity: the way of one step at the origin.
            frame: cosine and sine of the heading there.
            steps: 1, 2, ... horizon.
        """
        c, s = scale * frame[0], scale * frame[1]
        horizon, count = self.means.shape[:2]
        along, across = self.means[:, :, 0].T, self.means[:, :, 1].T
        paths = np.empty((1, count, horizon, 2))
        paths[0, :, :, 0] = c * along - s * across + velocity[0] * steps
        paths[0, :, :, 1] = s * along + c * across + velocity[1] * steps
        if self.factors is None:
            nothing = np.empty((1, 0, horizon, 2))
            return paths[:, 0], np.empty((1, 0)), nothing, np.empty((1, 0, horizon, 2, 2))
        weights = self.weights[None]
        path = paths[:, 0] if count == 1 else (weights @ paths.reshape(count, -1)).reshape(1, horizon, 2)
        first, below, second = self.factors.transpose(2, 1, 0)
        factors = np.empty((1, count, horizon, 2, 2))
        factors[0, ..., 0, 0], factors[0, ..., 0, 1] = c * first - s * below, -s * second
        factors[0, ..., 1, 0], factors[0, ..., 1, 1] = s * first + c * below, c * second
        return path, weights, paths, factors

    @classmethod
    def of(cls, output: PathOutput) -> "Drawn":
        """The first row of a batch."""
        factors = None if output.factors is None else output.factors[0].numpy()
        return cls(output.log_weights[0].exp().numpy(), output.means[0].numpy(), factors)


class Engine(Protocol):
    """Advances the state of one object by one input, and draws its path."""

    def advance(self, x: Array, state: Parts) -> tuple[Array, Parts]:
        """The encoder's output and the state after an input; the state's parts are [layers, 1, hidden]."""

    def draw(self, h: Array, x: Array, lagged: Array | None) -> Drawn:
        """The path from an encoder's output."""


def engine_of(network: TrajectoryNetwork) -> Engine:
    """The native engine where the kernels are built and serve the network, else torch's."""
    try:
        return NativeEngine(network)
    except BackendUnavailable:
        return TorchEngine(network)


class TorchEngine:
    """By the network's own modules.

    Args:
        network: in float64, in evaluation.
    """

    def __init__(self, network: TrajectoryNetwork) -> None:
        self._network = network

    @torch.inference_mode()
    def advance(self, x: Array, state: Parts) -> tuple[Array, Parts]:
        """See `Engine`."""
        given: Any = state if len(state) > 1 else state[0]
        h, after = self._network.step(torch.from_numpy(x)[None], given)
        return h[0].numpy(), parts_of(after)

    @torch.inference_mode()
    def draw(self, h: Array, x: Array, lagged: Array | None) -> Drawn:
        """See `Engine`."""
        one = [torch.from_numpy(np.ascontiguousarray(a))[None] for a in (h, x)]
        late = None if lagged is None else torch.from_numpy(lagged)[None]
        return Drawn.of(self._network.paths(one[0], one[1], late))


class NativeEngine:
    """By steppers that hold packed weights, and numpy around them; equal to the modules, at a fraction of their cost.

    Args:
        network: in float64, in evaluation; its weights must not change any more.

    Raises:
        BackendUnavailable: if the native kernels are not built or cannot serve the network.
    """

    def __init__(self, network: TrajectoryNetwork) -> None:
        shape = network.shape
        self._encoder, self._decoder = Stepper(network.encoder), Stepper(network.decoder)
        self._lstm = shape.cell == "lstm"
        self._held: Parts | None = None
        self._head = _affine(network.head)
        self._weights = _affine(network.weights)
        self._linear = None if network.linear is None else _affine(network.linear)
        self._shape = (shape.horizon, network.n_components, network.n_numbers)
        self._spread, self._whole = network.spread.numpy(), np.ones(1)
        gain = np.ones(self._shape[1:])
        gain[:, :2] = float(network.gain)
        self._head = (self._head[0] * gain.reshape(-1), self._head[1] * gain.reshape(-1))
        when = np.arange(1.0, shape.horizon + 1)[:, None] / shape.horizon
        self._inputs = np.concatenate([np.zeros((shape.horizon, shape.n_inputs)), when], 1)
        self._zeros = torch.zeros(1, 1, shape.hidden_size, dtype=torch.float64)

    def advance(self, x: Array, state: Parts) -> tuple[Array, Parts]:
        """See `Engine`. The state that was given back last is still in place and need not be laid down again."""
        if state is not self._held:
            self._encoder.state = state if len(state) > 1 else state[0]
        h = self._encoder.step(x)
        self._held = self._encoder.state_parts
        return np.asarray(h, np.float64), self._held

    def draw(self, h: Array, x: Array, lagged: Array | None) -> Drawn:
        """See `Engine`."""
        first = torch.from_numpy(h).view(1, 1, -1)
        self._decoder.state = (first, self._zeros) if self._lstm else first
        self._inputs[:, :-1] = x
        states = self._decoder.run(self._inputs)
        weight, bias = self._head
        raw = (states @ weight + bias).reshape(self._shape)
        moved = raw[..., :2]
        if self._linear is not None and lagged is not None:
            weight, bias = self._linear
            moved = moved + (lagged @ weight + bias).reshape(-1, 1, 2)
        return Drawn(self._shares(h), moved.cumsum(0), self._factors(raw) if self._shape[2] == 5 else None)

    def _shares(self, h: Array) -> Array:
        if self._shape[1] == 1:
            return self._whole
        weight, bias = self._weights
        logits = h @ weight + bias
        shares = np.exp(logits - logits.max())
        return np.asarray(shares / shares.sum())

    def _factors(self, raw: Array) -> Array:
        """a, b and c as in `read_output`."""
        bounded = np.exp(WIDEST * np.tanh(raw[..., 2:4] / WIDEST)) * self._spread[:, None]
        factors = np.empty((*raw.shape[:2], 3))
        factors[..., 0], factors[..., 2] = bounded[..., 0], bounded[..., 1]
        factors[..., 1] = self._spread[:, None, 1] * raw[..., 4]
        return factors


def parts_of(state: State) -> Parts:
    """The parts of a recurrent state: h, and for an LSTM c."""
    return state if isinstance(state, tuple) else (state,)


def _affine(layer: torch.nn.Linear) -> tuple[Array, Array]:
    """Weight, transposed for rows, and bias of a linear layer as arrays."""
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    return np.ascontiguousarray(weight.T), bias.copy()
