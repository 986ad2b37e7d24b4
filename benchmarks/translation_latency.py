"""How long does a translation take: one sentence of 12 words with a beam of 5, and a thousand sentences at once?

python -m benchmarks.translation_latency [--again] [--report]

Time does not depend on what the weights are, but on how long answers become: every answer is held to as many steps as
a trained network would take, 14 pieces and END, on a network of the benchmark's own size.
"""

import argparse
import statistics
import time
from typing import Any

import torch

from benchmarks._bars import met, not_run
from benchmarks._record import Record
from benchmarks.multi30k import SETTINGS
from recurra.data.text.pieces import END
from recurra.decoding import DecodingOptions, NetworkScorer, beam_search, follow_paths
from recurra.decoding.scorer import ScorerState
from recurra.models.translation import TranslationNetwork, TranslationShape

WORDS, STEPS, BEAM, SENTENCES = 12, 15, 5, 1000
SUBWORDS = (SETTINGS["vocabulary_size"], 8000)
SOURCE_PIECES = 16
BAR_MS = 40.0
PROTOCOL = (
    "Random weights in the network of benchmarks.multi30k, with its own number of subwords and with 8,000; a source "
    f"of {SOURCE_PIECES} pieces (a sentence of {WORDS} words), an answer of {STEPS - 1} pieces and END in {STEPS} "
    "steps. Encoding, search and the way back are timed, the text's cutting into pieces is not (some 20 "
    "microseconds). One thread. The median of 50 sentences one by one; a thousand sentences in batches of 128."
)


class HeldScorer(NetworkScorer):
    """The network's scores, but END comes after so many steps and never before."""

    steps = 0

    def begin(self, source: torch.Tensor, lengths: torch.Tensor) -> ScorerState:
        """Read the sources, and count from nothing."""
        self.steps = 0
        return super().begin(source, lengths)

    def step(self, previous: torch.Tensor, state: ScorerState) -> tuple[torch.Tensor, torch.Tensor, ScorerState]:
        """One piece further."""
        scores, weights, state = super().step(previous, state)
        self.steps += 1
        scores[:, END] = 0.0 if self.steps == STEPS else -1e4
        return scores, weights, state


def build(subwords: int) -> HeldScorer:
    """The network, with random weights."""
    torch.manual_seed(0)
    shape = TranslationShape(
        subwords, subwords, True, SETTINGS["cell"], SETTINGS["embedding_size"], SETTINGS["hidden_size"]
    )
    return HeldScorer([TranslationNetwork(shape).eval().freeze()])


def measure(subwords: int) -> dict[str, Any]:
    """Milliseconds of one sentence, and sentences a second."""
    torch.set_num_threads(1)
    scorer = build(subwords)
    beam = DecodingOptions(beam=BEAM)
    one = torch.randint(4, subwords, (1, SOURCE_PIECES))
    lengths = torch.tensor([SOURCE_PIECES])
    times = {name: [timed(lambda s=search, o=options: s(scorer, one, lengths, o)) for _ in range(60)][10:]
             for name, search, options in (("beam", beam_search, beam), ("greedy", follow_paths, beam))}  # fmt: skip
    found = beam_search(scorer, one, lengths, beam)[0][0]
    many = torch.randint(4, subwords, (128, SOURCE_PIECES))
    batches = -(-SENTENCES // len(many))
    batched = sum(timed(lambda: beam_search(scorer, many, lengths.expand(128), beam)) for _ in range(batches))
    return {
        "pieces": len(found.pieces),
        "beam_ms": round(statistics.median(times["beam"]), 2),
        "beam_best_ms": round(min(times["beam"]), 2),
        "greedy_ms": round(statistics.median(times["greedy"]), 2),
        "sentences_per_s": round(batches * len(many) / batched * 1000.0),
        "bar_ms": BAR_MS,
        "met": statistics.median(times["beam"]) < BAR_MS,
    }


def timed(work: Any) -> float:
    """Milliseconds that it takes."""
    begun = time.perf_counter()
    work()
    return 1000.0 * (time.perf_counter() - begun)


def report(runs: dict[str, Any]) -> str:
    """The table of what was measured."""
    if not runs:
        return ""
    lines = [
        "| subwords | one sentence, beam of 5 | fastest | greedy | bar | 1,000 sentences, beam of 5 |",
        "|---|---|---|---|---|---|",
    ]
    for key, found in sorted(runs.items(), key=lambda item: int(item[0])):
        bar = f"{found['bar_ms']:.0f} ms: {met(found['met'])}"
        lines.append(
            f"| {int(key):,} | {found['beam_ms']:.1f} ms | {found['beam_best_ms']:.1f} ms "
            f"| {found['greedy_ms']:.1f} ms | {bar} | {found['sentences_per_s']} a second |"
        )
    return "\n".join([*lines, *not_run(f"{size:,} subwords" for size in SUBWORDS if str(size) not in runs)])


def main() -> None:
    """Measure unless it is done, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="measure although there is a result")
    parser.add_argument("--report", action="store_true", help="only print the table")
    arguments = parser.parse_args()
    record = Record("translation_latency", PROTOCOL)
    if not arguments.report:
        for subwords in SUBWORDS:
            record.run(str(subwords), lambda size=subwords: measure(size), again=arguments.again)
    print(record.told(report))


if __name__ == "__main__":
    main()
