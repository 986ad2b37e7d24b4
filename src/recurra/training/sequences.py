"""Learning from labelled or transcribed sequences of any length: a class for each, or a text (CTC)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy, ctc_loss

from recurra.decoding.ctc_greedy import greedy
from recurra.metrics.speech import edits
from recurra.models.acoustic import ClassifierNetwork, CtcNetwork
from recurra.shapes import Tensor

Ints = npt.NDArray[np.int64]
SORTED_BATCHES = 20
VALIDATED_AT_ONCE = 64


class Source(Protocol):
    """Features of sequences by number."""

    @property
    def sizes(self) -> Ints:
        """A number for each sequence that grows with its length."""

    def plain(self, chosen: Ints) -> tuple[Tensor, Tensor]:
        """Features [batch, time, features], zero past a row's end, and lengths [batch]."""

    def changed(self, chosen: Ints, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """The same, changed at random for training."""


@dataclass(frozen=True)
class SequencePlan:
    """How batches are drawn.

    Args:
        batch_size: sequences of a batch.
        seed: batches and changes are a pure function of seed and epoch.
        smoothing: share of the probability that a classifier's target gives to the other classes.
    """

    batch_size: int = 32
    seed: int = 0
    smoothing: float = 0.0


@dataclass(frozen=True)
class SequenceBatch:
    """Numbers of the sequences, their features and lengths in frames."""

    chosen: Ints
    x: Tensor
    lengths: Tensor


class _SequenceTask:
    """Batches of sequences of about the same length, in an order that depends on seed and epoch only."""

    def __init__(self, source: Source, validation: Source | None, plan: SequencePlan) -> None:
        self.source, self.validation, self.plan = source, validation, plan
        self._sizes = source.sizes

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        return -(-len(self._sizes) // self.plan.batch_size)

    def batches(self, epoch: int) -> Iterator[SequenceBatch]:
        """Every sequence once."""
        seeds = np.random.SeedSequence([self.plan.seed, epoch])
        random = torch.Generator().manual_seed(int(seeds.generate_state(1)[0]))
        for chosen in batch_order(self._sizes, self.plan.batch_size, np.random.default_rng(seeds)):
            x, lengths = self.source.changed(chosen, random)
            yield SequenceBatch(chosen, x, lengths)

    def _validated(self) -> Iterator[SequenceBatch]:
        if self.validation is None:
            return
        order = np.argsort(self.validation.sizes, kind="stable")
        for first in range(0, len(order), VALIDATED_AT_ONCE):
            chosen = order[first : first + VALIDATED_AT_ONCE]
            yield SequenceBatch(chosen, *self.validation.plain(chosen))


def batch_order(sizes: Ints, batch_size: int, random: np.random.Generator) -> list[Ints]:
    """Numbers in batches: drawn at random, then sorted by size within stretches of some batches."""
    order, stretch = random.permutation(len(sizes)), SORTED_BATCHES * batch_size
    batches = []
    for first in range(0, len(order), stretch):
        part = order[first : first + stretch]
        part = part[np.argsort(sizes[part], kind="stable")]
        batches += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
    return [batches[i] for i in random.permutation(len(batches))]


class ClassTask(_SequenceTask):
    """Cross entropy of the classes.

    Args:
        network: the network that is trained.
        source: training sequences.
        classes: number of the class of each, [sequences].
        validation: sequences to validate on and their classes, if any.
        plan: how batches are drawn.
    """

    def __init__(
        self,
        network: ClassifierNetwork,
        source: Source,
        classes: Ints,
        validation: tuple[Source, Ints] | None,
        plan: SequencePlan,
    ) -> None:
        super().__init__(source, validation[0] if validation else None, plan)
        self.network, self.classes = network, torch.as_tensor(classes)
        self.validation_classes = torch.as_tensor(validation[1]) if validation else self.classes[:0]
        self.device = next(network.parameters()).device

    def loss(self, batch: SequenceBatch) -> Tensor:
        """Mean cross entropy of a batch."""
        scores = self.network(batch.x.to(self.device), batch.lengths.to(self.device))
        wanted = self.classes[torch.from_numpy(batch.chosen)].to(self.device)
        return cross_entropy(scores, wanted, label_smoothing=self.plan.smoothing)

    def validation_loss(self) -> float:
        """Mean cross entropy of the validation part; 0 where there is none."""
        total = 0.0
        for batch in self._validated():
            scores = self.network(batch.x.to(self.device), batch.lengths.to(self.device)).cpu()
            total += float(cross_entropy(scores, self.validation_classes[torch.from_numpy(batch.chosen)])) * len(scores)
        return total / max(len(self.validation_classes), 1)


class CtcTask(_SequenceTask):
    """Connectionist temporal classification (Graves et al. 2006): the loss sums over all ways to align.

    Args:
        network: the network that is trained.
        source: training sequences.
        texts: numbers of the units of each, the blank 0 not among them.
        validation: sequences to validate on and their units, if any.
        plan: how batches are drawn.
    """

    def __init__(
        self,
        network: CtcNetwork,
        source: Source,
        texts: Sequence[Sequence[int]],
        validation: tuple[Source, Sequence[Sequence[int]]] | None,
        plan: SequencePlan,
    ) -> None:
        super().__init__(source, validation[0] if validation else None, plan)
        self.network, self.texts = network, texts
        self.validation_texts = validation[1] if validation else ()
        self.device = next(network.parameters()).device

    def loss(self, batch: SequenceBatch) -> Tensor:
        """Mean over the batch of each row's loss divided by its number of units; rows without an alignment count 0."""
        scores, lengths = self.network(batch.x.to(self.device), batch.lengths.to(self.device))
        return self._ctc(scores, lengths, [self.texts[i] for i in batch.chosen])

    def _ctc(self, scores: Tensor, lengths: Tensor, texts: Sequence[Sequence[int]]) -> Tensor:
        units = torch.tensor([unit for text in texts for unit in text], dtype=torch.long, device=self.device)
        counts = torch.tensor([len(text) for text in texts], device=self.device)
        return ctc_loss(scores.transpose(0, 1), units, lengths, counts, zero_infinity=True)

    def validation_loss(self) -> float:
        """Share of wrong units on the best path, and a thousandth of the loss to part equals; 0 without a part."""
        wrong, units, loss, rows = 0, 0, 0.0, 0
        for batch in self._validated():
            scores, lengths = self.network(batch.x.to(self.device), batch.lengths.to(self.device))
            texts = [self.validation_texts[i] for i in batch.chosen]
            loss, rows = loss + float(self._ctc(scores, lengths, texts)) * len(texts), rows + len(texts)
            heard = [
                [str(e.unit) for e in greedy(row[:n].cpu().numpy())] for row, n in zip(scores, lengths, strict=True)
            ]
            for errors, count in edits([[str(unit) for unit in text] for text in texts], heard):
                wrong, units = wrong + errors, units + count
        return wrong / max(units, 1) + 1e-3 * loss / max(rows, 1)
