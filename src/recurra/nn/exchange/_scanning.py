"""A layer drawn as ONNX Scan operators over its own step: for options that the operators RNN, LSTM and GRU lack."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.kernels import Weights
from recurra.nn._recurrent import Recurrent
from recurra.nn.exchange._arrays import as_array, kind_of
from recurra.nn.exchange._drawing import Drawing, Value
from recurra.nn.exchange._steps import Step


def needs_scan(layer: Any) -> bool:
    """Whether a layer has an option that the ONNX operators lack and a Scan has not."""
    options = layer._options.kernel
    beyond = (options.cell_clip, options.projection_clip, options.layer_norm)
    return bool(
        layer._options.zoneout
        or layer.proj_size
        or options.coupling == "forget"
        or any(value is not None for value in beyond)
    )


def draw_scans(
    drawing: Drawing, layer: Recurrent, x: str, states: Sequence[str], lengths: str
) -> tuple[str, list[str]]:
    """Draw every layer and direction, one Scan each.

    Args:
        drawing: what to draw into.
        layer: an RNN, LSTM or GRU.
        x: [T, B, I].
        states: parts [L*D, B, width].
        lengths: [B], or "" if all steps are valid.

    Returns:
        The outputs [T, B, D*P] and the parts of the last state [L*D, B, width].

    Raises:
        ConfigError: for an activation that is not of ONNX's list.
    """
    directions = 2 if layer.bidirectional else 1
    valid = [_valid(drawing, x, lengths)] if lengths else []
    after: list[list[str]] = [[] for _ in states]
    for k in range(layer.num_layers):
        halves = []
        for d in range(directions):
            at = k * directions + d
            backwards = int((d == 1) != layer._options.kernel.reverse)
            before = [drawing.add("Gather", state, drawing.put(f"at_{at}", np.int64(at)), axis=0) for state in states]
            found = drawing.add_many(
                "Scan",
                [*before, x, *valid],
                len(states) + 1,
                f"{kind_of(layer)}_l{k}" + ("_reverse" if d else ""),
                body=_body(layer, at, f"{drawing.scope}step{at}_", bool(valid)),
                num_scan_inputs=1 + len(valid),
                scan_input_directions=[backwards] * (1 + len(valid)),
                scan_output_directions=[backwards],
            )
            halves.append(found[-1])
            for kept, part in zip(after, found, strict=False):
                kept.append(drawing.add("Unsqueeze", part, drawing.whole_numbers(0)))
        x = halves[0] if directions == 1 else drawing.add("Concat", *halves, axis=-1)
    return x, [each[0] if len(each) == 1 else drawing.add("Concat", *each, axis=0) for each in after]


def _valid(drawing: Drawing, x: str, lengths: str) -> str:
    """[T, B, 1], true where a row has a step."""
    steps = drawing.add("Gather", drawing.add("Shape", x), drawing.put("first_axis", np.int64(0)))
    time = drawing.add("Range", drawing.put("zero", np.int64(0)), steps, drawing.put("one_step", np.int64(1)))
    count = drawing.add("Unsqueeze", drawing.add("Cast", lengths, to=7), drawing.whole_numbers(0))
    before_end = drawing.add("Less", drawing.add("Unsqueeze", time, drawing.whole_numbers(1)), count)
    return drawing.add("Unsqueeze", before_end, drawing.whole_numbers(2))


def _body(layer: Recurrent, at: int, prefix: str, ragged: bool) -> Any:
    """One step as a graph: the state before, x_t and whether it is valid -> the state after and the output."""
    weights = layer._weights()[at]
    body = Drawing(prefix)
    arrays = Weights(*(None if part is None else as_array(part) for part in weights))  # type: ignore[arg-type]
    step = Step(body, prefix, arrays, layer._options.kernel, layer._mode.lower())
    names = [f"{prefix}{part}" for part in ("h", "c")[: len(layer._state_widths)]]
    x, valid = f"{prefix}x", f"{prefix}valid"
    after = step.draw(x, names)
    if layer._options.zoneout:
        shares = layer._options.zoneout
        after = [step.kept(p, name[-1], *pair) for p, name, *pair in zip(shares, names, names, after, strict=True)]
    y = after[0]
    if ragged:
        y = body.add("Where", valid, y, step.fixed("zero", 0))
        after = [body.add("Where", valid, new, old) for new, old in zip(after, names, strict=True)]
    made = [body.add("Identity", value) for value in (*after, y)]
    kept = [[None, width] for width in layer._state_widths]
    dtype, inputs = step.dtype, arrays.w_ih.shape[1]
    given = [Value(name, dtype, shape) for name, shape in zip(names, kept, strict=True)]
    given += [Value(x, dtype, [None, inputs])] + ([Value(valid, np.bool_, [None, 1])] if ragged else [])
    return body.graph(f"{prefix}body", given, [Value(m, dtype, s) for m, s in zip(made, [*kept, kept[0]], strict=True)])
