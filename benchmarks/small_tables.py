"""Small tables under default settings: do the intervals hold what they promise, and does the forecast lose to a rule?

python -m benchmarks.small_tables [--case C] [--report]

Series drawn from known laws, 20 of each, seven days forecast from 120 or 400: `recurra.Forecaster(horizon=7)` as it
comes, and with keep="trained".
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._bars import not_run
from benchmarks._record import Record
from recurra import Forecaster

Array = npt.NDArray[np.float64]

HORIZON, SERIES = 7, 20
LAWS = ("walk", "autoregression", "weekly season")
CASES = {f"{law}, {days} days": (law, days) for law in LAWS for days in (120, 400)}
KEEPS = ("shown", "trained")
PROTOCOL = (
    "Steps of a Gaussian walk, an autoregression of 0.7 a day, and a week's sine of amplitude 3 around 10, each with "
    "noise of deviation 1, by the seeds 0 to 19; the seven days after the table are forecast once from each series. "
    "Coverage: share of the 140 values between the quantiles 5 % and 95 %, which should be 90 %. Mean absolute error "
    "beside that of the last value and that of the law itself, which knows what nobody else does."
)


def draw(law: str, days: int, seed: int) -> tuple[Array, Array]:
    """A series [days + HORIZON], and the best forecast of its last HORIZON values there is."""
    n, ahead = days + HORIZON, np.arange(1, HORIZON + 1)
    noise = np.random.default_rng(seed).normal(size=n)
    if law == "walk":
        y = np.cumsum(noise)
        return y, np.repeat(y[days - 1], HORIZON)
    if law == "weekly season":
        season: Array = 10 + 3 * np.sin(2 * np.pi * np.arange(n) / 7)
        return season + noise, season[days:]
    y = np.zeros(n)
    for t in range(1, n):
        y[t] = 0.7 * y[t - 1] + noise[t]
    return y, y[days - 1] * 0.7**ahead


def run_case(case: str, keep: str) -> dict[str, Any]:
    """Fit and forecast every series of a case."""
    law, days = CASES[case]
    inside, stays, errors = 0.0, 0, {"forecast": 0.0, "last value": 0.0, "the law": 0.0}
    for seed in range(SERIES):
        y, best = draw(law, days, seed)
        table = pd.DataFrame({"ds": pd.date_range("2000-01-01", periods=days), "y": y[:days]})
        model = Forecaster(horizon=HORIZON, unique_id=None, keep=keep).fit(table)
        answer, actual = model.predict(table), y[days:]
        inside += float(((actual >= answer["q05"]) & (actual <= answer["q95"])).mean()) / SERIES
        said = {"forecast": answer["forecast"].to_numpy(), "last value": y[days - 1], "the law": best}
        for name, forecast in said.items():
            errors[name] += float(np.abs(actual - forecast).mean()) / SERIES
        stays += model.history_.best_epoch == 0
    figures = {name: round(error, 4) for name, error in errors.items()}
    return {"coverage": round(inside, 4), "rule stays": stays, **figures}


def report(runs: Mapping[str, Any]) -> str:
    """A row a case and a keep."""
    lines = [
        "| series | keep | 90 % intervals hold | MAE | last value | the law itself | rule stays, of 20 |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in CASES:
        for keep in KEEPS:
            if (run := runs.get(f"{case}/{keep}")) is not None:
                errors = " | ".join(f"{run[name]:.3f}" for name in ("forecast", "last value", "the law"))
                lines.append(f"| {case} | {keep} | {100 * run['coverage']:.1f} % | {errors} | {run['rule stays']} |")
    absent = [case for case in CASES if not all(f"{case}/{keep}" in runs for keep in KEEPS)]
    return "\n".join([*lines, *not_run(absent)])


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=[*CASES, "all"], default="all")
    parser.add_argument("--report", action="store_true", help="only print the table of the runs that are there")
    arguments = parser.parse_args()
    record = Record("small_tables", PROTOCOL)
    if not arguments.report:
        for case in CASES if arguments.case == "all" else [arguments.case]:
            for keep in KEEPS:
                record.run(f"{case}/{keep}", lambda c=case, k=keep: run_case(c, k), seeds=list(range(SERIES)))
    print(record.told(report))


if __name__ == "__main__":
    main()
