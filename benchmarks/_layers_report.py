"""The layer benchmark's runs as tables in Markdown."""

from collections.abc import Mapping
from typing import Any

from benchmarks._bars import not_run
from benchmarks._layers_cases import KINDS, MODES, SHAPES, THREADS
from benchmarks._layers_options import options_table
from benchmarks._layers_report_wide import grid, jax_scan, memory, recompute
from benchmarks._layers_step import BARS as STEP_BARS
from benchmarks._layers_step import RATIO_BAR
from benchmarks._layers_table import Runs, show, table, under, verdict

MODE_TITLES = {"train": "Training, forward and backward", "infer": "Inference"}
PARTS = ("peak", *MODES, "ragged", "step", "options", "memory", "grid", "jax")
LARGE = SHAPES[-2:]
"""The shapes whose share of the peak is reported apart."""


def report(runs: Runs) -> str:
    """Every part that has been run."""
    texts = [_peak(runs), *(_mode(runs, mode) for mode in MODES), _share(runs), _ragged(runs), _step(runs)]
    texts += [options_table(runs)]
    texts += [memory(runs), recompute(runs), grid(runs), jax_scan(runs)]
    absent = [part for part in PARTS if runs and not any(f"{key}/".startswith(f"{part}/") for key in runs)]
    return "\n\n".join([text for text in texts if text] + not_run(absent)[1:])


def _peak(runs: Runs) -> str:
    if "peak" not in runs:
        return ""
    rates = " and ".join(
        f"{rate} GFLOP/s on {n} thread{'s' * (n != '1')}" for n, rate in runs["peak"]["gflops"].items()
    )
    return f"The machine's peak of fused multiply-adds in float32, measured ({runs['peak']['isa']}): {rates}."


def _mode(runs: Runs, mode: str) -> str:
    found = under(runs, f"{mode}/")
    if not found:
        return ""
    rows = []
    for kind in KINDS:
        for shape in SHAPES:
            run = found.get(f"{kind}/{shape.name}")
            if run:
                times = f"{show(run['torch_ms'])} | {show(run['ours_ms'])} | {run['ratio']:.2f} | {run['bar']:g}"
                share = f"{run['gflops']:.0f} | {100 * run['share_of_peak']:.0f} %"
                rows.append(f"{kind} | {shape} | {times} | {verdict(run)} | {share}")
    met = sum(run["met"] for run in found.values())
    heads = "layer | (B, T, I, H) | torch.nn, ms | ours, ms | ratio | bar | | GFLOP/s | share of peak"
    return "\n".join(
        [f"### {MODE_TITLES[mode]}, {THREADS} threads", "", *table(heads, rows), "", f"{met} of {len(found)} bars met."]
    )


def _share(runs: Runs) -> str:
    rows = []
    for kind in KINDS:
        for shape in LARGE:
            both = [runs.get(f"{mode}/{kind}/{shape.name}") for mode in ("infer", "train")]
            if all(both):
                shares = " | ".join(f"{100 * run['share_of_peak']:.0f} %" for run in both if run)
                rows.append(f"{kind} | {shape} | {shares}")
    heads = "layer | (B, T, I, H) | forward | training"
    return "\n".join(["### Share of the peak at the large shapes (aim: 80 %)", "", *table(heads, rows)]) if rows else ""


def _ragged(runs: Runs) -> str:
    found = under(runs, "ragged/")
    rows = [
        f"{kind} | {show(run['torch_ms'])} | {show(run['ours_ms'])} | {run['ratio']:.2f} | {run['bar']:g} | "
        f"{verdict(run)}"
        for kind, run in found.items()
    ]
    title = "### Training on ragged rows: B 32, lengths uniform in 1..100, I 16, H 64"
    return (
        "\n".join([title, "", *table("layer | packed torch.nn, ms | ours, ms | ratio | bar | ", rows)]) if rows else ""
    )


def _step_verdict(run: Mapping[str, Any]) -> str:
    if not run["met"]:
        return "missed"
    return "met" if run["tensor_ratio"] >= RATIO_BAR else "met; with tensors the ratio is short"


def _step(runs: Runs) -> str:
    rows = [
        f"{kind} | {run['numpy_us']:.2f} | {run['tensor_us']:.2f} | {run['torch_us']:.1f} | {run['ratio']:.1f} | "
        f"{run['tensor_ratio']:.1f} | {_step_verdict(run)}"
        for kind, run in under(runs, "step/").items()
    ]
    most_numpy, most_tensors = STEP_BARS["numpy_us"], STEP_BARS["tensor_us"]
    bars = f"Bars: {most_numpy:g} us with NumPy, {most_tensors:g} us with tensors, ratio {RATIO_BAR:g}."
    heads = "cell | NumPy, us | tensors, us | torch.nn's cell, us | ratio, NumPy | ratio, tensors | bars"
    title = "### One observation through the stepper: B 1, I 16, H 64, one thread"
    return "\n".join([title, "", *table(heads, rows), "", bars]) if rows else ""
