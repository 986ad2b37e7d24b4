"""Strings of digits, joined from FSDD's recordings with random gaps (synthetic), by speakers never heard before.

python -m benchmarks.fsdd_connected [--speaker NAME] [--seed S] [--again] [--report]

One speaker is the test, the other five are learned from. A one-directional network with CTC writes a digit at a time;
the same network then hears the same strings as a stream.
"""

import argparse
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks._bars import met, pending
from benchmarks._fsdd_strings import SPEAKERS, TEST_STRINGS, DigitString, make_strings, trained
from benchmarks._record import Record
from benchmarks.an4 import interval
from recurra import SpeechRecognizer
from recurra.metrics import edits

SEEDS = (0, 1, 2)
CHUNK = 160
STREAMED = 30
PROTOCOL = (
    "Synthetic: 700 training strings of 1 to 5 digits by the five other speakers, 100 test strings of 3 to 7 digits"
    " by the unheard one: whole FSDD recordings of one speaker joined with gaps of 0.05 to 0.5 s that hold noise of"
    " the recordings' floor. 13 MFCC with one derivative, running normalisation; two layers of 96 GRU cells in one "
    "direction after a convolution of stride 2; CTC over ten digits, best path, no language model. It begins with "
    "the weights of a classifier of the last state, learned in 10 epochs on 1,600 single digits of the same five "
    "speakers; from random weights CTC had not told digits apart after 15. The last of 12 epochs is kept. Tried "
    "on george as the unheard speaker with theo left out: 700 strings 20.3 %, 1,400 14.3 %, 2,800 17.5 %, a second "
    "convolution of stride 2 25 %; with theo learned from too, 1,400 strings gave george 26.4 % where 700 had given "
    "26.6 %; nothing of the unheard speaker is used before scoring. Digit error rate: insertions, deletions and "
    "substitutions for each digit said; 95 % intervals by bootstrap over "
    "strings. Streaming: the first 30 test strings in chunks of 20 ms."
)


def run(unheard: str, seed: int) -> dict[str, Any]:
    """Train without one speaker, score on this speaker, offline and as a stream."""
    model, seconds = trained(unheard, seed)
    strings = make_strings((unheard,), TEST_STRINGS, 2000 + seed)
    found = [answer.text for answer in model.transcribe([string.recording for string in strings])]
    counts = edits([string.digits for string in strings], [text.split() for text in found])
    return {
        "test": interval(np.array(counts)),
        "digits": sum(n for _, n in counts),
        "strings_right": int(sum(string.text == text for string, text in zip(strings, found, strict=True))),
        "streamed": STREAMED,
        "streamed_alike": sum(streamed(model, s) == t for s, t in zip(strings[:STREAMED], found, strict=False)),
        "parameters": model.n_parameters_,
        **seconds,
    }


def streamed(model: SpeechRecognizer, string: DigitString) -> str:
    """The text of a string that comes in chunks of 20 ms."""
    stream = model.stream(string.recording.sample_rate_hz)
    samples = string.recording.samples
    for first in range(0, len(samples), CHUNK):
        stream.push(samples[first : first + CHUNK])
    return " ".join(answer.text for answer in stream.finish().finished)


def report(runs: Mapping[str, Any]) -> str:
    """The table in Markdown."""
    lines = [
        "| unheard speaker | seed | digit error rate, % (95 %) | strings all right, of 100 | streamed alike, of 30 | "
        "training, s (CPU s) |",
        "|---|---|---|---|---|---|",
    ]
    for key, one in sorted(runs.items()):
        rate, low, high = one["test"]
        took = f"{one['training_seconds']:.0f} ({one['training_cpu_seconds']:.0f})"
        lines.append(
            f"| {key.partition('/')[0]} | {one['seed']} | {rate:.1f} ({low:.1f}-{high:.1f}) | {one['strings_right']} | "
            f"{one['streamed_alike']} | {took} |"
        )
    mean = float(np.mean([one["test"][0] for one in runs.values()]))
    alike = all(one["streamed_alike"] == one["streamed"] for one in runs.values())
    speakers = len({key.partition("/")[0] for key in runs})
    wanted = [f"{name}/{seed}" for name in SPEAKERS for seed in SEEDS]
    bars = pending(wanted, runs, "runs") or f"bar of 10 %: {met(mean <= 10)}; aim of 5 %: {met(mean <= 5)}"
    return "\n".join(
        [
            *lines,
            "",
            f"Mean digit error rate over {len(runs)} runs, {speakers} of 6 speakers: **{mean:.1f} %**; {bars}. "
            f"Streaming equals offline: {'yes' if alike else 'NO'}.",
        ]
    )


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speaker", choices=SPEAKERS)
    parser.add_argument("--seed", type=int, choices=SEEDS)
    parser.add_argument("--again", action="store_true", help="run what is there already")
    parser.add_argument("--report", action="store_true", help="only print the table of the runs that are there")
    arguments = parser.parse_args()
    record = Record("fsdd_connected", PROTOCOL)
    if not arguments.report:
        names = SPEAKERS if arguments.speaker is None else [arguments.speaker]
        seeds = SEEDS if arguments.seed is None else [arguments.seed]
        for seed, name in itertools.product(seeds, names):
            key = f"{name}/{seed}"
            found = record.run(key, lambda n=name, s=seed: run(n, s), again=arguments.again, seed=seed)
            print(f"{key}: {found['test']}", flush=True)
    if record.runs:
        print(record.told(report))


if __name__ == "__main__":
    main()
