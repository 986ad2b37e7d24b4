"""One step at a time by the layer's kernel, for what the native step does not have; stands in for `PackedSteps`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.errors import BackendUnavailable, ShapeError
from recurra.kernels import State
from recurra.nn._reading import read
from recurra.nn._recurrent import Recurrent


class EquationSteps:
    """The carried state of a layer with options, and its steps.

    Args:
        layer: a one-directional RNN, LSTM or GRU.
        batch: B, rows that are carried side by side.

    Raises:
        BackendUnavailable: if the layer is not on the CPU, or of another type than float32 and float64.
    """

    def __init__(self, layer: Recurrent, batch: int) -> None:
        self.layer = layer
        first = next(layer.parameters())
        self.dtype = first.dtype
        if not first.is_cpu or self.dtype not in (torch.float32, torch.float64):
            raise BackendUnavailable(
                f"a stepper takes weights in float32 or float64 on the CPU, not {self.dtype} on {first.device}"
            )
        self.inputs, self.width = layer.input_size, layer._output_width
        self._zeros = tuple(
            torch.zeros((layer.num_layers, batch, width), dtype=self.dtype) for width in layer._state_widths
        )
        self._state: State = self._zeros

    def state(self) -> State:
        """A copy of the state: h [L, B, P], and for an LSTM c [L, B, H]."""
        return tuple(part.clone() for part in self._state)

    def set_state(self, state: Sequence[Tensor] | None) -> None:
        """Carry on from another state; zeros for None.

        Raises:
            ShapeError: if a part is missing or of another shape.
        """
        wanted = [tuple(part.shape) for part in self._zeros]
        if state is None:
            self._state = self._zeros
        elif [tuple(part.shape) for part in state] != wanted:
            raise ShapeError(f"the state should be {wanted}, got {[tuple(part.shape) for part in state]}")
        else:
            self._state = tuple(part.detach().to(self.dtype).clone() for part in state)

    def take(self, x: Tensor | npt.NDArray[np.floating], shape: tuple[int, ...], rows: Any) -> Any:
        """Step all rows, or some; the outputs as x came, in the given shape."""
        layer, at = self.layer, None if rows is None else torch.from_numpy(rows)
        before = self._state if at is None else tuple(part.index_select(1, at) for part in self._state)
        time = 1 if layer.batch_first else 0
        with torch.no_grad():
            seen = torch.as_tensor(x).detach().reshape(-1, self.inputs).unsqueeze(time)
            r = read(seen, before, None, layer._expected())
            arguments: dict[str, Any] = layer._arguments(r, draw=False)
            arguments["stack"] = replace(arguments["stack"], training=False)
            y, after = layer._kernel.sequence(r.x, r.state, layer._weights(), **arguments)
            if at is not None:
                after = tuple(part.index_copy(1, at, new) for part, new in zip(self._state, after, strict=True))
        self._state = after
        out = y.reshape(shape)
        return out if isinstance(x, Tensor) else out.numpy()
