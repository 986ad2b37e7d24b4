"""From samples to mel spectra and cepstra, frame by frame, by torch.stft."""

import math
from functools import cached_property

import torch
from torch import Tensor

from recurra.data.audio.spec import FeatureSpec

WARPS = 21
WIDEST_WARP = 0.25


class Spectra:
    """Static features of frames: log-mel energies, or their cepstrum.

        P(t, k) = |sum_n w(n) x(t hop + n) e^(-2 pi i k n / N)|^2 / sum_n w(n)^2,   E = P M^T,   log(E + floor)

    with the Hann window w, N the next power of two, and triangles M that lie evenly on the mel scale
    m(f) = 2595 log10(1 + f / 700). The cepstrum is the orthonormal DCT-II of the log energies. Frames begin at
    multiples of the hop and none reaches over the end, so that a frame never changes once its samples are there.

    Args:
        spec: the settings.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self.window = torch.hann_window(spec.window_samples, periodic=True, dtype=torch.float64)
        self.filters = mel_filters(spec)
        self.cosines = cosine_transform(spec.n_mfcc, spec.n_mels)

    def __call__(self, samples: Tensor, warp: Tensor | None = None) -> Tensor:
        """Features of a batch of signals.

        Args:
            samples: [batch, n], after `emphasise`, zero past a signal's end; n at least `fft_samples`.
            warp: [batch], vocal tract length: frequencies are read at warp times their place; for training only.

        Returns:
            [batch, frames, static features], of the samples' type.
        """
        spec = self.spec
        window = self.window.to(samples.dtype)
        spectrum = torch.stft(
            samples, spec.fft_samples, spec.hop_samples, spec.window_samples, window, center=False, return_complex=True
        )
        power = (spectrum.real.square() + spectrum.imag.square()).transpose(1, 2) / window.square().sum()
        if warp is None:
            energy = power @ self.filters.to(samples.dtype).T
        else:
            at = ((warp - 1.0) / WIDEST_WARP * (WARPS // 2) + WARPS // 2).round().long().clamp(0, WARPS - 1)
            energy = power @ self._warped.to(samples.dtype)[at].transpose(1, 2)
        logs = (energy + spec.floor).log()
        return logs if spec.kind == "log-mel" else logs @ self.cosines.to(samples.dtype).T

    @cached_property
    def _warped(self) -> Tensor:
        places = [1.0 + WIDEST_WARP * (i - WARPS // 2) / (WARPS // 2) for i in range(WARPS)]
        return torch.stack([mel_filters(self.spec, factor) for factor in places])


def emphasise(samples: Tensor, coefficient: float, before: Tensor | None = None) -> Tensor:
    """x(n) - coefficient x(n - 1) along the last axis.

    Args:
        samples: [..., n].
        coefficient: 0 leaves the samples as they are.
        before: [..., 1], the sample before the first one; zero if not given.
    """
    first = torch.zeros_like(samples[..., :1]) if before is None else before
    return samples - coefficient * torch.cat([first, samples[..., :-1]], -1)


def mel_filters(spec: FeatureSpec, warp: float = 1.0) -> Tensor:
    """Triangles on the mel scale, [n_mels, fft_samples / 2 + 1]; their edges moved by the factor `warp`.

    The warp is piecewise linear, so that the highest frequency stays where it is (Jaitly & Hinton 2013).
    """
    high = spec.high_hz or spec.sample_rate_hz / 2
    edges = torch.linspace(_mel(spec.low_hz), _mel(high), spec.n_mels + 2, dtype=torch.float64)
    hz = 700.0 * (10.0 ** (edges / 2595.0) - 1.0)
    if warp != 1.0:
        knee = 0.8 * high * min(warp, 1.0) / warp
        upper = high - (high - warp * knee) * (high - hz) / (high - knee)
        hz = torch.where(hz <= knee, warp * hz, upper)
    bins = torch.linspace(0.0, spec.sample_rate_hz / 2, spec.fft_samples // 2 + 1, dtype=torch.float64)
    left, centre, right = hz[:-2, None], hz[1:-1, None], hz[2:, None]
    rising = (bins - left) / (centre - left).clamp_min(1e-9)
    falling = (right - bins) / (right - centre).clamp_min(1e-9)
    filters = torch.minimum(rising, falling).clamp_min(0.0)
    empty = filters.sum(1) == 0
    nearest = (bins - centre).abs().argmin(1)
    filters[empty, nearest[empty]] = 1.0
    return filters


def _mel(hz: float) -> float:
    return 2595.0 * math.log10(1.0 + hz / 700.0)


def cosine_transform(n_out: int, n_in: int) -> Tensor:
    """The first rows of the orthonormal DCT-II, [n_out, n_in]."""
    k = torch.arange(n_out, dtype=torch.float64)[:, None]
    n = torch.arange(n_in, dtype=torch.float64)
    rows = torch.cos(math.pi / n_in * (n + 0.5) * k) * math.sqrt(2.0 / n_in)
    rows[0] /= math.sqrt(2.0)
    return rows
