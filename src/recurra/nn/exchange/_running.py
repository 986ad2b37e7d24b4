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
"""How far the two may be apart, times the largest number of a feature if that is above one: rounding adds up."""

_SCALES = (1.0, 0.1, 0.01, 0.0)
"""Of the random numbers: smaller ones are taken where one of the two overflows and the other does not."""


def check_against_onnxruntime(module: Module, drawn: Drawn) -> None:
    """Run both in evaluation with random numbers, at three sizes, and compare every output.

    Raises:
        ConfigError: if onnxruntime cannot run the export, it computes something else than the module, or it overflows
            where the module does not.
        MissingExtraError: if onnxruntime is not installed.
    """
    rng, run = np.random.default_rng(0), _session(drawn.proto)
    with _evaluating(module), torch.no_grad():
        for batch, time in _SIZES:
            if not any(_agree(module, drawn, run, rng, (batch, time, scale)) for scale in _SCALES):
                raise ConfigError(
                    f"the export overflows in onnxruntime where the model does not, with {batch} rows and {time} "
                    "steps of whatever numbers; a known cause is onnxruntime's softplus, infinite from 88 on; "
                    "check=False writes it nevertheless"
                )


def _agree(module: Module, drawn: Drawn, run: Any, rng: np.random.Generator, sizes: tuple[int, int, float]) -> bool:
    """Run both, one step after the other if the export is a single step, and compare every output.

    Args:
        module: what was exported.
        drawn: its export.
        run: of the export.
        rng: what the inputs are drawn from.
        sizes: batch, time, and the scale of the inputs.

    Returns:
        Whether they could be compared: False if one overflows where the other does not.

    Raises:
        ConfigError: if they differ.
    """
    flow, (batch, time, _) = drawn.flow, sizes
    names = ["output", *(f"{value.name}_n" for value, _ in flow.states)]
    given = {value.name: _random(rng, value, *sizes, flow.numbers) for value in drawn.inputs}
    for _ in range(time if flow.single_step else 1):
        expected, found = _expected(module, given, flow.single_step), run(names, given)
        if not all(map(_overflow_alike, expected, found)):
            return False
        for name, wanted, got in zip(names, expected, found, strict=True):
            _compare(f"{name} of {batch} rows and {time} steps", wanted, got)
        if flow.single_step:
            given |= {f"{name[:-2]}_0": part for name, part in zip(names[1:], found[1:], strict=True)}
    return True


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


def _random(rng: np.random.Generator, value: Value, batch: int, time: int, scale: float, numbers: int) -> Any:
    if value.name == "lengths":
        return np.array([time, *(k % (time + 1) for k in range(batch - 1))], np.int32)
    free: dict[Any, int] = {"batch": batch, "time": time}
    shape: list[Any] = [free.get(size, size) for size in value.shape]
    if value.dtype == np.int64:
        return rng.integers(numbers, size=shape)
    return (scale * rng.standard_normal(shape)).astype(value.dtype)


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


def _overflow_alike(wanted: Any, got: Any) -> bool:
    """Whether infinities and NaN stand at the same places."""
    if wanted.shape != got.shape:
        return True  # no matter of size
    finite = np.isfinite(wanted) & np.isfinite(got)
    return bool(np.all(finite | (wanted == got) | (np.isnan(wanted) & np.isnan(got))))


def _compare(what: str, wanted: Any, got: Any) -> None:
    """Compare the finite numbers, each beside the largest of its feature."""
    if wanted.shape != got.shape or wanted.dtype != got.dtype:
        raise ConfigError(
            f"the export gives {what} as {got.dtype} {got.shape}, the model {wanted.dtype} {wanted.shape}"
        )
    wanted, got = (np.where(np.isfinite(wanted), each, 0) for each in (wanted, got))
    largest = np.abs(wanted).max(tuple(range(wanted.ndim - 1)), initial=1.0)
    with np.errstate(over="ignore"):
        apart = np.abs(wanted - got)
    beyond = np.where(apart <= _NEAR[wanted.dtype.name] * largest, 0.0, apart)
    if beyond.any():
        raise ConfigError(
            f"the export's {what} are {beyond.max():.2g} from the model's; a hook, or a forward of one's own, is not "
            "exported"
        )
