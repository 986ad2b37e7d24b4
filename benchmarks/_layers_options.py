"""Layers with options beside torch.nn's plain layer of the same sizes, which has none, and beside the equations."""

import copy
from typing import Any

import torch

import recurra.nn
from benchmarks._layers_cases import MODES, THREADS, Options, Shape, call
from benchmarks._layers_check import compare, results
from benchmarks._layers_table import Runs, show, table, verdict
from benchmarks._layers_timing import in_turn
from benchmarks._record import Record
from recurra.nn import Activation

SHAPES = (Shape(1, 100, 16, 64), Shape(32, 100, 64, 128))
LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "peephole": ("LSTM", {"peephole": True}),
    "coupling": ("LSTM", {"coupling": "input"}),
    "clips": ("LSTM", {"clip": 3.0, "cell_clip": 2.0}),
    "layer norm ba": ("LSTM", {"layer_norm": "ba"}),
    "layer norm fastrnns": ("LSTM", {"layer_norm": "fastrnns"}),
    "layer norm tflite": ("LSTM", {"layer_norm": "tflite"}),
    "gates hard sigmoid": ("LSTM", {"gate_activation": "hard_sigmoid"}),
    "softplus and elu": ("LSTM", {"cell_activation": "softplus", "output_activation": Activation("elu", 0.5)}),
    "zoneout and recurrent dropout": ("LSTM", {"zoneout": 0.1, "recurrent_dropout": 0.2}),
    "reverse": ("LSTM", {"reverse": True}),
    "GRU, clip": ("GRU", {"clip": 3.0}),
    "GRU, reset before, zoneout": ("GRU", {"reset_after": False, "zoneout": 0.1}),
    "RNN, clip": ("RNN", {"clip": 3.0}),
}
BAR = 1.0


def with_options(record: Record, options: Options) -> None:
    """Each option, training and inference, at two shapes."""
    for shape in SHAPES:
        for name, (kind, own) in LAYERS.items():
            for mode in MODES if kind in options.kinds else ():
                key = f"options/{mode}/{name}/{shape.name}"
                figures = record.run(
                    key,
                    lambda m=mode, k=kind, o=own, s=shape: compared(m, k, o, s, options.budget_s),
                    again=options.again,
                    kind=kind,
                    mode=mode,
                )
                print(
                    f"{key}: torch.nn's plain layer {figures['torch_ms']:.3f} ms, ours {figures['ours_ms']:.3f} ms "
                    f"({figures['backend']}), the equations {figures['equations_ms']:.1f} ms",
                    flush=True,
                )


def compared(mode: str, kind: str, own: dict[str, Any], shape: Shape, budget_s: float) -> dict[str, Any]:
    """Check against the equations in float64, in evaluation where nothing is random, then time.

    A layer normalisation is checked in float64: over a hundred steps it makes so much of rounding that the equations in
    float32 miss the bounds as well.

    Args:
        mode: "train" or "infer".
        kind: LSTM, GRU or RNN.
        own: the options.
        shape: sizes.
        budget_s: of the comparison.

    Raises:
        WrongKernelError: if ours does not compute what the equations compute.
    """
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    sizes = shape.inputs, shape.hidden
    theirs = getattr(torch.nn, kind)(*sizes, batch_first=True)
    ours = getattr(recurra.nn, kind)(*sizes, batch_first=True, **own)
    slow = getattr(recurra.nn, kind)(*sizes, batch_first=True, backend="reference", **own)
    slow.load_state_dict(ours.state_dict())
    x = torch.randn(shape.batch, shape.steps, shape.inputs)
    truth = results(slow.double().eval(), x.double(), mode, to_input=True)
    checked, seen = ours, x
    if "layer_norm" in own:
        checked, seen = copy.deepcopy(ours).double(), x.double()
    errors = compare(f"{mode} {kind} {own}", results(checked.eval(), seen, mode, to_input=True), truth)
    slow.float()
    for layer in (ours, slow):
        layer.train(mode == "train")
    backend = ours.explain_backend(x).name
    theirs_ms, ours_ms = in_turn(call(mode, theirs, x), call(mode, ours, x), budget_s=budget_s)
    (equations_ms,) = in_turn(call(mode, slow, x), budget_s=0.0, least=3)
    ratio = theirs_ms / ours_ms
    return {
        **{"torch_ms": theirs_ms, "ours_ms": ours_ms, "equations_ms": equations_ms},
        **{"ratio": round(ratio, 3), "bar": BAR, "met": ratio >= BAR, "backend": backend},
        **errors,
    }


def options_table(runs: Runs) -> str:
    """What has been run, the modes side by side."""
    rows = []
    for shape in SHAPES:
        for name, (kind, _) in LAYERS.items():
            both = [runs.get(f"options/{mode}/{name}/{shape.name}") for mode in MODES]
            if all(both):
                times = " | ".join(
                    f"{show(run['torch_ms'])} | {show(run['ours_ms'])} | {show(run['equations_ms'])} | "
                    f"{run['ratio']:.2f}, {verdict(run)}"
                    for run in both
                    if run
                )
                rows.append(f"{name if kind in name else f'{kind}, {name}'} | {shape} | {times}")
    heads = "layer | (B, T, I, H) | training: torch.nn's plain layer, ms | ours, ms | the equations, ms | ratio"
    heads += " | inference: torch.nn's plain layer, ms | ours, ms | the equations, ms | ratio"
    title = f"### Layers with options, {THREADS} threads (bar: no slower than torch.nn's plain layer)"
    return "\n".join([title, "", *table(heads, rows)]) if rows else ""
