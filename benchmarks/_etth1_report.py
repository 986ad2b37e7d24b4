"""The ETTh1 runs as tables, with paired intervals over windows, and in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.evaluation import Interval, moving_block_bootstrap

BARS = {"seven-96": (0.375, 0.345), "seven-192": (0.41, 0.385), "seven-336": (0.43, 0.405), "seven-720": (0.445, 0.435)}
RULES = ("last value", "seasonal naive", "NLinear")
OFF = "recurrent part off"
TITLES = {"seven": "All seven columns as seven series", "ot": "The oil temperature alone"}


def report(runs: Mapping[str, Any]) -> str:
    """Both tables in Markdown."""
    return "\n\n".join(block for columns in TITLES for block in _table(columns, runs))


def _table(columns: str, runs: Mapping[str, Any]) -> list[str]:
    parts = [key.removesuffix("/rules") for key in runs if key.startswith(f"{columns}-") and key.endswith("/rules")]
    lines = [
        f"### {TITLES[columns]}",
        "",
        "| horizon | last value | seasonal naive | NLinear | recurrent part off | network | MAE | less last value | "
        "less seasonal naive | less NLinear | less recurrent part off | seeds |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    words = []
    for part in sorted(parts, key=lambda name: int(name.split("-")[1])):
        rules = {**runs[f"{part}/rules"]["rules"], OFF: runs.get(f"{part}/off")}
        own = [run for key, run in runs.items() if key.startswith(f"{part}/network/")]
        if not own or rules[OFF] is None:
            continue
        horizon = int(part.split("-")[1])
        mse = float(np.mean([run["test"]["mse"] for run in own]))
        mae = float(np.mean([run["test"]["mae"] for run in own]))
        figures = [f"{rules[rule]['test']['mse']:.3f}" for rule in (*RULES, OFF)]
        differences = [_show(_against(own, rules[rule], horizon)) for rule in (*RULES, OFF)]
        cells = [str(horizon), *figures, f"{mse:.3f}", f"{mae:.3f}", *differences, str(len(own))]
        lines.append(f"| {' | '.join(cells)} |")
        words.append(_word(part, mse, rules))
    return ["\n".join(lines), " ".join(words)] if words else []


def _word(part: str, mse: float, rules: Mapping[str, Any]) -> str:
    horizon = part.split("-")[1]
    if part in BARS:
        bar, aim = BARS[part]
        reached = "the aim is reached" if mse <= aim else f"the aim of {aim:.3f} is missed"
        return f"Horizon {horizon}: the bar of {bar:.3f} is {'met' if mse <= bar else 'missed'}, {reached}."
    above = [rule for rule in RULES if not mse < rules[rule]["test"]["mse"]]
    return f"Horizon {horizon}: " + (f"not below {', '.join(above)}." if above else "below all three rules.")


def _against(own: list[Any], rule: Any, horizon: int) -> Interval:
    """Mean over seeds of the networks' squared errors less the rule's, window by window, on the test part."""
    network = np.mean([unpacked(run["errors"]["test"]) for run in own], axis=0)
    return moving_block_bootstrap(network - unpacked(rule["errors"]["test"]), block_length=horizon)


def unpacked(errors: str) -> npt.NDArray[np.float64]:
    """The windows' mean squared errors that were written as one line."""
    return np.array(errors.split(), dtype=np.float64)


def _show(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} ({interval.lower:+.3f} to {interval.upper:+.3f})"
