"""How fast a translating network is trained, its recurrences on the native kernels and on PyTorch's own.

Part of python -m benchmarks.multi30k --part speed.
"""

import time
from collections.abc import Callable
from typing import Any

import torch

from recurra.data.catalogue import load_multi30k
from recurra.data.text import encode_pairs
from recurra.learners.translation_fitting import build_vocabularies
from recurra.learners.translation_schema import TranslatorConfig
from recurra.models.translation import TranslationNetwork, TranslationShape
from recurra.training import TrainingOptions
from recurra.training.optimiser import build_optimiser
from recurra.training.translation import PairBatch, TranslationTask

BATCHES = 12
DECIDING = (
    "Training: {ours_tokens} pieces per second with the native kernels, {torch_tokens} with torch.nn's layers "
    "({ratio:.2f} times). The recurrences take {share:.0%} of a step on torch.nn's layers, so no kernel could make it "
    "faster than {ceiling:.2f} times; alone they run {alone:.2f} times as fast, which predicts a saving of "
    "{predicted:.0%} of the step; {saved:.0%} was saved, {reached:.0%} of the prediction (bar 80 %: {met})."
)


def measure(settings: dict[str, Any]) -> dict[str, Any]:
    """Steps of the same batches with both backends in turn, whole and the recurrences alone, one thread."""
    torch.set_num_threads(1)
    config = TranslatorConfig(**settings)
    data = load_multi30k()
    pairs = data.train.lower(config.lowercase != "none", config.lowercase == "both")
    source, target = build_vocabularies(pairs, config)
    encoded = encode_pairs(pairs, source, target, config.max_length)
    whole, alone, batches = {}, {}, []
    for backend in ("native", "torch"):
        shape = TranslationShape(
            len(source), len(target), True, config.cell, config.embedding_size, config.hidden_size,
            dropout=config.dropout, recurrent_dropout=0.0,
        )  # fmt: skip
        network = TranslationNetwork(shape, backend).train()
        task = TranslationTask(
            network, encoded, encoded, tokens=config.batch_tokens, smoothing=config.label_smoothing, seed=0
        )
        batches = batches or [batch for batch, _ in zip(task.batches(1), range(BATCHES), strict=False)]
        whole[backend] = _steps(network, task)
        alone[backend] = _recurrences(network)
    times = {name: _in_turn(works, batches) for name, works in (("whole", whole), ("alone", alone))}
    return figures(times["whole"], times["alone"], sum(int(batch.known.sum()) for batch in batches))


def figures(whole: dict[str, float], alone: dict[str, float], pieces: int) -> dict[str, Any]:
    """What the seconds of a pass over the batches say."""
    share = alone["torch"] / whole["torch"]
    ratio = alone["torch"] / alone["native"]
    predicted = share * (1.0 - 1.0 / ratio)
    saved = 1.0 - whole["native"] / whole["torch"]
    reached = saved / predicted if predicted > 0 else 1.0
    return {
        "ours_tokens": round(pieces / whole["native"]),
        "torch_tokens": round(pieces / whole["torch"]),
        "ratio": whole["torch"] / whole["native"],
        "share": share,
        "ceiling": 1.0 / (1.0 - share),
        "alone": ratio,
        "predicted": predicted,
        "saved": saved,
        "reached": reached,
        "met": "met" if reached >= 0.8 else "missed",
    }


def _in_turn(works: dict[str, Callable[[PairBatch], None]], batches: list[PairBatch]) -> dict[str, float]:
    """The least seconds of each batch over five turns, added up."""
    best = {name: [float("inf")] * len(batches) for name in works}
    for turn in range(6):
        for name, work in works.items():
            for number, batch in enumerate(batches):
                begun = time.perf_counter()
                work(batch)
                if turn:
                    best[name][number] = min(best[name][number], time.perf_counter() - begun)
    return {name: sum(seconds) for name, seconds in best.items()}


def _steps(network: TranslationNetwork, task: TranslationTask) -> Callable[[PairBatch], None]:
    optimiser = build_optimiser(network, TrainingOptions())

    def step(batch: PairBatch) -> None:
        optimiser.zero_grad(set_to_none=True)
        task.loss(batch).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step


def _recurrences(network: TranslationNetwork) -> Callable[[PairBatch], None]:
    encoder, decoder = network.encoder.recurrent, network.decoder.recurrent

    def both(batch: PairBatch) -> None:
        x = network.source_embedding(batch.source).detach().requires_grad_()
        y = network.target_embedding(batch.target).detach().requires_grad_()
        first = torch.zeros(1, len(x), decoder.hidden_size, requires_grad=True)
        read = encoder(x, lengths=batch.lengths)[0]
        written = decoder(y, (first, first) if network.shape.cell == "lstm" else first)[0]
        torch.autograd.backward([read, written], [torch.ones_like(read), torch.ones_like(written)])

    return both
