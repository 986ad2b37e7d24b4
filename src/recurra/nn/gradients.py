"""How far a gradient reaches back in time: vanishing and exploding gradients as numbers."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra.kernels import STATE_NAMES, State
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent
from recurra.nn._unrolling import Unrolled, unroll


def gradient_norms(
    layer: Recurrent,
    x: Tensor | PackedSequence,
    state: Tensor | State | None = None,
    *,
    loss: Callable[[Tensor], Tensor] | None = None,
    lengths: Lengths | None = None,
) -> dict[str, Tensor]:
    """The norm of the gradient of a loss at the last step, by its distance in time.

    At distance k stands |dL/dx(t)|, |dL/dh(t)| or |dL/dc(t)| of the step t that lies k steps before the row's last one.
    dL/dh(t) and dL/dc(t) count every way from there to the loss; that of c(t) includes the way through h(t). Norms that
    fall with distance are vanishing gradients, norms that grow exploding ones. Of a layer with `reverse=True` the last
    step is the first in time, and distance goes forward.

    Args:
        layer: an RNN, LSTM or GRU, run as in evaluation.
        x: as the layer takes it.
        state: as the layer takes it; zeros if not given.
        loss: what is taken of the outputs [B, D*P] at each row's last valid step (in reverse at its first), a number or
            one for each row, the rows apart from each other; their sum if not given.
        lengths: [B], valid steps of each row; None if all are valid.

    Returns:
        "x", "h_l0", "h_l1_reverse", and of an LSTM "c_l0", ... -> [T, B], or [T] without rows, distance first whatever
        the layer's layout; NaN where a row has no step so far back.

    Raises:
        ShapeError, DtypeError, DeviceError, ConfigError: as `trace`.

    Source: Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, equation 5.

    >>> from recurra.nn import RNN
    >>> norms = gradient_norms(RNN(3, 5), torch.zeros(4, 2, 3))
    >>> norms["h_l0"].shape
    torch.Size([4, 2])
    """
    with torch.enable_grad():
        u = unroll(layer, _with_gradient(x), state, lengths)
        steps, rows = u.x.shape[:2]
        names = [name for name in u.parts if name.partition("_")[0] in STATE_NAMES]
        if not steps:
            return {name: _without_rows(u, u.x.new_zeros(0, rows)) for name in ("x", *names)}
        reverse = layer._options.kernel.reverse
        ends = torch.zeros_like(u.lengths) if reverse else (u.lengths - 1).clamp(min=0)
        last = u.output[ends, torch.arange(rows, device=u.x.device)]
        value = (last if loss is None else loss(last)).sum()
        sources = [u.x, *(part for name in names for part in u.parts[name])]
        found = torch.autograd.grad(value, sources, allow_unused=True)
    norms = [torch.zeros_like(s[..., 0]) if g is None else _norm(g) for s, g in zip(sources, found, strict=True)]
    by_time = {"x": norms[0]}
    for k, name in enumerate(names):
        by_time[name] = torch.stack(norms[1 + k * steps : 1 + (k + 1) * steps])
    return {name: _without_rows(u, _by_distance(part, u.lengths, reverse)) for name, part in by_time.items()}


def _with_gradient(x: Tensor | PackedSequence) -> Tensor | PackedSequence:
    """The same input as a leaf that takes gradients; what is no floating-point tensor is left to be refused."""
    if isinstance(x, PackedSequence):
        return x._replace(data=x.data.detach().requires_grad_())
    return x.detach().requires_grad_() if isinstance(x, Tensor) and x.is_floating_point() else x


def _norm(gradient: Tensor) -> Tensor:
    """Over the last dimension, squared in float64: the square of a vanishing float32 would be zero."""
    norm: Tensor = gradient.double().norm(dim=-1)
    return norm.to(gradient.dtype)


def _by_distance(norms: Tensor, lengths: Tensor, reverse: bool) -> Tensor:
    """[T, B] by time -> [T, B] by the distance from the step that each row ends with."""
    distance = torch.arange(norms.shape[0], device=norms.device)[:, None]
    t = distance.expand_as(norms) if reverse else lengths - 1 - distance
    return torch.where(distance < lengths, norms.gather(0, t.clamp(min=0)), torch.nan)


def _without_rows(u: Unrolled, norms: Tensor) -> Tensor:
    return norms if u.batched else norms[:, 0]
