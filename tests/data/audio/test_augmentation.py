"""Changes of training examples: of the size asked for, within each row, and the same for the same seed."""

import numpy as np
import pytest
import torch

from recurra.data.audio.augmentation import (
    PRESETS,
    Augmentation,
    add_noise,
    change_frames,
    change_signals,
    colour,
    draw_warp,
    mask,
    parse_augmentation,
    stretch,
)
from recurra.errors import ConfigError


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_nothing_is_changed_by_default() -> None:
    x, lengths = torch.randn(3, 50, generator=generator()), torch.tensor([50, 20, 1])
    found, same = change_signals(x, lengths, Augmentation(), 8000, generator())
    assert found is x
    assert same is lengths
    assert draw_warp(Augmentation(), 3, generator()) is None


def test_a_row_read_faster_is_shorter_and_straight_lines_stay_straight() -> None:
    """Expected: a ramp read twice as fast is the ramp of double slope, of half the length."""
    ramp = torch.arange(10.0)[None, :, None].repeat(2, 1, 1)
    found, lengths = stretch(ramp, torch.tensor([10, 6]), torch.tensor([2.0, 0.5]))
    assert lengths.tolist() == [5, 12]
    torch.testing.assert_close(found[0, :5, 0], torch.arange(0.0, 10.0, 2.0))
    torch.testing.assert_close(found[1, :11, 0], torch.arange(0.0, 5.5, 0.5))
    assert bool((found[0, 5:] == 0).all())


@pytest.mark.parametrize("ratio_db", [0.0, 20.0])
def test_noise_has_the_ratio_asked_for(ratio_db: float) -> None:
    """Expected: SNR in dB = 10 log10(signal power / noise power), over the row's own samples."""
    x = torch.zeros(4, 8000)
    x[:, :6000] = torch.sin(torch.arange(6000) / 5)
    noisy = add_noise(x, torch.full((4,), 6000), (ratio_db, ratio_db), 1.0, generator())
    noise = (noisy - x)[:, :6000]
    found = 10 * torch.log10(x[:, :6000].square().mean(1) / noise.square().mean(1))
    np.testing.assert_allclose(found, ratio_db, atol=1.0)
    assert bool((noisy[:, 6000:] == 0).all())


def test_shift_and_gain_move_the_signal_as_a_whole() -> None:
    x = torch.zeros(8, 100)
    x[:, :40] = torch.randn(8, 40, generator=generator())
    how = Augmentation(shift_s=0.01, gain_db=6.0)
    found, lengths = change_signals(x, torch.full((8,), 40), how, 8000, generator())
    for row, n, old in zip(found, lengths.tolist(), x, strict=True):
        gain = row[n - 40 : n] / old[:40]
        torch.testing.assert_close(gain, gain[:1].expand(40))
        assert 10 ** (-6 / 20) <= float(gain[0]) <= 10 ** (6 / 20)
        assert bool((row[: n - 40] == 0).all())
    assert len(set(lengths.tolist())) > 1


def test_masks_zero_stretches_within_the_row() -> None:
    x, lengths = torch.ones(16, 40, 10), torch.full((16,), 30)
    found = mask(
        x, lengths, Augmentation(time_masks=1, time_width=0.3, feature_masks=1, feature_width=0.4), generator()
    )
    gone = found == 0
    assert 0 < int(gone.all(2).sum(1).max()) <= 9
    assert not bool(gone.all(2)[:, 30:].any())
    assert 0 < int(gone.all(1).sum(1).max()) <= 4


def test_another_microphone_adds_the_same_curve_to_every_frame() -> None:
    x = torch.randn(4, 20, 12, generator=generator())
    for kind in ("log-mel", "mfcc"):
        curve = colour(x, kind, Augmentation(colour_db=6.0), generator()) - x
        torch.testing.assert_close(curve, curve[:, :1].expand_as(curve), atol=1e-5, rtol=0)
        assert float(curve.abs().max()) > 0
    assert colour(x, "given", Augmentation(colour_db=6.0), generator()) is x


def test_the_same_seed_gives_the_same_changes() -> None:
    how = parse_augmentation(["strong"])
    x, lengths = torch.randn(3, 900, generator=generator()), torch.tensor([900, 500, 700])
    first, other = (change_signals(x, lengths, how, 8000, generator())[0] for _ in range(2))
    torch.testing.assert_close(first, other, rtol=0, atol=0)
    frames = torch.randn(2, 30, 4, generator=generator())
    first, other = (change_frames(frames, torch.tensor([30, 9]), how, generator())[0] for _ in range(2))
    torch.testing.assert_close(first, other, rtol=0, atol=0)


def test_words_make_settings() -> None:
    assert parse_augmentation(["none"]) == Augmentation()
    assert parse_augmentation(["strong", "speed=0.3", "snr_db=0:10"]) == Augmentation(
        **{**PRESETS["strong"], "speed": 0.3, "snr_db": (0.0, 10.0)}
    )


@pytest.mark.parametrize("word", ["strongest", "loud=3", "speed=fast"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        parse_augmentation([word])


@pytest.mark.parametrize("wrong", [{"speed": 1.0}, {"warp": 0.3}, {"gain_db": -1.0}, {"snr_db": (3.0, 1.0)}])
def test_settings_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Augmentation(**wrong)


def test_ready_made_features_take_no_change_of_sound() -> None:
    assert parse_augmentation(["light", "tempo=0.1"], given=True).tempo == 0.1
    with pytest.raises(ConfigError, match=r"snr_db=0:5.* changes sound"):
        parse_augmentation(["snr_db=0:5"], given=True)
