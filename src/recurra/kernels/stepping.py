"""The public door of the one-observation path: packed weights and the carried state, in native memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.errors import BackendUnavailable, ShapeError
from recurra.kernels import _compiled
from recurra.kernels._activations import Activation
from recurra.kernels._call import Weights
from recurra.kernels._checks import check_weights
from recurra.kernels._cpu_call import GATES, addresses_of
from recurra.kernels.freezing import KINDS
from recurra.kernels.rnn import activation_number


class PackedSteps:
    """A stack of one-directional layers, ready for one observation at a time.

    Args:
        kind: a name of `recurra.kernels.freezing.KINDS`.
        weights: one a layer; contiguous, on the CPU, of one type.
        batch: B, rows that are carried side by side.
        activation: phi of a plain recurrent layer.

    Raises:
        BackendUnavailable: if the native kernels are not built, or cannot take these weights.
        ShapeError: if the weights do not fit each other, or one has no memory.
    """

    def __init__(self, kind: str, weights: Sequence[Weights], batch: int, activation: Activation = "tanh") -> None:
        if _compiled.native is None:
            raise BackendUnavailable(_compiled.NOT_BUILT)
        number = activation_number(activation) if kind == "rnn" else 0
        if number is None:
            raise BackendUnavailable("the native kernels know ONNX's activations by name, not a callable")
        first = weights[0]
        self.dtype = first.w_ih.dtype
        for w in weights:
            for part in w:
                if part is None:
                    continue
                if part.dtype is not self.dtype or not part.is_cpu or not part.is_contiguous() or part.is_neg():
                    raise BackendUnavailable("a stepper takes contiguous weights of one type on the CPU")
        if self.dtype not in (torch.float32, torch.float64):
            raise BackendUnavailable(f"the native kernels compute in float32 and float64, not {self.dtype}")
        self.batch, self.inputs, self.width = batch, first.w_ih.shape[1], first.w_hh.shape[1]
        self.hidden = first.w_ih.shape[0] // GATES[KINDS[kind]]
        self.layers, self.parts = len(weights), 2 if kind == "lstm" else 1
        check_weights(weights, GATES[KINDS[kind]], 1)
        sizes = (batch, self.inputs, self.hidden, self.width)
        is_double, projected = self.dtype is torch.float64, first.w_hr is not None
        addresses = addresses_of([part for w in weights for part in w])
        try:
            self._native: Any = _compiled.native.Stepper(KINDS[kind], number, is_double, *sizes, projected, addresses)
        except ValueError as error:
            raise ShapeError(str(error)) from None
        self.step = self._native.step
        self.step_at = self._native.step_at

    def state(self) -> tuple[Tensor, ...]:
        """A copy of the state: h [L, B, P], and for an LSTM c [L, B, H]."""
        h = torch.empty((self.layers, self.batch, self.width), dtype=self.dtype)
        c = torch.empty((self.layers, self.batch, self.hidden), dtype=self.dtype)
        self._native.get(h.data_ptr(), c.data_ptr())
        return (h, c) if self.parts == 2 else (h,)

    def set_state(self, state: Sequence[Tensor] | None) -> None:
        """Carry on from another state; zeros for None.

        Raises:
            ShapeError: if a part is missing or of another shape.
        """
        if state is None:
            self._native.set(0, 0)
            return
        wanted = [(self.layers, self.batch, self.width), (self.layers, self.batch, self.hidden)][: self.parts]
        if [tuple(part.shape) for part in state] != wanted:
            raise ShapeError(f"the state should be {wanted}, got {[tuple(part.shape) for part in state]}")
        dense = [part.detach().to(self.dtype).contiguous() for part in state]
        self._native.set(dense[0].data_ptr(), dense[1].data_ptr() if self.parts == 2 else 0)


def row_numbers(rows: object, batch: int) -> npt.NDArray[np.int64]:
    """Rows as the kernels take them.

    Raises:
        ShapeError: if one lies outside 0..B-1 or stands twice.
    """
    read = np.ascontiguousarray(rows)
    if read.ndim != 1 or (read.size and read.dtype.kind not in "iu"):
        raise ShapeError(f"rows should be a list of whole numbers, got {read.dtype} of {read.ndim} dimensions")
    read = read.astype(np.int64, copy=False)
    if read.size and (read.min() < 0 or read.max() >= batch):
        raise ShapeError(f"rows should lie in 0..{batch - 1}, got {read.tolist()}")
    if np.unique(read).size != read.size:
        raise ShapeError(f"a row can step only once in one call, got {read.tolist()}")
    return read
