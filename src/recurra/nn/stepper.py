"""One observation at a time through a layer: packed weights and the carried state live in native memory."""

import copy
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import Parameter

from recurra.errors import BackendUnavailable, ConfigError, DeviceError, DtypeError, ShapeError
from recurra.kernels.stepping import PackedSteps, row_numbers
from recurra.nn._equation_steps import EquationSteps
from recurra.nn._recurrent import Recurrent, check_recurrent

Observation = TypeVar("Observation", Tensor, npt.NDArray[np.floating])


class Stepper:
    """Takes observations one by one and carries the state; equal to `layer.step`, without its cost.

    One row reads the weights as they lie; several rows read packed ones, which are packed again when a weight has
    changed, however it was changed. A layer with options reads its weights as they lie, whatever the number of rows;
    with a callable as activation it goes by the equations, at their cost. Gradients do not flow.
    A view of the same memory put in a weight's place (`p.data = p.data.t()`) is not seen: make a new stepper then.

    Args:
        layer: a one-directional RNN, LSTM or GRU on the CPU, of any number of layers. In evaluation and in
            training it steps without dropout. Where no state is set it begins with the learned one, if there is one.
        batch: B, rows that are carried side by side.

    Raises:
        StreamingUnsupported: if the layer is bidirectional or runs in reverse.
        BackendUnavailable: if the native kernels are not built or cannot serve the layer.
        ConfigError: if batch is below one, or the layer is of another kind.

    >>> import recurra.nn
    >>> layer = recurra.nn.GRU(3, 5)
    >>> Stepper(layer).step(torch.zeros(3)).shape  # doctest: +SKIP
    torch.Size([5])
    """

    def __init__(self, layer: Recurrent, batch: int = 1) -> None:
        check_recurrent(layer)
        layer._check_streams()
        self.layer = layer
        self.batch = _whole_number(batch)
        self._names: tuple[str | None, ...] = ()
        self._quick_shape: tuple[int, ...] | None = None
        self._packed: PackedSteps | EquationSteps
        self._pack(None)

    def _pack(self, state: tuple[Tensor, ...] | None) -> None:
        layer = self.layer
        packed = self._packed_steps()
        if packed is None:
            self._packed, self._quick_shape = EquationSteps(layer, self.batch), None
        else:
            self._packed, self._step = packed, packed.step
            self._quick_shape = (packed.inputs,)
            more, fields = (None,) * packed.fields, packed.fields
            self._names = tuple(name for names in layer._names for name in (*names, *more)[:fields])
        self._packed.set_state(self._first_state() if state is None else state)
        self._type: Any = np.float64 if self._packed.dtype is torch.float64 else np.float32
        self._dtype = np.dtype(self._type)
        self._one = (self._packed.inputs,)
        self._width = self._packed.width

    def _packed_steps(self) -> PackedSteps | None:
        """The native steps, or None for a layer that goes by its equations.

        These are layers with a Python callable, and those whose weights are not their own parameters in one piece:
        parametrized and pruned ones.
        """
        layer = self.layer
        own = [layer._parameters.get(name) for names in layer._names for name in names if name is not None]
        if not all(part is not None and part.is_contiguous() and not part.is_neg() for part in own):
            return None
        options = layer._options
        try:
            return PackedSteps(layer._recurrence, layer._weights(), self.batch, options.kernel, options.zoneout)
        except BackendUnavailable:
            if layer._has_plain_equations:
                raise
            return None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Stepper":
        return _restored(copy.deepcopy(self.layer, memo), self.batch, self.state_parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.layer, self.batch, self.state_parts)

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
            and x.shape == self._quick_shape
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

    def run(self, x: Observation) -> Observation:
        """Take several observations of every row, one after the other, in one call; equal to as many steps.

        Args:
            x: [T, I] (of one row) or [T, B, I], of the layer's type.

        Returns:
            The outputs, [T, P] or [T, B, P], an array for an array and a tensor for a tensor.

        Raises:
            ShapeError, DtypeError, DeviceError: if x does not fit the layer.
        """
        shape: tuple[int, ...] = _shape_of("run", x)
        if shape[1:] != (self.batch, *self._one) and (self.batch > 1 or shape[1:] != self._one):
            raise ShapeError(f"run: expected observations of shape {['T', self.batch, *self._one]}, got {list(shape)}")
        _check_device("run", x)
        self._check_dtype("run", x)
        packed = self._packed
        if type(x) is np.ndarray and isinstance(packed, PackedSteps):
            y = np.empty((*shape[:-1], self._width), self._type)
            if packed.run(np.ascontiguousarray(x), y, self.layer._parameters, self._names):
                return cast(Observation, y)
        steps: Any = [self.step(x_t) for x_t in x]
        if isinstance(x, Tensor):
            return torch.stack(steps) if steps else x.new_empty((*shape[:-1], self._width))
        return cast(Observation, np.array(steps, self._type).reshape(*shape[:-1], self._width))

    def _step_tensor(self, x: Tensor) -> Tensor | None:
        """One row of the usual kind, with little around it; None for anything else."""
        shape, packed = x.shape, self._packed
        if shape[-1:] != self._quick_shape or (len(shape) != 1 and shape != (1, *self._one)):
            return None
        plain = x.dtype is packed.dtype and x.is_cpu and x.is_contiguous() and not x.is_neg()
        address = x.data_ptr() if plain else 0
        if not address or isinstance(packed, EquationSteps):
            return None
        y = torch.empty((*shape[:-1], self._width), dtype=x.dtype)
        done = packed.step_at(address, y.data_ptr(), self.layer._parameters, self._names, None)
        return y if done else None

    def _step_any(self, x: Any, rows: npt.NDArray[np.int64] | None) -> Any:
        count = self.batch if rows is None else len(rows)
        shape = _shape_of("step", x)
        if shape != (count, *self._one) and not (count == 1 and shape == self._one):
            raise ShapeError(f"step: expected an observation of shape {[count, *self._one]}, got {list(shape)}")
        _check_device("step", x)
        for _ in range(2):
            self._check_dtype("step", x)
            y = self._step_where_it_lies(x, (*shape[:-1], self._width), rows)
            if y is not None:
                return y
            self._pack(self.state_parts)
        raise ShapeError("step: the layer's weights are moved by another thread while it steps")

    def _check_dtype(self, call: str, x: Any) -> None:
        dtype: Any = self._packed.dtype if isinstance(x, Tensor) else self._dtype
        if x.dtype != dtype:
            raise DtypeError(f"{call}: expected an observation of type {dtype}, got {x.dtype}")

    def _step_where_it_lies(self, x: Any, shape: tuple[int, ...], rows: npt.NDArray[np.int64] | None) -> Any:
        """The outputs, or None if a weight lies elsewhere than when they were packed."""
        parameters = self.layer._parameters
        if isinstance(self._packed, EquationSteps):
            return self._packed.take(x, shape, rows)
        if isinstance(x, Tensor):
            dense = x.detach().resolve_neg().contiguous()
            if not dense.data_ptr() and dense.numel():
                raise ShapeError("step: the observation has no memory: its storage was let go")
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
        """A copy of the carried state, as `layer.step` gives it.

        Set it to carry on from another; None is the first one, zeros or the learned state.
        """
        parts = self._packed.state()
        return parts if len(parts) > 1 else parts[0]

    @state.setter
    def state(self, state: Tensor | tuple[Tensor, ...] | None) -> None:
        given = (state,) if isinstance(state, Tensor) else state
        for part in given or ():
            if not isinstance(part, Tensor):
                raise DtypeError(f"the state should be made of tensors, got: {type(part).__name__}")
        self._packed.set_state(self._first_state() if given is None else given)

    def _first_state(self) -> tuple[Tensor, ...] | None:
        """The learned state of every row, or None for zeros."""
        first = self.layer._expected().first
        return first and tuple(part.unsqueeze(1).expand(-1, self.batch, -1) for part in first)


def _whole_number(batch: object) -> int:
    if isinstance(batch, bool) or not isinstance(batch, int | np.integer) or batch < 1:
        raise ConfigError(f"batch should be a whole number above zero, got: {batch!r}")
    return int(batch)


def _shape_of(call: str, x: Any) -> tuple[int, ...]:
    if not isinstance(x, np.ndarray) and type(x) not in (Tensor, Parameter):
        raise DtypeError(f"{call}: an observation should be a tensor or an array, got: {type(x).__name__}")
    return tuple(x.shape)


def _check_device(call: str, x: Tensor | npt.NDArray[Any]) -> None:
    if isinstance(x, Tensor) and not x.is_cpu:
        raise DeviceError(f"{call}: expected an observation on the CPU, got one on {x.device}")


def _restored(layer: Recurrent, batch: int, state: tuple[Tensor, ...]) -> Stepper:
    """A stepper that carries on where another was copied or saved."""
    stepper = Stepper(layer, batch)
    stepper.state = state
    return stepper
