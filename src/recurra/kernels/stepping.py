"""The public door of the one-observation path: packed weights and the carried state, in native memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.errors import BackendUnavailable, ShapeError
from recurra.kernels import _compiled
from recurra.kernels._call import PARTS, Weights
from recurra.kernels._checks import check_weights
from recurra.kernels._cpu_call import GATES, addresses_of, dense, pair_of
from recurra.kernels._cpu_variant import checked_addresses, variant_of
from recurra.kernels._options import PLAIN, USUAL, Options, used_options
from recurra.kernels.freezing import KINDS
from recurra.kernels.rnn import activation_number


class PackedSteps:
    """A stack of one-directional layers, ready for one observation at a time; `fields` of each Weights are read.

    Args:
        kind: a name of `recurra.kernels.freezing.KINDS`.
        weights: one a layer; contiguous, on the CPU, of one type.
        batch: B, rows that are carried side by side.
        options: what is computed beyond the plain equations.
        zoneout: the share of each part of the state that a step keeps; none if not given.

    Raises:
        BackendUnavailable: if the native kernels are not built, or cannot take these weights.
        ShapeError: if the weights do not fit each other, or one has no memory.
    """

    def __init__(
        self,
        kind: str,
        weights: Sequence[Weights],
        batch: int,
        options: Options = PLAIN,
        zoneout: Sequence[float] = (),
    ) -> None:
        if _compiled.native is None:
            raise BackendUnavailable(_compiled.NOT_BUILT)
        reason = _compiled.why_not_callable(options)
        if reason is not None:
            raise BackendUnavailable(reason)
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
        try:
            self._native: Any = self._made(kind, weights, options, zoneout)
        except ValueError as error:
            raise ShapeError(str(error)) from None
        self.step = self._native.step
        self.step_at = self._native.step_at
        self.run = self._native.run

    def _made(self, kind: str, weights: Sequence[Weights], options: Options, zoneout: Sequence[float]) -> Any:
        """The native stepper, the plain one or the one with every option."""
        native, name, double = _compiled.native, kind.removesuffix("_before"), self.dtype is torch.float64
        assert native is not None
        used = [*used_options(options), *["peephole"] * (weights[0].w_p is not None), *["zoneout"] * any(zoneout)]
        variant, projected = variant_of(name, options, used), weights[0].w_hr is not None
        sizes = (self.batch, self.inputs, self.hidden, self.width)
        self.fields = PARTS if variant is None else len(Weights._fields)
        if variant is None:
            activation = activation_number((options.activations or USUAL[name])[0]) if kind == "rnn" else 0
            addresses = addresses_of([part for w in weights for part in w[:PARTS]])
            return native.Stepper(KINDS[kind], activation or 0, double, *sizes, projected, addresses)
        layer = native.Layer(KINDS[kind], double, 1, *sizes, 1, projected, 1, 0, 0, False)
        shares = (*zoneout, 0.0, 0.0)[:2]
        return native.VariantStepper(layer, variant, checked_addresses([part for w in weights for part in w]), shares)

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
        parts = [dense(part.detach().to(self.dtype)) for part in state]
        self._native.set(*pair_of(parts))


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
