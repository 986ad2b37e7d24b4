"""Where a training batch comes from: recordings or matrices by number, changed or as they are."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.data.audio.augmentation import (
    Augmentation,
    change_frames,
    change_signals,
    colour,
    draw_warp,
    mask,
)
from recurra.data.audio.features import FeatureExtractor, Matrix
from recurra.data.audio.recording import Recording


class FeatureSource:
    """Features of chosen utterances, in float32.

    Args:
        inputs: recordings, or feature matrices [frames, n_static].
        extractor: what features are made of.
        augmentation: how training examples are changed.
    """

    def __init__(
        self,
        inputs: Sequence[Recording | Matrix],
        extractor: FeatureExtractor,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.extractor, self.augmentation = extractor, augmentation or Augmentation()
        rate = extractor.spec.sample_rate_hz
        self._items = [item.at_rate(rate) if isinstance(item, Recording) else np.asarray(item) for item in inputs]

    def __len__(self) -> int:
        """Utterances."""
        return len(self._items)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Samples, or frames, of each utterance."""
        return np.array([len(i.samples) if isinstance(i, Recording) else len(i) for i in self._items], np.int64)

    def plain(self, chosen: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Features [batch, frames, n_features] of utterances as they are, and their lengths."""
        return self.extractor([self._items[i] for i in chosen], torch.float32)

    def changed(self, chosen: npt.NDArray[np.int64], random: torch.Generator) -> tuple[Tensor, Tensor]:
        """The same of utterances that are changed as the augmentation says."""
        how, extractor = self.augmentation, self.extractor
        items = [self._items[i] for i in chosen]
        recordings = [item for item in items if isinstance(item, Recording)]
        if recordings:
            samples, lengths = extractor.samples(recordings, torch.float32)
            samples, lengths = change_signals(samples, lengths, how, extractor.spec.sample_rate_hz, random)
            samples = torch.nn.functional.pad(samples, (0, max(0, extractor.spec.fft_samples - samples.shape[1])))
            static, lengths = extractor.static(samples, lengths, draw_warp(how, len(items), random))
            static = colour(static[:, : int(lengths.max())], extractor.spec.kind, how, random)
        else:
            static, lengths = extractor.matrices([np.asarray(item) for item in items], torch.float32)
        static, lengths = change_frames(static, lengths, how, random)
        return mask(extractor.finish(static, lengths), lengths, how, random), lengths
