"""The whole way from samples, or given matrices, to what a network reads; offline."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recurra.data.audio.derivatives import with_derivatives
from recurra.data.audio.normalisation import SMALLEST, RunningNormaliser, normalise_utterance
from recurra.data.audio.recording import Recording
from recurra.data.audio.spec import FeatureSpec
from recurra.data.audio.spectra import Spectra, emphasise
from recurra.errors import AudioError, ShapeError

Matrix = npt.NDArray[np.floating]


class FeatureExtractor:
    """Features as the settings say, with the mean and deviation of the training part.

    Args:
        spec: the settings.
        shift: [features], mean of the training part; zeros until fitted.
        scale: [features], its deviation; ones until fitted.
    """

    def __init__(self, spec: FeatureSpec, shift: Tensor | None = None, scale: Tensor | None = None) -> None:
        self.spec = spec
        self.spectra = None if spec.kind == "given" else Spectra(spec)
        self.shift = torch.zeros(spec.n_features, dtype=torch.float64) if shift is None else shift.double()
        self.scale = torch.ones(spec.n_features, dtype=torch.float64) if scale is None else scale.double()

    def samples(self, recordings: Sequence[Recording], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
        """Recordings side by side at the model's rate, zero past their ends, [batch, n], and their lengths."""
        signals = [recording.at_rate(self.spec.sample_rate_hz).samples for recording in recordings]
        lengths = torch.tensor([len(signal) for signal in signals])
        padded = torch.zeros(len(signals), max(int(lengths.max()), self.spec.fft_samples), dtype=dtype)
        for row, signal in zip(padded, signals, strict=True):
            row[: len(signal)] = torch.from_numpy(signal)
        return padded, lengths

    def static(self, samples: Tensor, lengths: Tensor, warp: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features of frames without derivatives and normalisation, [batch, frames, n_static], and their lengths."""
        if self.spectra is None:
            raise AudioError("this model reads ready-made feature matrices, not audio; hand in [frames, columns]")
        frames = torch.tensor([self.spec.n_frames(n) for n in lengths.tolist()])
        inside = torch.arange(samples.shape[1]) < lengths[:, None]
        return self.spectra(emphasise(samples, self.spec.emphasis) * inside, warp), frames

    def matrices(self, given: Sequence[Matrix], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
        """Given feature matrices [frames, n_static] side by side, zero past their ends, and their lengths."""
        for i, matrix in enumerate(given):
            if matrix.ndim != 2 or matrix.shape[1] != self.spec.n_static or len(matrix) == 0:
                raise ShapeError(
                    f"sequence {i} has the shape {list(matrix.shape)}; this model reads [frames, {self.spec.n_static}] "
                    "with at least one frame"
                )
        lengths = torch.tensor([len(matrix) for matrix in given])
        padded = torch.zeros(len(given), int(lengths.max()), self.spec.n_static, dtype=dtype)
        for row, matrix in zip(padded, given, strict=True):
            row[: len(matrix)] = torch.as_tensor(matrix)
        return padded, lengths

    def finish(self, static: Tensor, lengths: Tensor) -> Tensor:
        """Derivatives and normalisation, [batch, frames, n_features]; zero past a row's end."""
        x = with_derivatives(static, self.spec.deltas, lengths)
        inside = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]
        match self.spec.normalisation:
            case "utterance":
                return normalise_utterance(x, lengths)
            case "running":
                normaliser = RunningNormaliser(self.spec, len(x), x.shape[2], x.dtype)
                return normaliser.push(self.standard(x)) * inside
            case "fixed":
                return self.standard(x) * inside
        return x * inside

    def standard(self, x: Tensor) -> Tensor:
        """In units of the training part's mean and deviation."""
        return (x - self.shift.to(x.dtype)) / self.scale.to(x.dtype)

    def __call__(
        self, inputs: Sequence[Recording | Matrix], dtype: torch.dtype = torch.float64
    ) -> tuple[Tensor, Tensor]:
        """Features of recordings or of given matrices, [batch, frames, n_features], and their lengths."""
        static, lengths = self._static_of(inputs, dtype)
        return self.finish(static, lengths), lengths

    def _static_of(self, inputs: Sequence[Recording | Matrix], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        recordings = [item for item in inputs if isinstance(item, Recording)]
        if recordings:
            return self.static(*self.samples(recordings, dtype))
        return self.matrices([np.asarray(item) for item in inputs], dtype)

    def fit(self, inputs: Sequence[Recording | Matrix]) -> "FeatureExtractor":
        """An extractor with the same settings and the mean and deviation of these inputs' frames."""
        total = square = torch.zeros(self.spec.n_features, dtype=torch.float64)
        count = 0
        for first in range(0, len(inputs), 64):
            static, lengths = self._static_of(inputs[first : first + 64], torch.float64)
            x = with_derivatives(static, self.spec.deltas, lengths)
            frames = x[torch.arange(x.shape[1]) < lengths[:, None]]
            total, square, count = total + frames.sum(0), square + frames.square().sum(0), count + len(frames)
        mean = total / max(count, 1)
        deviation = (square / max(count, 1) - mean.square()).clamp_min(0.0).sqrt()
        return FeatureExtractor(self.spec, mean, torch.where(deviation > SMALLEST, deviation, torch.ones(())))

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder; shift and scale are kept as tensors."""
        return self.spec.to_config()

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], shift: Tensor, scale: Tensor) -> "FeatureExtractor":
        """The extractor that was saved."""
        return cls(FeatureSpec(**config), shift, scale)
