"""Features of a signal that comes in chunks of any size: the same numbers as offline."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.data.audio.derivatives import DerivativeStream
from recurra.data.audio.features import FeatureExtractor
from recurra.data.audio.normalisation import RunningNormaliser
from recurra.data.audio.spectra import emphasise


class FeatureStream:
    """Samples in, finished frames out; holds less than one frame of samples, and a few frames for derivatives.

    Args:
        extractor: what features are made of.

    Raises:
        StreamingUnsupported: if they are normalised per utterance.
    """

    def __init__(self, extractor: FeatureExtractor) -> None:
        extractor.spec.require_streaming()
        self.extractor, self.spec = extractor, extractor.spec
        self.reset()

    def reset(self) -> None:
        """Begin a new utterance."""
        spec = self.spec
        self._tail = torch.zeros(0, dtype=torch.float64)
        self._before = torch.zeros(1, dtype=torch.float64)
        self._frames = 0
        self._samples = 0
        self._derivatives = DerivativeStream(spec.deltas, spec.n_static)
        self._running = RunningNormaliser(spec, 1, spec.n_features, torch.float64)

    def push(self, chunk: npt.NDArray[np.floating]) -> Tensor:
        """More samples [n] at the model's rate (or given frames [n, n_static]) in, finished frames out."""
        if len(chunk) == 0:
            return torch.zeros(0, self.spec.n_features, dtype=torch.float64)
        x = torch.from_numpy(np.asarray(chunk, np.float64))
        return self._normalise(self._derivatives.push(x if self.extractor.spectra is None else self._static(x)))

    def finish(self) -> Tensor:
        """The frames that only the end of the utterance completes."""
        frames = torch.zeros(0, self.spec.n_static, dtype=torch.float64)
        if self.extractor.spectra is not None and self._samples and not self._frames:
            short = torch.nn.functional.pad(self._tail, (0, self.spec.fft_samples - len(self._tail)))
            frames = self.extractor.spectra(short[None])[0]
        parts = [self._derivatives.push(frames), self._derivatives.finish()] if self.spec.deltas else [frames]
        return self._normalise(torch.cat(parts))

    def _static(self, samples: Tensor) -> Tensor:
        spec, spectra = self.spec, self.extractor.spectra
        assert spectra is not None
        self._samples += len(samples)
        self._tail = torch.cat([self._tail, emphasise(samples, spec.emphasis, self._before)])
        self._before = samples[-1:]
        ready = (len(self._tail) - spec.fft_samples) // spec.hop_samples + 1
        if ready <= 0:
            return torch.zeros(0, spec.n_static, dtype=torch.float64)
        frames = spectra(self._tail[None, : (ready - 1) * spec.hop_samples + spec.fft_samples])[0]
        self._tail = self._tail[ready * spec.hop_samples :]
        self._frames += ready
        return frames

    def _normalise(self, x: Tensor) -> Tensor:
        if self.spec.normalisation == "none" or not len(x):
            return x
        x = self.extractor.standard(x)
        return self._running.push(x[None])[0] if self.spec.normalisation == "running" else x
