"""The wider parts of the layer benchmark as tables: memory, recomputation, the grid, JAX's scan."""

from benchmarks import _layers_grid
from benchmarks._layers_cases import KINDS, MODES, Shape
from benchmarks._layers_table import Runs, show, table, under

LOWEST = 3
"""Of each kind and mode in the grid, so many rows at least."""


def memory(runs: Runs) -> str:
    rows = []
    for key, run in under(runs, "memory/").items():
        kind, name = key.split("/")
        peaks = " | ".join(f"{run[who][when]:.1f}" for when in ("first", "steps") for who in ("torch", "ours"))
        met = "met" if run["met"] else "missed"
        rows.append(f"{kind} | {Shape.named(name)} | {peaks} | {run['ratio']:.2f} | {met}")
    heads = "layer | (B, T, I, H) | torch.nn, MiB | ours, MiB | torch.nn, five steps | ours, five steps"
    heads += " | ours / torch.nn | at most 1"
    title = "### Peak memory of a training step, each in a fresh process, above layer and input"
    return "\n".join([title, "", *table(heads, rows)]) if rows else ""


def recompute(runs: Runs) -> str:
    rows = []
    for key, run in under(runs, "memory/").items():
        if "recompute" in run:
            kind, name = key.split("/")
            plain, thrifty = run["ours"]["first"], run["recompute"]["first"]
            peaks = f"{plain:.1f} | {thrifty:.1f} | {100 * (1 - thrifty / plain):.0f} %"
            usual_ms, ms = run["ours_ms"], run["recompute_ms"]
            times = f"{show(usual_ms)} | {show(ms)} | {ms / usual_ms:.2f}"
            rows.append(f"{kind} | {Shape.named(name)} | {peaks} | {times}")
    heads = "layer | (B, T, I, H) | peak, MiB | recompute=True, MiB | saved | ms | recompute=True, ms | time ratio"
    return "\n".join(["### Memory and time of recompute=True", "", *table(heads, rows)]) if rows else ""


def grid(runs: Runs) -> str:
    counts, rows = [], []
    for mode in MODES:
        for kind in KINDS:
            found = [run for key, run in runs.items() if key.startswith(f"grid/{mode}/{kind}/")]
            if not found:
                continue
            ratios = {name: ratio for run in found for name, ratio in _layers_grid.ratios(run).items()}
            times = {name: pair for run in found for name, pair in run["shapes"].items()}
            slower = [name for name, ratio in ratios.items() if ratio < 1.0]
            skipped = sum(len(run["skipped"]) for run in found)
            least = f"{min(ratios.values()):.2f}" if ratios else ""
            longest = max((Shape.named(name).steps for name in ratios), default=0)
            counts.append(f"{mode} | {kind} | {len(ratios)} | {skipped} | {longest} | {least} | {len(slower)}")
            for name in sorted(ratios, key=lambda n: ratios[n])[: max(LOWEST, len(slower))]:
                theirs, ours = (show(float(ms)) for ms in times[name].split())
                rows.append(f"{mode} | {kind} | {Shape.named(name)} | {theirs} | {ours} | {ratios[name]:.2f}")
    if not counts:
        return ""
    first = table("mode | layer | shapes | left out | longest T measured | lowest ratio | slower than torch.nn", counts)
    second = table("mode | layer | (B, T, I, H) | torch.nn, ms | ours, ms | ratio", rows)
    words = f"Every shape where ours is slower, and of each layer and mode at least the {LOWEST} lowest ratios:"
    return "\n".join(["### A wider grid", "", *first, "", words, "", *second])


def jax_scan(runs: Runs) -> str:
    rows, slower, compared = [], [], 0
    for mode in MODES:
        for key, run in under(runs, f"jax/{mode}/").items():
            kind, name = key.split("/")
            shape = Shape.named(name)
            times = " | ".join(show(run[who]) for who in ("jax_ms", "torch_ms", "ours_ms"))
            rows.append(f"{mode} | {kind} | {shape} | {times} | {run['ratio']:.2f}")
            if run["torch_ms"] > 1.0:
                compared += 1
                slower += [f"{mode} {kind} {shape}"] * (run["ratio"] < 1.0)
    if not rows:
        return ""
    words = f"Of {compared} cases where torch.nn takes over 1 ms, ours is slower than JAX's scan in {len(slower)}"
    words += f": {'; '.join(slower)}." if slower else "."
    heads = "mode | layer | (B, T, I, H) | JAX's scan, ms | torch.nn, ms | ours, ms | JAX's scan / ours"
    return "\n".join(["### JAX's scan", "", *table(heads, rows), "", words])
