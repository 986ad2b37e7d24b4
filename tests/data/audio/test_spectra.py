"""Spectra against plain NumPy, and what warping and short signals do."""

import numpy as np
import pytest
import torch

from recurra.data.audio.spec import FeatureSpec
from recurra.data.audio.spectra import Spectra, cosine_transform, emphasise, mel_filters

SPEC = FeatureSpec(sample_rate_hz=8000, n_mels=20)


def test_log_mel_is_that_of_numpy(rng: np.random.Generator) -> None:
    """Expected: frames cut by hand, NumPy's FFT, the same triangles."""
    x = rng.standard_normal(1000)
    found = Spectra(SPEC)(torch.from_numpy(x)[None])[0].numpy()
    n = np.arange(SPEC.window_samples)
    window = np.zeros(SPEC.fft_samples)
    left = (SPEC.fft_samples - SPEC.window_samples) // 2
    window[left : left + len(n)] = 0.5 - 0.5 * np.cos(2 * np.pi * n / SPEC.window_samples)
    frames = [x[s : s + SPEC.fft_samples] * window for s in range(0, 1000 - SPEC.fft_samples + 1, SPEC.hop_samples)]
    power = np.abs(np.fft.rfft(np.array(frames))) ** 2 / (window**2).sum()
    np.testing.assert_allclose(found, np.log(power @ mel_filters(SPEC).numpy().T + SPEC.floor), atol=1e-9)
    assert len(frames) == SPEC.n_frames(1000)


def test_a_cepstrum_is_the_cosine_transform_of_the_logs(rng: np.random.Generator) -> None:
    """Expected: SciPy's orthonormal DCT-II."""
    from dataclasses import replace

    from scipy.fft import dct

    x = torch.from_numpy(rng.standard_normal((1, 1000)))
    logs = Spectra(SPEC)(x).numpy()
    found = Spectra(replace(SPEC, kind="mfcc", n_mfcc=13))(x).numpy()
    np.testing.assert_allclose(found, dct(logs, type=2, norm="ortho", axis=-1)[..., :13], atol=1e-9)


def test_cosines_are_orthonormal() -> None:
    rows = cosine_transform(7, 7)
    torch.testing.assert_close(rows @ rows.T, torch.eye(7, dtype=torch.float64))


@pytest.mark.parametrize(("rate", "mels"), [(8000, 80), (16000, 40), (48000, 128)])
def test_every_triangle_has_a_bin(rate: int, mels: int) -> None:
    filters = mel_filters(FeatureSpec(sample_rate_hz=rate, n_mels=mels))
    assert bool((filters.sum(1) > 0).all())
    assert bool((filters >= 0).all())


def test_a_tone_is_loudest_in_its_triangle_and_a_warp_moves_it() -> None:
    """Expected: with a warp above 1 triangles lie higher, so the tone falls into a lower one."""
    tone = torch.sin(2 * torch.pi * 1500 * torch.arange(2000, dtype=torch.float64) / 8000)[None]
    spectra = Spectra(SPEC)
    plain = int(spectra(tone)[0, 5].argmax())
    bins = torch.linspace(0, 4000, SPEC.fft_samples // 2 + 1, dtype=torch.float64)
    wanted = int((mel_filters(SPEC)[:, (bins - 1500).abs().argmin()]).argmax())
    assert plain == wanted
    assert (
        int(spectra(tone, torch.tensor([1.2]))[0, 5].argmax())
        < plain
        < int(spectra(tone, torch.tensor([0.8]))[0, 5].argmax())
    )
    torch.testing.assert_close(spectra(tone, torch.tensor([1.0])), spectra(tone))


def test_emphasis_takes_the_sample_before() -> None:
    x = torch.tensor([1.0, 2.0, 4.0])
    torch.testing.assert_close(emphasise(x, 0.5), torch.tensor([1.0, 1.5, 3.0]))
    torch.testing.assert_close(emphasise(x[1:], 0.5, x[:1]), torch.tensor([1.5, 3.0]))
