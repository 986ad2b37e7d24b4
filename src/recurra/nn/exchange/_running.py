"""An exported model held to the module it was written from: both run, at sizes that the export does not know."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from recurra.errors import ConfigError, MissingExtraError
from recurra.nn.chain import is_recurrent, parts_of, run_parts, step_parts
from recurra.nn.exchange._as_layers import kind_of_part
from recurra.nn.exchange._drawing import Value
from recurra.nn.exchange._whole import Drawn
from recurra.nn.loop import Bidirectional, Loop

_SIZES = ((1, 1), (4, 6), (3, 9))
"""Batch and time."""

_NEAR = {"float32": 1e-4, "float64": 1e-9}
"""How far the two may be apart, times the largest number if that is above one: what rounding adds up to."""

_OVERFLOWING, _EXPONENT = 1e30, 88.0
"""Where outputs grow larger a size is not compared: of two that overflow, one may do so earlier; and onnxruntime's
operators compute softplus(x) as log(1 + e^x), which is infinite from an x of 88 on."""


def check_against_onnxruntime(module: Module, drawn: Drawn) -> None:
    """Run both in evaluation with random numbers, at three sizes, and compare every output.

    Raises:
        ConfigError: if onnxruntime cannot run the export, or it computes something else than the module.
        MissingExtraError: if onnxruntime is not installed.
    """
    rng, flow = np.random.default_rng(0), drawn.flow
    run = _session(drawn.proto)
    names = ["output", *(f"{value.name}_n" for value, _ in flow.states)]
    with _evaluating(module), torch.no_grad():
        for batch, time in _SIZES:
            given = {value.name: _random(rng, value, batch, time, flow.numbers) for value in drawn.inputs}
            for _ in range(time if flow.single_step else 1):
                expected, found = _expected(module, given, flow.single_step), run(names, given)
                if any(_overflows(wanted, got) for wanted, got in zip(expected, found, strict=True)):
                    break
                for name, wanted, got in zip(names, expected, found, strict=True):
                    _compare(f"{name} of {batch} rows and {time} steps", wanted, got)
                given |= {
                    f"{name[:-2]}_0": part for name, part in zip(names[1:], found[1:], strict=True) if flow.single_step
                }


def _session(proto: Any) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(
            "the check of an export needs onnxruntime; install it with: pip install recurra[onnx], or say check=False"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"]).run
    except Exception as error:  # onnxruntime's own kinds of errors have no parent in common
        raise ConfigError(f"onnxruntime cannot run the export: {error}; float32 has most of its operators") from error


@contextmanager
def _evaluating(module: Module) -> Iterator[None]:
    trained = [each for each in module.modules() if each.training]
    module.eval()
    try:
        yield
    finally:
        for each in trained:
            each.training = True


def _random(rng: np.random.Generator, value: Value, batch: int, time: int, numbers: int) -> Any:
    if value.name == "lengths":
        return np.array([time, *(k % (time + 1) for k in range(batch - 1))], np.int32)
    free: dict[Any, int] = {"batch": batch, "time": time}
    shape: list[Any] = [free.get(size, size) for size in value.shape]
    if value.dtype == np.int64:
        return rng.integers(numbers, size=shape)
    return rng.standard_normal(shape).astype(value.dtype)


def _expected(module: Module, given: dict[str, Any], single_step: bool) -> list[Any]:
    """What the module computes, in the order of the export's outputs."""
    device = next(module.parameters()).device
    tensors = {name: torch.from_numpy(numbers).to(device) for name, numbers in given.items()}
    x, lengths = tensors.pop("x"), tensors.pop("lengths", None)
    recurrent = [part for _, part in parts_of(module) if is_recurrent(part)]
    parts = iter(tensors.values())
    state = tuple(_as_state(part, parts) for part in recurrent) if tensors else None
    if single_step:
        output, after = step_parts(module, x, state)
    else:
        output, after = run_parts(module, x, state, None if lengths is None else lengths.long())
    flat = [each for part, new in zip(recurrent, after, strict=True) for each in _as_parts(part, new)]
    return [each.cpu().numpy() for each in (output, *flat)]


def _as_state(part: Any, given: Iterator[Tensor]) -> Any:
    """The state that a part takes, of the parts [L*D, B, width] that an export takes."""
    if isinstance(part, Bidirectional):
        return _as_state(part.forward_layer, given), _as_state(part.backward_layer, given)
    parts = [next(given) for _ in range(2 if kind_of_part(part) == "LSTM" else 1)]
    if isinstance(part, Loop):
        parts = [each[0] for each in parts]
    return parts[0] if len(parts) == 1 else tuple(parts)


def _as_parts(part: Any, state: Any) -> Iterable[Tensor]:
    """The other way round."""
    if isinstance(part, Bidirectional):
        return [*_as_parts(part.forward_layer, state[0]), *_as_parts(part.backward_layer, state[1])]
    parts = (state,) if isinstance(state, Tensor) else state
    return [each[None] for each in parts] if isinstance(part, Loop) else parts


def _overflows(wanted: Any, got: Any) -> bool:
    if wanted.shape != got.shape or not wanted.size:
        return False
    return not np.abs(wanted).max() < _OVERFLOWING or bool((np.isinf(got) & (np.abs(wanted) > _EXPONENT)).any())


def _compare(what: str, wanted: Any, got: Any) -> None:
    if wanted.shape != got.shape or wanted.dtype != got.dtype:
        raise ConfigError(
            f"the export gives {what} as {got.dtype} {got.shape}, the model {wanted.dtype} {wanted.shape}"
        )
    if not wanted.size:
        return
    apart, largest = np.abs(wanted - got).max(), max(1.0, float(np.abs(wanted).max()))
    if not apart <= _NEAR[wanted.dtype.name] * largest:
        raise ConfigError(
            f"the export's {what} are {apart:.2g} from the model's; a hook, or a forward of one's own, is not exported"
        )
