"""A wider grid of shapes: is ours slower than torch.nn anywhere?

H and B and T go through all their values; I goes round 1, 16 and H from one shape to the next, so that each value of
I meets each of the others. A shape for which a call of torch.nn would take over a cap is left out and named: its time
is foretold from its first ten steps. What comes out slower is measured again with a larger budget, and that counts.
"""

from typing import Any

import torch

from benchmarks._layers_cases import MODES, THREADS, Layers, Options, Shape, call, layers
from benchmarks._layers_check import check
from benchmarks._layers_timing import in_turn, roughly
from benchmarks._record import Record

HIDDEN = (8, 16, 33, 50, 64, 100, 128, 200, 256, 512, 1024)
BATCH = (1, 2, 4, 8, 32, 64, 256)
STEPS = (1, 10, 100, 1000)
FORETOLD_FROM = 10
QUICK_SHARE, QUICK_LEAST = 0.1, 5
"""Of a first measurement: its share of the budget, and its least number of turns."""
AGAIN_TIMES = 2.0
"""The budget of a second measurement, in budgets."""


def shapes_of(hidden: int) -> list[Shape]:
    """The shapes of one H: every B and T, with one I each."""
    first = HIDDEN.index(hidden)
    inputs = (1, 16, hidden)
    return [
        Shape(b, t, inputs[(first + i + j) % len(inputs)], hidden)
        for i, b in enumerate(BATCH)
        for j, t in enumerate(STEPS)
    ]


def grid(record: Record, options: Options) -> None:
    """One run for each kind, mode and H."""
    for kind in options.kinds:
        for mode in MODES:
            for hidden in HIDDEN:
                key = f"grid/{mode}/{kind}/{hidden}"
                figures = record.run(
                    key,
                    lambda k=kind, m=mode, h=hidden: measured(m, k, h, options),
                    again=options.again,
                    kind=kind,
                    mode=mode,
                    hidden=hidden,
                )
                print(line(key, figures), flush=True)


def measured(mode: str, kind: str, hidden: int, options: Options) -> dict[str, Any]:
    """Every shape of one H.

    Returns:
        "shapes", each with the times of torch.nn and of ours in milliseconds; "skipped" and "again", names of shapes.

    Raises:
        WrongKernelError: if ours does not compute what torch.nn computes.
    """
    torch.set_num_threads(THREADS)
    times: dict[str, str] = {}
    skipped, again, backends = [], [], set()
    for shape in shapes_of(hidden):
        both = layers(kind, shape)
        if foretold_s(mode, both, shape) > options.cap_s:
            skipped.append(shape.name)
            continue
        check(f"grid {mode} {kind} {shape}", both.torch, both.ours, both.x, mode)
        works = call(mode, both.torch, both.x), call(mode, both.ours, both.x)
        theirs_ms, ours_ms = in_turn(*works, budget_s=QUICK_SHARE * options.budget_s, least=QUICK_LEAST)
        if ours_ms >= theirs_ms:
            again.append(shape.name)
            theirs_ms, ours_ms = in_turn(*works, budget_s=AGAIN_TIMES * options.budget_s)
        times[shape.name] = f"{theirs_ms:.5g} {ours_ms:.5g}"
        backends.add(both.backend)
    return {"shapes": times, "skipped": skipped, "again": again, "backend": " ".join(sorted(backends))}


def foretold_s(mode: str, both: Layers, shape: Shape) -> float:
    """How long torch.nn will take, from its first steps: that much is measured, and scaled by the number of steps."""
    steps = min(shape.steps, FORETOLD_FROM)
    return roughly(call(mode, both.torch, both.x[:, :steps])) * shape.steps / steps


def ratios(figures: dict[str, Any]) -> dict[str, float]:
    """torch.nn's time over ours of each shape that was measured."""
    pairs = {name: tuple(map(float, times.split())) for name, times in figures["shapes"].items()}
    return {name: theirs / ours for name, (theirs, ours) in pairs.items()}


def line(key: str, figures: dict[str, Any]) -> str:
    """One H for whoever watches."""
    found = ratios(figures)
    slower = sum(ratio < 1.0 for ratio in found.values())
    lowest = f"lowest ratio {min(found.values()):.2f}" if found else "nothing measured"
    return f"{key}: {len(found)} shapes, {len(figures['skipped'])} skipped, {lowest}, {slower} slower than torch.nn"
