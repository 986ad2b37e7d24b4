"""Synthetic sines of Géron's chapter 15: 10,000 short series of two waves and noise; one step and ten steps ahead.

python -m benchmarks.sines [--part P] [--seed S] [--report]

7,000 series to learn from, 2,000 to look at, 1,000 for the figures, MSE. Every network meets the test series for the
first time at scoring: their level and scale come from their own 50 steps.
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._bars import not_run
from benchmarks._record import Record
from recurra import Forecaster
from recurra.baselines import Naive
from recurra.data.columns import Columns
from recurra.data.series import SeriesTable

Array = npt.NDArray[np.float64]

STEPS, TRAINING, VALIDATION, TEST = 50, 7_000, 2_000, 1_000
HORIZONS = {"one step": 1, "ten steps": 10}
SEEDS = (0, 1, 2)
NETWORKS: dict[str, dict[str, Any]] = {
    "simple RNN": {"cell": "rnn"},
    "deep RNN": {"cell": "rnn", "num_layers": 3},
    "LSTM": {"cell": "lstm"},
    "GRU": {"cell": "gru"},
}
PUBLISHED = {
    "one step": "naive 0.020, linear 0.0042, RNN of one unit 0.0109, deep RNN 0.0026-0.0029",
    "ten steps": "naive 0.257, iterated RNN 0.0275, linear 0.0187, vector RNN 0.0085, LSTM 0.0086, GRU 0.0103, "
    "sequence-to-sequence 0.0058-0.0096",
}
PROTOCOL = (
    "0.5 sin((t - a)(10 f + 10)) + 0.2 sin((t - b)(20 g + 20)) + 0.1 (u - 0.5), t from 0 to 1 over the steps and the "
    "horizon, a, b, f, g, u uniform on (0, 1); 7,000 / 2,000 / 1,000 series of 50 steps; mean squared error of all "
    "steps ahead from the 50th step. Waves are drawn with seed 42 for every run; the seed of a run is the network's. "
    "Published figures: Géron, Hands-On Machine Learning, chapter 15 (2nd edition's notebook). "
    "Each network was trained for 1,250 steps of 64 windows, which is not to convergence for ten steps ahead."
)


def waves(n: int, steps: int, random: np.random.Generator) -> Array:
    """Géron's series, [n, steps]."""
    f, g, a, b = random.random((4, n, 1))
    t = np.linspace(0.0, 1.0, steps)
    series = 0.5 * np.sin((t - a) * (f * 10 + 10)) + 0.2 * np.sin((t - b) * (g * 20 + 20))
    return np.asarray(series + 0.1 * (random.random((n, steps)) - 0.5))


def as_table(series: Array, first_id: int) -> SeriesTable:
    """The series as a long table with whole numbers as time stamps."""
    n, steps = series.shape
    columns = {
        "unique_id": np.repeat(np.arange(first_id, first_id + n), steps),
        "ds": np.tile(np.arange(steps), n),
        "y": series.reshape(-1),
    }
    return SeriesTable.from_table(columns, columns=Columns(), freq="1")


def parts_of(horizon: int) -> tuple[Array, Array, Array]:
    """Training, validation and test series, each [n, 50 + horizon]."""
    series = waves(TRAINING + VALIDATION + TEST, STEPS + horizon, np.random.default_rng(42))
    return series[:TRAINING], series[TRAINING:-TEST], series[-TEST:]


def run_network(part: str, network: str, seed: int) -> dict[str, Any]:
    """Train one network and score it."""
    horizon = HORIZONS[part]
    training, validation, test = parts_of(horizon)
    model = Forecaster(
        horizon,
        context=STEPS,
        season=1,
        validation=horizon,
        residual="linear",
        dropout=0.0,
        max_epochs=25,
        hidden_size=64,
        batch_size=64,
        keep="trained",
        seed=seed,
        **NETWORKS[network],
    )
    model.fit(as_table(training, 0))
    figures = {
        "validation": _mse(model.forecasts(as_table(validation[:, :STEPS], 10_000)).mean, validation),
        "test": _mse(model.forecasts(as_table(test[:, :STEPS], 20_000)).mean, test),
    }
    return {**figures, "parameters": model.n_parameters_, "epochs": len(model.history_.epochs)}


def run_rules(part: str) -> dict[str, Any]:
    """Score the naive rule and plain least squares on the 50 values, as the book's linear model has it."""
    horizon = HORIZONS[part]
    training, _, test = parts_of(horizon)
    naive = Naive().values(as_table(test[:, :STEPS], 0), horizon)
    ones = np.ones((TRAINING, 1))
    weights = np.linalg.lstsq(np.hstack([training[:, :STEPS], ones]), training[:, STEPS:], rcond=None)[0]
    linear = np.hstack([test[:, :STEPS], ones[:TEST]]) @ weights
    return {"naive": {"test": _mse(naive, test)}, "linear": {"test": _mse(linear, test)}}


def _mse(forecast: Array, series: Array) -> float:
    return round(float(np.mean((forecast - series[:, STEPS:]) ** 2)), 6)


def report(runs: Mapping[str, Any]) -> str:
    """Both parts' tables in Markdown."""
    lines: list[str] = []
    for part in HORIZONS:
        if f"{part}/rules" not in runs:
            continue
        lines += [f"### {part} ahead, MSE on the test series", "", "| | median | seeds |", "|---|---|---|"]
        lines += [f"| {rule} | {runs[f'{part}/rules'][rule]['test']:.4f} | |" for rule in ("naive", "linear")]
        for network in NETWORKS:
            scores = [run["test"] for key, run in runs.items() if key.startswith(f"{part}/{network}/")]
            if scores:
                lines.append(f"| {network} | {np.median(scores):.5f} | {len(scores)} |")
        lines += ["", f"Published: {PUBLISHED[part]}.", ""]
    parts = [f"{part}/{network}" for part in HORIZONS for network in ("rules", *NETWORKS)]
    absent = [part for part in parts if not any(f"{key}/".startswith(f"{part}/") for key in runs)]
    return "\n".join(lines + not_run(absent)[1:])


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*HORIZONS, "all"], default="all")
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--report", action="store_true", help="only print the tables of the runs that are there")
    arguments = parser.parse_args()
    record = Record("sines", PROTOCOL)
    if not arguments.report:
        for part in HORIZONS if arguments.part == "all" else [arguments.part]:
            record.run(f"{part}/rules", lambda p=part: run_rules(p))
            for network in NETWORKS:
                for seed in SEEDS if arguments.seed is None else [arguments.seed]:
                    key = f"{part}/{network}/{seed}"
                    run = record.run(key, lambda p=part, n=network, s=seed: run_network(p, n, s), seed=seed)
                    print(f"{key}: test {run['test']:.5f}, {run['seconds']:.0f} s", flush=True)
    print(record.told(report))


if __name__ == "__main__":
    main()
