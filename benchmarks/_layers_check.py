"""No kernel is timed that is wrong: outputs, states and gradients against torch.nn in float64."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

OUTPUT, GRADIENT = 2e-6, 2e-5
"""The largest norm(a - b) / norm(b) of an output or state, and of a gradient, in float32."""


class WrongKernelError(RuntimeError):
    """A kernel that would have been timed does not compute what torch.nn computes."""


def results(
    layer: torch.nn.Module, x: Tensor, mode: str, lengths: Tensor | None = None, *, to_input: bool = False
) -> dict[str, Tensor]:
    """What a layer gives: output, last states and, for mode "train", the gradients of the sum of its outputs.

    Args:
        layer: of torch.nn or ours, batch first.
        x: [B, T, I].
        mode: "train" or "infer".
        lengths: [B], valid steps of each row.
        to_input: whether the input's gradient is among them.
    """
    training = mode == "train"
    layer.zero_grad(set_to_none=True)
    x = x.detach().requires_grad_(training and to_input)
    with torch.set_grad_enabled(training):
        y, state = run(layer, x, lengths)
    if training:
        y.sum().backward()
    found = {"output": y.detach()}
    parts = state if isinstance(state, tuple) else (state,)
    found |= {f"state {i}": part.detach() for i, part in enumerate(parts)}
    if training:
        found |= {f"gradient of {name}": p.grad for name, p in layer.named_parameters() if p.grad is not None}
    if x.grad is not None:
        found["gradient of the input"] = x.grad
    layer.zero_grad(set_to_none=True)
    return found


def run(layer: torch.nn.Module, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | tuple[Tensor, ...]]:
    """One call; torch.nn takes ragged rows packed, ours takes their lengths."""
    if lengths is None:
        y, state = layer(x)
    elif isinstance(layer, torch.nn.RNNBase):
        y, state = layer(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        y, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
    else:
        y, state = layer(x, lengths=lengths)
    return y, state


def compare(case: str, found: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> dict[str, float]:
    """Hold results against the truth, by name.

    Returns:
        The largest error of the outputs and states, "error", and of the gradients, "gradient_error" (if any).

    Raises:
        WrongKernelError: if one is missing, of another shape, or off by more than its bound; names case and result.
    """
    if found.keys() != truth.keys():
        raise WrongKernelError(f"{case}: expected {sorted(truth)}, got {sorted(found)}")
    worst: dict[str, float] = {}
    for name, right in truth.items():
        if found[name].shape != right.shape:
            raise WrongKernelError(f"{case}: {name} is {list(found[name].shape)}, not {list(right.shape)}")
        error = difference(found[name], right)
        is_gradient = name.startswith("gradient")
        bound, place = (GRADIENT, "gradient_error") if is_gradient else (OUTPUT, "error")
        if not error <= bound:
            raise WrongKernelError(f"{case}: {name} is off by {error:.1e}, allowed is {bound:.0e}")
        worst[place] = max(worst.get(place, 0.0), error)
    return {place: float(f"{error:.2g}") for place, error in worst.items()}


def difference(a: Tensor, b: Tensor) -> float:
    """norm(a - b) / norm(b) in float64; norm(a) where b is zero."""
    right = b.double()
    norm = float(right.norm())
    return float((a.double() - right).norm()) / (norm or 1.0)


def check(
    case: str, theirs: torch.nn.RNNBase, ours: torch.nn.Module, x: Tensor, mode: str, lengths: Tensor | None = None
) -> dict[str, float]:
    """Hold our layer against torch.nn's in float64: the very call that is timed, and the one with the input's gradient.

    Raises:
        WrongKernelError: as `compare`.
    """
    truth = results(copy.deepcopy(theirs).double(), x.double(), mode, lengths, to_input=True)
    worst = compare(case, results(ours, x, mode, lengths, to_input=True), truth)
    truth.pop("gradient of the input", None)
    timed = compare(case, results(ours, x, mode, lengths), truth)
    return {place: max(error, timed[place]) for place, error in worst.items()}
