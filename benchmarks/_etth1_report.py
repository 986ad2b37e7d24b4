"""The ETTh1 runs as tables, with paired intervals over windows, and in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._bars import met, not_run, pending
from benchmarks._etth1_data import HORIZONS, PARTS, SEEDS
from recurra.evaluation import Interval, moving_block_bootstrap

BARS = {"seven-96": (0.375, 0.345), "seven-192": (0.41, 0.385), "seven-336": (0.43, 0.405), "seven-720": (0.445, 0.435)}
RULES = ("last value", "seasonal naive", "NLinear")
OFF = "recurrent part off"
TITLES = {"seven": "All seven columns as seven series", "ot": "The oil temperature alone"}


def report(runs: Mapping[str, Any]) -> str:
    """Both tables in Markdown."""
    blocks = [block for columns in TITLES for block in _table(columns, runs)]
    absent = [
        f"{TITLES[part.split('-')[0]]}, horizon {part.split('-')[1]}" for part in PARTS if not _networks(part, runs)
    ]
    return "\n\n".join(blocks + not_run(absent)[1:])


def _networks(part: str, runs: Mapping[str, Any]) -> list[Any]:
    """The networks of a part that stand beside its rules."""
    beside = f"{part}/rules" in runs and f"{part}/off" in runs
    return [runs[key] for seed in SEEDS if (key := f"{part}/network/{seed}") in runs] if beside else []


def _table(columns: str, runs: Mapping[str, Any]) -> list[str]:
    lines = [
        f"### {TITLES[columns]}",
        "",
        "| horizon | last value | seasonal naive | NLinear | recurrent part off | network | MAE | less last value | "
        "less seasonal naive | less NLinear | less recurrent part off | seeds |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    words = []
    for part in (f"{columns}-{horizon}" for horizon in HORIZONS[columns]):
        own = _networks(part, runs)
        if not own:
            continue
        rules = {**runs[f"{part}/rules"]["rules"], OFF: runs[f"{part}/off"]}
        horizon = int(part.split("-")[1])
        mse, mae = (float(np.mean([run["test"][score] for run in own])) for score in ("mse", "mae"))
        figures = [f"{rules[rule]['test']['mse']:.3f}" for rule in (*RULES, OFF)]
        differences = {rule: _against(own, rules[rule], horizon) for rule in (*RULES, OFF)}
        shown = [_show(interval) for interval in differences.values()]
        cells = [str(horizon), *figures, f"{mse:.3f}", f"{mae:.3f}", *shown, str(len(own))]
        lines.append(f"| {' | '.join(cells)} |")
        told = f"{_against_rules(differences)} {_bar(part, mse, differences, runs)}"
        words.append(f"* Horizon {horizon}: {told}{_together(part, rules, runs)}")
    return ["\n".join(lines), "\n".join(words)] if words else []


def _together(part: str, rules: Mapping[str, Any], runs: Mapping[str, Any]) -> str:
    """What the mean of the networks' answers scores; the bars are judged by single networks."""
    if f"{part}/together" not in runs:
        return ""
    run, horizon = runs[f"{part}/together"], int(part.split("-")[1])
    mse = run["test"]["mse"]
    differences = {rule: _against([run], rules[rule], horizon) for rule in (*RULES, OFF)}
    beside = "; ".join(f"{_place(differences[rule])} {rule}" for rule in differences)
    return f" The mean of {len(SEEDS)} networks' medians: {mse:.3f}; {beside}."


def _against_rules(differences: Mapping[str, Interval]) -> str:
    """Each rule beside the network, in words, by the paired interval: one that holds zero is a tie."""
    told = "; ".join(f"{_place(differences[rule])} {rule}" for rule in RULES)
    off = {"below": "better", "a tie with": "no better (a tie)", "above": "worse"}[_place(differences[OFF])]
    return f"{told}. Beside its recurrent part off the network is {off}."


def _place(interval: Interval) -> str:
    if interval.upper < 0:
        return "below"
    return "above" if interval.lower > 0 else "a tie with"


def _bar(part: str, mse: float, differences: Mapping[str, Interval], runs: Mapping[str, Any]) -> str:
    """What the issue asks for: a mean squared error, or to be below the three rules."""
    missing = pending([f"{part}/network/{seed}" for seed in SEEDS], runs)
    if part in BARS:
        bar, aim = BARS[part]
        return f"Bar of {bar:.3f}: {missing or f'{met(mse <= bar)}, aim of {aim:.3f}: {met(mse <= aim)}'}."
    below = all(_place(differences[rule]) == "below" for rule in RULES)
    return f"Bar of being below all three rules: {missing or met(below)}."


def _against(own: list[Any], rule: Any, horizon: int) -> Interval:
    """Mean over seeds of the networks' squared errors less the rule's, window by window, on the test part."""
    network = np.mean([unpacked(run["errors"]["test"]) for run in own], axis=0)
    return moving_block_bootstrap(network - unpacked(rule["errors"]["test"]), block_length=horizon)


def unpacked(errors: str) -> npt.NDArray[np.float64]:
    """The windows' mean squared errors that were written as one line."""
    return np.array(errors.split(), dtype=np.float64)


def _show(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} ({interval.lower:+.3f} to {interval.upper:+.3f})"
