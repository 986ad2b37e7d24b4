"""The compiled extension, or None where it is not built; and when it may be called."""

import importlib
import os
import warnings
from types import ModuleType

import torch
from torch import Tensor
from torch.nn import Parameter

from recurra.errors import NotBuiltWarning
from recurra.kernels._activations import Activation
from recurra.kernels._call import Call
from recurra.kernels._dispatch import inside_transform
from recurra.kernels._options import Options


def _load() -> ModuleType | None:
    try:
        return importlib.import_module("recurra.kernels._native")
    except ModuleNotFoundError:
        if os.environ.get("RECURRA_REQUIRE_NATIVE") == "1":
            raise
        return None


native = _load()
"""The module recurra.kernels._native, or None."""


def native_is_built() -> bool:
    """Whether the compiled kernels are there."""
    return native is not None


NOT_BUILT = "the native kernels are not built: install Recurra with a C++17 compiler at hand (see docs/building.md)"

PLAIN = (Tensor, Parameter)
"""The types whose memory may be read."""


_has_warned = False


def _warn_once(call: Call) -> None:
    """Say at the first layer on the CPU that it runs without the kernels; while tracing, nothing can be said."""
    global _has_warned  # noqa: PLW0603  one warning a process
    if _has_warned or call.x.device.type != "cpu" or torch.compiler.is_compiling():
        return
    _has_warned = True
    text = f"{NOT_BUILT}. Until then layers on the CPU run on PyTorch's own calls; `recurra doctor` says more"
    warnings.warn(text, NotBuiltWarning, stacklevel=2)


def why_not_callable(options: Options) -> str | None:
    """The one option that the kernels do not have."""
    for phi in options.activations:
        if not isinstance(phi, Activation):
            name = getattr(phi, "__name__", type(phi).__name__)
            return f"the native kernels know the activations of ONNX's list, not a callable: {name}"
    return None


def why_not_compiled(call: Call) -> str | None:
    """The reasons that hold for all recurrences."""
    if native is None:
        _warn_once(call)
        return NOT_BUILT
    reason = why_not_callable(call.options)
    if reason is not None:
        return reason
    x = call.x
    if torch.compiler.is_compiling():
        return _why_not_traced(call)
    reason = why_not_here(x)
    if reason is not None:
        return reason
    for part in (x, *call.state, *(part for w in call.weights for part in w if part is not None)):
        if type(part) not in PLAIN:
            return f"the native kernels take plain tensors, not {type(part).__name__}"
        if part.dtype is not x.dtype or not part.is_cpu:
            return "a state or weight differs from the input in type or device"
    return None


def _why_not_traced(call: Call) -> str | None:
    """The reasons against one operator for each layer in a compiled or exported graph."""
    if _inside_transform_while_tracing():
        return "a transform is active, and the operator has no rule for it"
    if call.batch_sizes is not None or call.is_cell:
        return "packed batches and single steps are compiled and exported as equations"
    if call.x.dtype not in (torch.float32, torch.float64) or call.x.device.type != "cpu":
        return "the native kernels compute in float32 and float64 on the CPU"
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on, and the native kernels compute in the type they are given"
    if any(part.dtype != call.x.dtype for part in call.state):
        return "a state differs from the input in type"
    return None


_inside_transform_while_tracing = torch.compiler.assume_constant_result(inside_transform)
"""torch.compile enters the levels of a transform while it traces, so the answer is right at that moment."""


def why_not_here(x: Tensor) -> str | None:
    """The reasons in the input, and in what PyTorch is doing at this moment."""
    if inside_transform():
        return "a transform (vmap, jvp, torch.func.grad, ...) is active, and the native kernels have no rule for it"
    if torch._C._len_torch_dispatch_stack() or torch._C._get_tracing_state() is not None:
        return "a tracer or a dispatch mode is active, and it cannot look into the native kernels"
    if torch._C._is_any_autocast_enabled():
        return "autocast is on, and the native kernels compute in the type they are given"
    if x.dtype is not torch.float32 and x.dtype is not torch.float64:
        return f"the native kernels compute in float32 and float64, not {x.dtype}"
    if not x.is_cpu:
        return f"the native kernels run on the CPU, not on {x.device}"
    if x.layout is not torch.strided or x.is_neg():
        return "the native kernels take strided tensors whose values are in memory"
    return None
