"""One observation at a time through a layer: packed weights and the carried state live in native memory."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.errors import ConfigError, DeviceError, DtypeError, ShapeError, StreamingUnsupported
from recurra.kernels.stepping import PackedSteps, row_numbers
from recurra.nn._recurrent import Recurrent
from recurra.nn.rnn import RNN

Observation = TypeVar("Observation", Tensor, npt.NDArray[np.floating])


class Stepper:
    """Takes observations one by one and carries the state; equal to `layer.step`, without its cost.

    One row reads the weights as they lie; several rows read packed ones, which are packed again when a weight has
    changed, however it was changed. Gradients do not flow.

    Args:
        layer: a one-directional RNN, LSTM or GRU on the CPU, of any number of layers. In evaluation and in
            training it steps without dropout.
        batch: B, rows that are carried side by side.

    Raises:
        StreamingUnsupported: if the layer is bidirectional.
        BackendUnavailable: if the native kernels are not built or cannot serve the layer.
        ConfigError: if batch is below one.

    >>> import recurra.nn
    >>> layer = recurra.nn.GRU(3, 5)
    >>> Stepper(layer).step(torch.zeros(3)).shape  # doctest: +SKIP
    torch.Size([5])
    """

    def __init__(self, layer: Recurrent, batch: int = 1) -> None:
        if layer.bidirectional:
            raise StreamingUnsupported(f"{type(layer).__name__} is bidirectional: it cannot go step by step")
        if not isinstance(batch, int) or batch < 1:
            raise ConfigError(f"batch should be a whole number above zero, got: {batch!r}")
        self.layer = layer
        self.batch = batch
        self._names = tuple(layer._flat_names)
        self._packed: PackedSteps
        self._pack(None)

    def _pack(self, state: tuple[Tensor, ...] | None) -> None:
        layer = self.layer
        weights = layer._weights()
        activation = layer.nonlinearity if isinstance(layer, RNN) else "tanh"
        self._packed = PackedSteps(layer._recurrence, weights, self.batch, activation)
        self._packed.set_state(state)
        self._type: Any = np.float64 if self._packed.dtype is torch.float64 else np.float32
        self._dtype = np.dtype(self._type)
        self._one = (self._packed.inputs,)
        self._width = self._packed.width
        self._step = self._packed.step

    def step(self, x: Observation, rows: Sequence[int] | npt.NDArray[np.integer] | None = None) -> Observation:
        """Take one observation of every row, or of some.

        Args:
            x: [I] (if one row steps) or [number of rows that step, I], of the layer's type.
            rows: which rows step; all if not given.

        Returns:
            The outputs, [P] or [rows, P], an array for an array and a tensor for a tensor.

        Raises:
            ShapeError, DtypeError: if x does not fit the layer, or rows do not fit the batch.
        """
        if (
            type(x) is np.ndarray
            and x.shape == self._one
            and x.dtype == self._dtype
            and rows is None
            and self.batch == 1
        ):
            y = np.empty(self._width, self._type)
            if self._step(x, y, self.layer._parameters, self._names, None):
                return cast(Observation, y)
        elif type(x) is Tensor and rows is None and self.batch == 1:
            out = self._step_tensor(x)
            if out is not None:
                return out
        done: Observation = self._step_any(x, None if rows is None else row_numbers(rows, self.batch))
        return done

    def _step_tensor(self, x: Tensor) -> Tensor | None:
        """One row of the usual kind, with little around it; None for anything else."""
        shape = x.shape
        if shape[-1:] != self._one or (len(shape) != 1 and shape != (1, *self._one)):
            return None
        if x.dtype is not self._packed.dtype or not x.is_cpu or not x.is_contiguous() or x.is_neg():
            return None
        y = torch.empty((*shape[:-1], self._width), dtype=x.dtype)
        done = self._packed.step_at(x.data_ptr(), y.data_ptr(), self.layer._parameters, self._names, None)
        return y if done else None

    def _step_any(self, x: Any, rows: npt.NDArray[np.int64] | None) -> Any:
        count = self.batch if rows is None else len(rows)
        shape = tuple(x.shape) if isinstance(x, Tensor | np.ndarray) else None
        if shape is None:
            raise DtypeError(f"step: an observation should be a tensor or an array, got: {type(x).__name__}")
        if shape != (count, *self._one) and not (count == 1 and shape == self._one):
            raise ShapeError(f"step: expected an observation of shape {[count, *self._one]}, got {list(shape)}")
        if isinstance(x, Tensor) and not x.is_cpu:
            raise DeviceError(f"step: expected an observation on the CPU, got one on {x.device}")
        for _ in range(2):
            dtype: Any = self._packed.dtype if isinstance(x, Tensor) else self._dtype
            if x.dtype != dtype:
                raise DtypeError(f"step: expected an observation of type {dtype}, got {x.dtype}")
            y = self._step_where_it_lies(x, (*shape[:-1], self._width), rows)
            if y is not None:
                return y
            self._pack(self.state_parts)
        raise ShapeError("step: the layer's weights are moved by another thread while it steps")

    def _step_where_it_lies(self, x: Any, shape: tuple[int, ...], rows: npt.NDArray[np.int64] | None) -> Any:
        """The outputs, or None if a weight lies elsewhere than when they were packed."""
        parameters = self.layer._parameters
        if isinstance(x, Tensor):
            dense = x.detach().resolve_neg().contiguous()
            y = torch.empty(shape, dtype=x.dtype)
            done = self._packed.step_at(dense.data_ptr(), y.data_ptr(), parameters, self._names, rows)
            return y if done else None
        out = np.empty(shape, x.dtype)
        return out if self._step(np.ascontiguousarray(x), out, parameters, self._names, rows) else None

    @property
    def state_parts(self) -> tuple[Tensor, ...]:
        """A copy of the carried state, h [L, B, P] and for an LSTM c [L, B, H], as a tuple."""
        return self._packed.state()

    @property
    def state(self) -> Tensor | tuple[Tensor, ...]:
        """A copy of the carried state, as `layer.step` gives it; set it to carry on from another, None for zeros."""
        parts = self._packed.state()
        return parts if len(parts) > 1 else parts[0]

    @state.setter
    def state(self, state: Tensor | tuple[Tensor, ...] | None) -> None:
        self._packed.set_state((state,) if isinstance(state, Tensor) else state)
