"""Recurra beside NeuralForecast on the same data, and how fast and lean single answers and millions of them are.

python -m benchmarks.rivals [--part P] [--seed S] [--again] [--report]

Parts: gru, lstm (ETTh1, both libraries strictly in turn; `make rivals` installs NeuralForecast into an environment of
its own), off (the linear rule that our networks correct, by itself), latency (one prediction, one streamed row),
million (a million one-step predictions). A quiet machine is needed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._bars import met, not_run
from benchmarks._record import ROOT, Record
from benchmarks._rivals_data import CONTEXT, HORIZON, TRAIN, VALIDATION, Rivals, load_rivals

PYTHON = ROOT.parent / ".venvs" / "neuralforecast" / "bin" / "python"
SEEDS = (0, 1, 2, 3, 4)
STEPS, EPOCHS, THREADS = 500, 10, 2
CELLS = ("gru", "lstm")
SIDES = {"neuralforecast": "NeuralForecast", "recurra": "Recurra"}
PARTS = (*CELLS, "off", "latency", "million")
BARS = {"fit": 4.0, "predict": 5.0, "one prediction, ms": 2.0, "streamed update, us": 200.0, "peak, MB": 2000.0}
SETTINGS: dict[str, Any] = {
    "horizon": HORIZON,
    "context": CONTEXT,
    "hidden_size": 64,
    "residual": "linear",
    "quantiles": (0.5,),
    "calendar": (),
    "max_epochs": EPOCHS,
    "patience": EPOCHS,
    "batch_size": 8,
    "keep": "trained",
}
PROTOCOL = (
    "ETTh1, seven columns as seven series, standardised by the first 12 months, on which both learn; 336 hours are "
    "seen and 96 forecast, from an origin every 24 hours of months 17 to 20; a call predicts all seven series from "
    "the 336 hours before one origin. One recurrent layer of 64, 500 gradient steps, absolute error as loss, two "
    "threads; NeuralForecast in its other settings as they come (128 windows a step, one forecast each; no "
    "validation), Recurra with 8 windows a step, up to 256 forecasts each, no calendar, as NeuralForecast has none, "
    "and months 13 to 16 to choose its best weights, whose time counts. Each in a process of its own, "
    "one after the other; the times begin after the imports. 'Recurrent part off' is the linear map of the latest "
    "hours that our networks correct, as the learner fits it, with its number of weights. All origins at once: each "
    "library's own way for many origins; theirs cross_validation with the fitted model, a window every 24 hours; ours "
    "one pass over the table (hindcast), which forecasts at every hour, so 24 times as many. Latency: the median of "
    "calls after a warm-up."
)


def run_cell(data: Rivals, cell: str, seed: int) -> dict[str, Any]:
    """Both libraries, one after the other, on the same origins."""
    if not PYTHON.exists():
        raise SystemExit("NeuralForecast is not installed: make rivals")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.npz"
        ds = data.table.ds[: len(data.table) // data.table.n_series]
        whole = {"values": data.values, "ds": ds, "train": TRAIN, "origins": data.origins}
        np.savez(path, **whole, context=CONTEXT, horizon=HORIZON)
        numbers = [cell, str(STEPS), str(seed), str(THREADS)]
        theirs = _answer([str(PYTHON), str(ROOT / "_rivals_neuralforecast.py"), str(path), *numbers])
    ours = _answer([sys.executable, "-m", "benchmarks._rivals_recurra", cell, str(seed), str(THREADS)])
    return {"neuralforecast": _told(theirs), "recurra": _told(ours)}


def _answer(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT.parent)
    if done.returncode:
        raise RuntimeError(f"{command[1:4]} ended with code {done.returncode}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    errors = np.array(answer["mse"])
    return {
        "fit_s": round(answer["fit_s"], 2),
        "predict_ms": round(1e3 * float(np.median(answer["predict_s"])), 3),
        "mse": round(float(errors.mean()), 4),
        "parameters": answer["parameters"],
        "steps": answer["steps"],
        "all_s": round(answer["all_s"], 3),
        "all_mse": round(answer["all_mse"], 4),
        "by_origin": " ".join(f"{value:.4g}" for value in errors.mean(axis=1)),
    }


def run_off() -> dict[str, Any]:
    """The linear rule by itself, in a process of its own."""
    return _answer([sys.executable, "-m", "benchmarks._rivals_recurra", "off", "0", str(THREADS)])


def run_latency() -> dict[str, Any]:
    """One series: a prediction from 336 hours, and one streamed row with its forecast."""
    import pandas as pd
    import torch

    from recurra import Forecaster

    torch.set_num_threads(1)
    data = load_rivals()
    oil = data.table.select(np.array([data.table.n_series - 1]))
    frame = pd.DataFrame({"ds": oil.ds, "y": oil.y})
    model = Forecaster(horizon=24, unique_id=None, max_epochs=1, residual="season_mean").fit(frame.iloc[:TRAIN])
    window = frame.iloc[VALIDATION - CONTEXT : VALIDATION]
    table = model._known_table(window)
    figures = {
        "one prediction, ms": 1e3 * _median_s(lambda: model.predict(window)),
        "one prediction from a table read before, ms": 1e3 * _median_s(lambda: model.forecasts(table)),
    }
    stream = model.stream(window)
    rows = [{"ds": ds.to_pydatetime(), "y": float(y)} for ds, y in zip(frame.ds, frame.y, strict=True)][VALIDATION:]
    coming = iter(rows)
    figures["streamed update, us"] = 1e6 * _median_s(lambda: stream.update(next(coming)), 2000)
    return {name: round(value, 3) for name, value in figures.items()} | {"horizon": 24, "hidden_size": 32}


def _median_s(call: Callable[[], Any], times: int = 300) -> float:
    for _ in range(20):
        call()
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds))


def run_million() -> dict[str, Any]:
    """In a process of its own, whose peak memory is its own."""
    return _answer([sys.executable, "-m", "benchmarks._rivals_million"])


def report(runs: Mapping[str, Any]) -> str:
    """Times and errors side by side, and what single answers and a million cost."""
    lines = [
        "| | fit, s | one origin, ms | all origins at once, s | MSE | parameters | gradient steps | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    words = []
    for cell in CELLS:
        own = [run for key, run in runs.items() if key.startswith(f"{cell}/")]
        if own:
            middle = {side: _middle([run[side] for run in own]) for side in SIDES}
            lines += [_row(f"{title} {cell.upper()}", middle[side], len(own)) for side, title in SIDES.items()]
            words.append(
                f"{cell.upper()}, {len(own)} seed(s): {_compared(middle['neuralforecast'], middle['recurra'])}."
            )
    if "off" in runs:
        off = runs["off"]
        lines.append(f"| Recurra, recurrent part off | | | | {off['mse']:.3f} | {off['parameters']:,} | 0 | - |")
    lines = [*lines, "", *words] if words or "off" in runs else []
    for key in ("latency", "million"):
        if key in runs:
            run = runs[key]
            told = [
                f"{n} {run[n]:g}{_bar(n, run[n])}" for n in run if isinstance(run[n], int | float) and n != "seconds"
            ]
            lines += ["", f"{key.capitalize()}: {'; '.join(told)}."]
    return "\n".join([*lines, *not_run(part for part in PARTS if not any(key.split("/")[0] == part for key in runs))])


def _middle(runs: list[Any]) -> dict[str, float]:
    """The medians over seeds of what every one of them holds: the first runs held less."""
    fields = ("fit_s", "predict_ms", "all_s", "mse", "parameters", "steps")
    return {field: float(np.median([run[field] for run in runs])) for field in fields if all(field in r for r in runs)}


def _row(title: str, m: Mapping[str, float], seeds: int) -> str:
    once, steps = (f"{m[field]:{form}}" if field in m else "" for field, form in (("all_s", ".2f"), ("steps", ".0f")))
    times = f"{m['fit_s']:.1f} | {m['predict_ms']:.1f} | {once}"
    return f"| {title} | {times} | {m['mse']:.3f} | {m['parameters']:,.0f} | {steps} | {seeds} |"


def _compared(theirs: Mapping[str, float], ours: Mapping[str, float]) -> str:
    """The ratios with their bars; that of all origins at once stands beside the bar of a single call."""
    ratios = {"fit": theirs["fit_s"] / ours["fit_s"], "predict": theirs["predict_ms"] / ours["predict_ms"]}
    told = [f"{n} {r:.1f} times faster (bar {BARS[n]:g}: {met(r >= BARS[n])})" for n, r in ratios.items()]
    if "all_s" in theirs and "all_s" in ours:
        told.append(f"all origins at once {theirs['all_s'] / ours['all_s']:.1f} times faster")
    lower = f"MSE {ours['mse']:.3f} against {theirs['mse']:.3f} (lower: {met(ours['mse'] < theirs['mse'])})"
    return ", ".join([*told, lower])


def _bar(name: str, value: float) -> str:
    return f" (bar {BARS[name]:g}: {met(value <= BARS[name])})" if name in BARS else ""


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--again", action="store_true", help="run what is there already")
    parser.add_argument("--report", action="store_true", help="only print the tables of the runs that are there")
    arguments = parser.parse_args()
    record = Record("rivals", PROTOCOL)
    if not arguments.report:
        data = load_rivals()
        alone = {"off": run_off, "latency": run_latency, "million": run_million}
        for part in PARTS if arguments.part == "all" else [arguments.part]:
            if part in alone:
                record.run(part, alone[part], again=arguments.again)
                continue
            for seed in SEEDS if arguments.seed is None else [arguments.seed]:
                run = record.run(
                    f"{part}/{seed}",
                    lambda p=part, s=seed: run_cell(data, p, s),
                    again=arguments.again,
                    seed=seed,
                )
                print(
                    f"{part}/{seed}: theirs {_brief(run['neuralforecast'])}; ours {_brief(run['recurra'])}", flush=True
                )
    print(record.told(report))


def _brief(side: Mapping[str, Any]) -> str:
    return f"fit {side['fit_s']} s, predict {side['predict_ms']} ms, MSE {side['mse']}"


if __name__ == "__main__":
    main()
