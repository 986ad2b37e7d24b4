"""What the tables of the layer benchmark share: rows, numbers, verdicts, runs in order."""

import math
from collections.abc import Mapping
from typing import Any

from benchmarks._layers_cases import KINDS

Runs = Mapping[str, Any]


def table(heads: str, rows: list[str]) -> list[str]:
    """The lines of a table whose heads are divided by |."""
    count = heads.count("|") + 1
    return [f"| {heads} |", "|" + "---|" * count, *(f"| {row} |" for row in rows)]


def show(value: float) -> str:
    """Three figures."""
    digits = 2 - math.floor(math.log10(value)) if value > 0 else 2
    return f"{value:,.{max(0, digits)}f}"


def verdict(run: Mapping[str, Any]) -> str:
    """Whether a ratio reaches its bar, and if another backend than the kernels answered, which."""
    word = "met" if run["met"] else f"short by {100 * (1 - run['ratio'] / run['bar']):.0f} %"
    return word if run["backend"] == "native" else f"{word} ({run['backend']} backend)"


def under(runs: Runs, prefix: str) -> dict[str, Any]:
    """The runs whose key begins so, by the rest of the key; kinds and shapes in their usual order."""
    found = {key.removeprefix(prefix): run for key, run in runs.items() if key.startswith(prefix)}

    def place(key: str) -> tuple[Any, ...]:
        kind, _, shape = key.partition("/")
        return KINDS.index(kind), [int(n) for n in shape.split("x")][::-1] if shape else []

    return {key: found[key] for key in sorted(found, key=place)}
