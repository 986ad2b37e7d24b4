"""The long short-term memory: checks the arguments, chooses a backend, calls it.

Equations and conditions: README.md beside this file.
"""

from collections.abc import Sequence

from torch import Tensor

from recurra.kernels import _call, _checks, _dispatch, _options
from recurra.kernels.lstm import _cpu, _reference, _torch
from recurra.kernels.lstm._cpu import quick
from recurra.kernels.lstm._reference import equations

__all__ = ["cell", "equations", "explain", "quick", "sequence"]

_KIND = "lstm"
_BACKENDS: dict[str, _dispatch.Backend] = {"native": _cpu, "torch": _torch, "reference": _reference}


def sequence(
    x: Tensor,
    state: _call.State,
    weights: Sequence[_call.Weights],
    *,
    stack: _call.Stack = _call.ONE_LAYER,
    lengths: Tensor | None = None,
    batch_sizes: Tensor | None = None,
    options: _options.Options = _options.PLAIN,
    backend: str = "auto",
) -> _call.Result:
    """Run long short-term memories over a sequence: any number of layers, one or both directions, ragged or packed.

    Args:
        x: [T, B, I], or [B, T, I] if `stack.batch_first`, or packed [rows of all steps, I].
        state: (h, c), [L*D, B, P] and [L*D, B, H], outputs and cells before the first step.
        weights: one a layer and direction: layer 0 forward, layer 0 reverse, layer 1 forward, ...
        stack: layers, directions, layout, dropout, masks.
        lengths: [B] whole numbers, valid steps of each row, 0..T in any order; None if all are valid.
        batch_sizes: [T] int64 on the CPU, rows at each step of a packed batch; None if padded.
        options: what is computed beyond the plain equations.
        backend: "auto", or the one that must serve.

    Returns:
        The outputs in the layout of x with width D*P, zero past a row's length; and the states after each row's
        last valid step (in reverse: after its first step). A row of length 0 keeps its initial state.

    Raises:
        ShapeError, DtypeError, DeviceError: if the tensors do not fit each other.
        ConfigError: if there is no such backend, lengths come with a packed batch, or options do not fit each other.
        BackendUnavailable: if the backend asked for by name cannot serve this call.
    """
    call = _call.Call(x, state, weights, stack, lengths, batch_sizes, options)
    call = _checks.checked(call, _KIND)
    return _dispatch.choose(_BACKENDS, backend, call).run(call)


def cell(
    x: Tensor,
    state: _call.State,
    w: _call.Weights,
    *,
    options: _options.Options = _options.PLAIN,
    backend: str = "auto",
) -> _call.State:
    """One time step of one layer.

    Args:
        x: [B, I], the observation.
        state: (h, c), [B, P] and [B, H], output and cell of the step before.
        w: the layer's weights.
        options: what is computed beyond the plain equations.
        backend: "auto", or the one that must serve.

    Returns:
        The state after the step; its first part is the output.

    Raises:
        ShapeError, DtypeError, DeviceError: if the tensors do not fit each other.
        ConfigError, BackendUnavailable: as `sequence`.
    """
    call = _call.Call(x, state, (w,), _call.ONE_LAYER, options=options, is_cell=True)
    _checks.check_cell(call, _KIND)
    return _dispatch.choose(_BACKENDS, backend, call).cell(call)


def explain(
    x: Tensor,
    state: _call.State,
    weights: Sequence[_call.Weights],
    *,
    stack: _call.Stack = _call.ONE_LAYER,
    lengths: Tensor | None = None,
    batch_sizes: Tensor | None = None,
    options: _options.Options = _options.PLAIN,
    backend: str = "auto",
) -> _dispatch.Choice:
    """Which backend would serve `sequence` with these arguments, and why the others would not."""
    call = _call.Call(x, state, weights, stack, lengths, batch_sizes, options)
    return _dispatch.explain(_BACKENDS, backend, _checks.checked(call, _KIND))
