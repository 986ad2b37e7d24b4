"""A layer unrolled in time in plain PyTorch, every part of every step kept by its name."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from recurra.errors import ConfigError
from recurra.kernels import STATE_NAMES, Equations, Parts, State, Weights, as_lengths, zoned_out
from recurra.nn._reading import Lengths, read
from recurra.nn._recurrent import Recurrent, check_recurrent
from recurra.shapes import Bool, Float


@dataclass(frozen=True)
class Unrolled:
    """A layer's steps, time first.

    Attributes:
        x: [T, B, I], what the first layer read; zeros past a row's length.
        parts: "f_l0", "h_l1_reverse", ... -> T tensors [B, H or P]; past a row's length of no meaning. Where T is 0
            there is one, for its shape.
        output: [T, B, D*P], zeros past a row's length.
        state: parts [L*D, B, ...] after each row's last valid step.
        lengths: [B], the steps of each row.
        ragged: whether some may be shorter than T.
        batched: whether the input had a dimension for rows.
    """

    x: Tensor
    parts: dict[str, list[Tensor]]
    output: Tensor
    state: State
    lengths: Tensor
    ragged: bool
    batched: bool

    @property
    def valid(self) -> Bool[Tensor, "time batch 1"]:
        """True where a row has a step."""
        return _valid(self.lengths, self.x.shape[0])


def unroll(
    layer: Recurrent, x: Tensor | PackedSequence, state: Tensor | State | None, lengths: Lengths | None
) -> Unrolled:
    """Run a layer by its equations, without dropout and without autocast.

    Raises:
        ShapeError, DtypeError, DeviceError: as the layer.
        ConfigError: if the layer is of another kind, or lengths come with a PackedSequence.
    """
    check_recurrent(layer)
    equations: Equations = layer._kernel.equations(layer._options.kernel)
    weights = layer._weights()
    inputs, before, lengths, batched = _read(layer, x, state, lengths, weights[0].w_ih.dtype)
    steps, rows = inputs.shape[:2]
    count = torch.full((rows,), steps, device=inputs.device) if lengths is None else lengths
    valid = None if lengths is None else _valid(lengths, steps)
    y = inputs = inputs if valid is None else torch.where(valid, inputs, 0.0)
    parts: dict[str, list[Tensor]] = {}
    finals: list[State] = []
    directions = 2 if layer.bidirectional else 1
    with torch.autocast(inputs.device.type, enabled=False):
        for k in range(layer.num_layers):
            halves = []
            for d in range(directions):
                at = k * directions + d
                first = tuple(part[at] for part in before)
                reverse = (d == 1) != layer._options.kernel.reverse
                half, after, taken = _scan(equations, y, first, weights[at], valid, reverse, layer._options.zoneout)
                parts |= {f"{name}_l{k}{'_reverse' if d else ''}": part for name, part in taken.items()}
                halves.append(half)
                finals.append(after)
            y = torch.cat(halves, -1)
    last = tuple(torch.stack(part) for part in zip(*finals, strict=True))
    return Unrolled(inputs, parts, y, last, count, valid is not None, batched)


def _read(
    layer: Recurrent,
    x: Tensor | PackedSequence,
    state: Tensor | State | None,
    lengths: Lengths | None,
    dtype: torch.dtype,
) -> tuple[Tensor, State, Tensor | None, bool]:
    """Input [T, B, I], state and lengths, and whether there were rows; refused where they do not fit the layer."""
    if isinstance(x, PackedSequence):
        if lengths is not None:
            raise ConfigError("a PackedSequence knows its lengths; hand in either lengths= or a PackedSequence")
        x, lengths = pad_packed_sequence(x, layer.batch_first)
    layer.explain_backend(x, state, lengths=lengths)  # says what does not fit in the layer's words
    r = read(x, (state,) if isinstance(state, Tensor) else state, lengths, layer._expected())
    inputs = (r.x.transpose(0, 1) if layer.batch_first else r.x).to(dtype)
    steps, rows = inputs.shape[:2]
    count = None if r.lengths is None else as_lengths(r.lengths, rows, steps, inputs.device)
    return inputs, tuple(part.to(dtype) for part in r.state), count, r.batched


def _scan(
    equations: Equations,
    x: Float[Tensor, "time batch input"],
    state: State,
    w: Weights,
    valid: Bool[Tensor, "time batch 1"] | None,
    reverse: bool,
    zoneout: tuple[float, ...],
) -> tuple[Tensor, State, dict[str, list[Tensor]]]:
    """One layer in one direction: outputs, the last state, and the parts of every step in the order of time."""
    names = STATE_NAMES[: len(state)]
    X_W = equations.project(x, w)
    taken: list[Parts] = []
    outputs: list[Tensor] = []

    def step(a: Tensor, before: State) -> Parts:
        parts = equations.step(a, before, w, before[0])
        if zoneout:
            after = zoned_out(zoneout, before, [parts[name] for name in names])
            parts |= zip(names, after, strict=True)
        return parts

    order = range(x.shape[0])
    for t in reversed(order) if reverse else order:
        parts = step(X_W[t], state)
        taken.append(parts)
        after = tuple(parts[name] for name in names)
        if valid is None:
            state = after
            outputs.append(after[0])
        else:
            state = tuple(torch.where(valid[t], new, old) for new, old in zip(after, state, strict=True))
            outputs.append(torch.where(valid[t], after[0], 0.0))
    if reverse:
        taken.reverse()
        outputs.reverse()
    if not taken:
        imagined = step(X_W.new_zeros(X_W.shape[1:]), state)
        return state[0].new_zeros((0, *state[0].shape)), state, {name: [part] for name, part in imagined.items()}
    return torch.stack(outputs), state, {name: [parts[name] for parts in taken] for name in taken[0]}


def _valid(lengths: Tensor, steps: int) -> Bool[Tensor, "time batch 1"]:
    return (torch.arange(steps, device=lengths.device)[:, None] < lengths)[..., None]
