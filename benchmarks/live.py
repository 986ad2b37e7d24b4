"""Live recognition of digits: time per second of audio, delay until a digit is read, memory over an hour.

python -m benchmarks.live [--part delay|cost|memory|all] [--speaker NAME] [--report]

The recognisers are those of `python -m benchmarks.fsdd_connected` (seed 0), each hearing the one speaker it was not
trained on, in chunks of 20 ms, with the endpoint detector on.
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks._bars import judged, met, not_run
from benchmarks._fsdd_strings import RATE, SPEAKERS, DigitString, make_strings, trained
from benchmarks._record import Record
from recurra.prediction import Endpoint

CHUNK = 160
STRINGS = 60
COST_S, HOUR_S = 120, 3600
PROTOCOL = (
    "Joined FSDD digits (synthetic) of a speaker that the recogniser never heard, in chunks of 20 ms, with the "
    "endpoint detector, one thread. Delay: from the end of a digit's recording to the end of the chunk after which "
    "the text so far holds it, plus the time that chunk took; over the digits of strings that are all right. "
    "Real-time factor: processor seconds for each second of audio, over two minutes; wall-clock beside it, on a "
    "machine shared with other work. Memory: resident size of the process after 5 minutes and after an hour of audio, "
    "in chunks of one second."
)


def run_delay(unheard: str) -> dict[str, Any]:
    """When each digit of the unheard speaker is read, milliseconds after its end."""
    model, _ = trained(unheard, 0)
    delays: list[float] = []
    strings = make_strings((unheard,), STRINGS, 3000)
    right = 0
    for string in strings:
        times, text = read_at(model, string)
        if text == string.text and len(times) == len(string.digits):
            right += 1
            delays += [1000 * (at - end) for at, end in zip(times, string.ends_s, strict=True)]
    low, middle, high = (round(float(v), 1) for v in np.percentile(delays, [5, 50, 95]))
    return {"median_ms": middle, "p5_ms": low, "p95_ms": high, "digits": len(delays), "right": right, "of": STRINGS}


def read_at(model: Any, string: DigitString) -> tuple[list[float], str]:
    """The moment at which the text so far first held one more digit than before, for each digit; and the text."""
    stream = model.stream(RATE, endpoint=Endpoint())
    samples, times, done, texts = string.recording.samples, [], 0, []
    for first in range(0, len(samples), CHUNK):
        begun = time.perf_counter()
        heard = stream.push(samples[first : first + CHUNK])
        took = time.perf_counter() - begun
        texts += [answer.text for answer in heard.finished]
        done = sum(len(text.split()) for text in texts) + len(heard.words)
        now = min(first + CHUNK, len(samples)) / RATE + took
        times += [now] * (done - len(times))
    texts += [answer.text for answer in stream.finish().finished]
    total = sum(len(text.split()) for text in texts)
    times += [len(samples) / RATE] * (total - len(times))
    return times, " ".join(texts)


def sound(unheard: str, chunk: int, seconds: float) -> Iterator[Any]:
    """Joined strings one after the other, for so many seconds, in chunks."""
    signal = np.concatenate([string.recording.samples for string in make_strings((unheard,), 20, 4000)])
    pieces = cycle(signal[first : first + chunk] for first in range(0, len(signal), chunk))
    heard = 0
    for piece in pieces:
        heard += len(piece)
        if heard > seconds * RATE:
            return
        yield piece


def run_cost(unheard: str) -> dict[str, Any]:
    """Seconds of work for each second of audio."""
    model, _ = trained(unheard, 0)
    stream = model.stream(RATE, endpoint=Endpoint())
    for piece in sound(unheard, CHUNK, 5):
        stream.push(piece)
    pieces = list(sound(unheard, CHUNK, COST_S))
    cpu, wall = time.process_time(), time.perf_counter()
    for piece in pieces:
        stream.push(piece)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    seconds = sum(len(piece) for piece in pieces) / RATE
    return {"cpu_factor": round(cpu / seconds, 4), "wall_factor": round(wall / seconds, 4), "audio_s": seconds}


def run_memory(unheard: str) -> dict[str, Any]:
    """Resident memory over an hour of audio, megabytes."""
    model, _ = trained(unheard, 0)
    stream = model.stream(RATE, endpoint=Endpoint())
    sizes: dict[int, float] = {}
    heard, utterances = 0, 0
    for piece in sound(unheard, RATE, HOUR_S):
        utterances += len(stream.push(piece).finished)
        heard += len(piece)
        if heard // RATE in (300, 1800):
            sizes.setdefault(heard // RATE, resident_mb())
    sizes[HOUR_S] = resident_mb()
    return {"resident_mb": {str(s): size for s, size in sizes.items()}, "utterances": utterances}


def resident_mb() -> float:
    """Resident memory of this process, megabytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def report(runs: Mapping[str, Any]) -> str:
    """The tables in Markdown."""
    lines = ["| unheard speaker | delay, median, ms | 5 % | 95 % | digits | strings all right |", "|---" * 6 + "|"]
    delays = {key.partition("/")[2]: run for key, run in runs.items() if key.startswith("delay/")}
    for name, run in sorted(delays.items()):
        cells = [f"{run[which]:.0f}" for which in ("median_ms", "p5_ms", "p95_ms")]
        lines.append(f"| {name} | {' | '.join(cells)} | {run['digits']} | {run['right']} of {run['of']} |")
    if delays:
        worst = max(run["median_ms"] for run in delays.values())
        verdict = judged(worst <= 300, [f"delay/{name}" for name in SPEAKERS], runs, "speakers")
        bar = "Bar: a digit is read within 300 ms of its end at the median"
        lines += ["", f"{bar}: {verdict} (worst speaker {worst:.0f} ms)."]
    for key, run in sorted(runs.items()):
        if key.startswith("cost/"):
            lines.append(
                f"\nReal-time factor on one core: {run['cpu_factor']:.3f} by processor time, {run['wall_factor']:.3f} "
                f"by the clock of a shared machine; bar of 0.05: {met(run['cpu_factor'] < 0.05)}."
            )
        if key.startswith("memory/"):
            sizes = sorted(run["resident_mb"].items(), key=lambda item: int(item[0]))
            told = ", ".join(f"{size:.1f} MB after {int(s) // 60} min" for s, size in sizes)
            lines.append(f"\nResident memory: {told}; {run['utterances']} utterances.")
    missing = [part for part in ("delay", "cost", "memory") if not any(key.startswith(f"{part}/") for key in runs)]
    return "\n".join([*lines, *not_run(missing)])


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["delay", "cost", "memory", "all"], default="all")
    parser.add_argument("--speaker", choices=SPEAKERS)
    parser.add_argument("--report", action="store_true", help="only print the tables of the runs that are there")
    arguments = parser.parse_args()
    record = Record("live", PROTOCOL)
    if not arguments.report:
        torch.set_num_threads(1)
        parts = {"delay": run_delay, "cost": run_cost, "memory": run_memory}
        for part in parts if arguments.part == "all" else [arguments.part]:
            names = SPEAKERS if part == "delay" and arguments.speaker is None else [arguments.speaker or "george"]
            for name in names:
                found = record.run(f"{part}/{name}", lambda p=part, n=name: parts[p](n), seed=0)
                print(f"{part}/{name}: {found}", flush=True)
    print(record.told(report))


if __name__ == "__main__":
    main()
