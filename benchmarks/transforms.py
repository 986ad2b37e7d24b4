"""What PyTorch's transforms make of the recurrent layers, of torch.nn and of recurra.nn, by value.

python -m benchmarks.transforms [--again] [--report]

Every transform of `_transforms_checks` is taken of one layer of each kind in float64 (autocast: float32), and its
values are held against the equations written out in plain operations.
"""

import argparse
from collections.abc import Mapping
from typing import Any

import torch

import recurra.nn
from benchmarks._bars import not_run
from benchmarks._record import Record
from benchmarks._transforms_checks import CHECKS, case, outcome

KINDS = ("RNN", "LSTM", "GRU")
PACKAGES = {"torch.nn": torch.nn, "recurra.nn": recurra.nn}
BOUND, BOUND_AUTOCAST = 1e-10, 1e-2
PROTOCOL = (
    "One layer, batch first, (B, T, I, H) = (2, 4, 3, 5). Right: norm(found - wanted) / norm(wanted) is below 1e-10 in "
    "float64, and below 1e-2 under autocast to bfloat16; wanted are the equations in plain operations. Compiled with "
    'the backend "aot_eager".'
)


def measure(package: str, kind: str) -> dict[str, Any]:
    """Every check of one layer: {"outcomes": {name: how far off it is, or its error}}."""
    return {"outcomes": {name: outcome(check, case(PACKAGES[package], kind)) for name, check in CHECKS.items()}}


def word(name: str, found: Mapping[str, Any]) -> str:
    """An outcome in a word or two."""
    if "error" in found:
        return f"{found['error']}"
    bound = BOUND_AUTOCAST if name.startswith("autocast") else BOUND
    return "right" if found["off"] < bound else f"WRONG, off by {found['off']:.1g}"


def cell(name: str, package: str, runs: Mapping[str, Any]) -> str:
    """One package's outcomes: one word if its layers agree."""
    words = {kind: word(name, runs[f"{package}/{kind}"]["outcomes"][name]) for kind in KINDS}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(f"{kind} {said}" for kind, said in words.items())


def report(runs: Mapping[str, Any]) -> str:
    """Both packages side by side, and in how many cases each is right."""
    there = [package for package in PACKAGES if all(f"{package}/{kind}" in runs for kind in KINDS)]
    lines = [f"| | {' | '.join(there)} |", "|---" * (1 + len(there)) + "|"]
    lines += [f"| {name} | {' | '.join(cell(name, package, runs) for package in there)} |" for name in CHECKS]
    counts = []
    for package in there:
        found = [runs[f"{package}/{kind}"]["outcomes"] for kind in KINDS]
        right = sum(word(name, outcomes[name]) == "right" for outcomes in found for name in CHECKS)
        counts.append(f"{package} {right} of {len(CHECKS) * len(KINDS)}")
    return (
        "\n".join(lines)
        + f"\n\nRight: {', '.join(counts)}."
        + "\n".join(not_run(package for package in PACKAGES if package not in there))
    )


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="run even what has a result")
    parser.add_argument("--report", action="store_true", help="only print the table of the results so far")
    options = parser.parse_args()
    record = Record("transforms", PROTOCOL)
    for package in () if options.report else PACKAGES:
        for kind in KINDS:
            record.run(f"{package}/{kind}", lambda p=package, k=kind: measure(p, k), again=options.again, seed=7)
    print(record.told(report))


if __name__ == "__main__":
    main()
