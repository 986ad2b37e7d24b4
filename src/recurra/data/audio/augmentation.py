"""Training examples made different each time: speed, gain, noise, shift, vocal tract length, masks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor

from recurra.errors import ConfigError

CURVES = 4
OF_SOUND = ("speed", "warp", "gain_db", "colour_db", "snr_db", "noisy", "shift_s")
NEPER_PER_DB = 0.23025850929940458  # of power: ln(10) / 10


@dataclass(frozen=True)
class Augmentation:
    """How much training examples are changed; nothing is by default. Each row draws its own change.

    Args:
        speed: samples are read up to this share faster or slower; pitch and formants move along.
        tempo: frames are read up to this share faster or slower; pitch and formants stay.
        warp: frequencies are read up to this share higher or lower: another vocal tract length, at most 0.25.
        gain_db: louder or softer by up to this.
        colour_db: each feature of a log-mel spectrum (or its cepstrum) is raised or lowered by a smooth random curve of
            about this height, as another microphone would.
        snr_db: signal to noise ratios, lowest and highest; noise has a random tilt. None for no noise.
        noisy: share of rows that get noise.
        shift_s: silence of up to this many seconds before the signal.
        time_masks: stretches of frames that are set to zero (SpecAugment, Park et al. 2019).
        time_width: longest of them, as a share of the row's frames.
        feature_masks: bands of features that are set to zero.
        feature_width: widest of them, as a share of the features.
    """

    speed: float = 0.0
    tempo: float = 0.0
    warp: float = 0.0
    gain_db: float = 0.0
    colour_db: float = 0.0
    snr_db: tuple[float, float] | None = None
    noisy: float = 0.5
    shift_s: float = 0.0
    time_masks: int = 0
    time_width: float = 0.1
    feature_masks: int = 0
    feature_width: float = 0.15

    def __post_init__(self) -> None:
        for name, highest in (("speed", 0.9), ("tempo", 0.9), ("warp", 0.25), ("time_width", 1), ("feature_width", 1)):
            if not 0 <= getattr(self, name) <= highest:
                raise ConfigError(f"{name}={getattr(self, name)} must lie between 0 and {highest}")
        for name in ("gain_db", "colour_db", "shift_s", "time_masks", "feature_masks"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}={getattr(self, name)} must be 0 or more")
        if self.snr_db is not None and not self.snr_db[0] <= self.snr_db[1]:
            raise ConfigError(f"snr_db={self.snr_db} must be a lower and a higher ratio")

    def to_config(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def change_signals(
    samples: Tensor, lengths: Tensor, how: Augmentation, rate_hz: int, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Speed, shift, gain and noise of signals.

    Args:
        samples: [batch, n], zero past a row's length.
        lengths: [batch].
        how: how much.
        rate_hz: samples a second.
        random: where the changes are drawn from.

    Returns:
        The changed signals and their lengths.
    """
    if how.speed:
        samples, lengths = stretch(samples[..., None], lengths, _factors(how.speed, len(samples), random))
        samples = samples[..., 0]
    if how.shift_s:
        samples, lengths = _shift(samples, lengths, round(how.shift_s * rate_hz), random)
    if how.gain_db:
        gain_db = how.gain_db * (2.0 * torch.rand(len(samples), 1, generator=random) - 1.0)
        samples = samples * 10.0 ** (gain_db / 20.0)
    if how.snr_db is not None:
        samples = add_noise(samples, lengths, how.snr_db, how.noisy, random)
    return samples, lengths


def draw_warp(how: Augmentation, batch: int, random: torch.Generator) -> Tensor | None:
    """A vocal tract length of each row, [batch]."""
    return _factors(how.warp, batch, random) if how.warp else None


def change_frames(static: Tensor, lengths: Tensor, how: Augmentation, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Tempo of static features [batch, frames, features]; the changed frames and their lengths."""
    if not how.tempo:
        return static, lengths
    return stretch(static, lengths, _factors(how.tempo, len(static), random))


def colour(static: Tensor, kind: str, how: Augmentation, random: torch.Generator) -> Tensor:
    """Another microphone: a smooth curve is added to log-mel energies [batch, frames, bands], or to their cepstrum."""
    if not how.colour_db or kind == "given":
        return static
    bands = static.shape[2]
    heights = torch.randn(len(static), 1, CURVES, generator=random) * how.colour_db * NEPER_PER_DB / CURVES**0.5
    if kind == "mfcc":
        scale = (bands / 2.0) ** 0.5
        return torch.cat(
            [static[..., :1], static[..., 1 : CURVES + 1] + scale * heights, static[..., CURVES + 1 :]], -1
        )
    places = (torch.arange(bands) + 0.5) / bands
    curves: Tensor = torch.cos(torch.pi * torch.arange(1, CURVES + 1)[:, None] * places)
    return torch.add(static, heights @ curves)


def mask(x: Tensor, lengths: Tensor, how: Augmentation, random: torch.Generator) -> Tensor:
    """Stretches of frames, and bands of features, set to zero, which is the mean of normalised features."""
    batch, frames, features = x.shape
    for _ in range(how.time_masks):
        width = (torch.rand(batch, generator=random) * how.time_width * lengths).long()
        first = (torch.rand(batch, generator=random) * (lengths - width)).long()
        x = x * ~_between(frames, first, width)[..., None]
    for _ in range(how.feature_masks):
        width = (torch.rand(batch, generator=random) * how.feature_width * features).long()
        first = (torch.rand(batch, generator=random) * (features - width)).long()
        x = x * ~_between(features, first, width)[:, None]
    return x


def stretch(x: Tensor, lengths: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """Rows read at another speed, linearly between their values.

    Args:
        x: [batch, time, width].
        lengths: [batch].
        factors: [batch], steps of the input for one step of the output.
    """
    new = (lengths / factors).long().clamp_min(1)
    places = torch.arange(int(new.max())) * factors[:, None]
    last = (lengths - 1).clamp_min(0)[:, None]
    places = torch.minimum(places, last.to(places.dtype))
    below = places.long()
    above = torch.minimum(below + 1, last)
    share = (places - below)[..., None].to(x.dtype)
    width = x.shape[2]
    low, high = (x.gather(1, at[..., None].expand(-1, -1, width)) for at in (below, above))
    inside = (torch.arange(places.shape[1]) < new[:, None])[..., None]
    return (low + share * (high - low)) * inside, new


def add_noise(
    samples: Tensor, lengths: Tensor, snr_db: tuple[float, float], noisy: float, random: torch.Generator
) -> Tensor:
    """Gaussian noise, its spectrum falling as f^-tilt with a random tilt between 0 and 1, at a random ratio."""
    batch, n = samples.shape
    spectrum = torch.fft.rfft(torch.randn(batch, n, generator=random))
    tilt = torch.rand(batch, 1, generator=random)
    noise = torch.fft.irfft(spectrum * torch.arange(1, spectrum.shape[1] + 1) ** -tilt, n)
    inside = torch.arange(n) < lengths[:, None]
    power = samples.square().sum(1, keepdim=True) / lengths[:, None].clamp_min(1)
    ratio_db = snr_db[0] + (snr_db[1] - snr_db[0]) * torch.rand(batch, 1, generator=random)
    wanted = (power * 10.0 ** (-ratio_db / 10.0)).sqrt() * (torch.rand(batch, 1, generator=random) < noisy)
    added: Tensor = noise / noise.square().mean(1, keepdim=True).sqrt() * wanted * inside
    return torch.add(samples, added.to(samples.dtype))


def _shift(samples: Tensor, lengths: Tensor, most: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    before = torch.randint(0, most + 1, (len(samples),), generator=random)
    new = lengths + before
    places = torch.arange(int(new.max())) - before[:, None]
    inside = (places >= 0) & (places < lengths[:, None])
    return samples.gather(1, places.clamp(0, samples.shape[1] - 1)) * inside, new


def _factors(most: float, batch: int, random: torch.Generator) -> Tensor:
    return 1.0 + most * (2.0 * torch.rand(batch, generator=random) - 1.0)


def _between(n: int, first: Tensor, width: Tensor) -> Tensor:
    steps = torch.arange(n)
    return (steps >= first[:, None]) & (steps < (first + width)[:, None])


PRESETS: dict[str, dict[str, Any]] = {
    "none": {},
    "light": {
        "tempo": 0.1, "gain_db": 6.0, "time_masks": 1, "time_width": 0.1, "feature_masks": 1, "feature_width": 0.15,
    },
    "strong": {
        "speed": 0.1, "tempo": 0.2, "warp": 0.15, "gain_db": 12.0, "colour_db": 6.0, "snr_db": (5.0, 30.0),
        "shift_s": 0.05, "time_masks": 1, "time_width": 0.2, "feature_masks": 2, "feature_width": 0.2,
    },
}  # fmt: skip


def parse_augmentation(words: Sequence[str], given: bool = False) -> Augmentation:
    """An augmentation in words: the name of a preset, then settings such as "speed=0.2" or "snr_db=5:30".

    Args:
        words: the preset and the settings.
        given: whether features are ready-made, so that a preset changes frames only.

    Raises:
        ConfigError: for a word that is neither; names the closest settings. Or for one that changes sound where there
            is none.

    >>> parse_augmentation(["light", "speed=0.1"]).speed
    0.1
    """
    chosen: dict[str, Any] = {}
    known = {field.name: field.default for field in fields(Augmentation)}
    for word in words:
        name, equals, value = word.partition("=")
        if word in PRESETS:
            chosen.update(PRESETS[word])
        elif equals and given and name in OF_SOUND:
            raise ConfigError(f"augment={word!r} changes sound, which ready-made features are no longer; leave it out")
        elif equals and name in known:
            chosen[name] = _parsed(word, name, value, known[name])
        else:
            raise ConfigError(
                f"augment={word!r} is unknown; use {', '.join(PRESETS)}, or name=number with one of {', '.join(known)}"
            )
    return Augmentation(**chosen)


def _parsed(word: str, name: str, value: str, default: Any) -> Any:
    try:
        if name == "snr_db":
            low, _, high = value.partition(":")
            return (float(low), float(high or low))
        return int(value) if isinstance(default, int) else float(value)
    except ValueError:
        raise ConfigError(f"augment={word!r}: {value!r} is no number") from None
