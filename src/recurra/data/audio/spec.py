"""What features are made of: settings that are saved with the model, so that training and use never differ."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from recurra.errors import ConfigError, StreamingUnsupported

Kind = Literal["log-mel", "mfcc", "given"]
Normalisation = Literal["utterance", "running", "fixed", "none"]


@dataclass(frozen=True)
class FeatureSpec:
    """Settings of features.

    Args:
        kind: "log-mel" or "mfcc" from samples; "given" for feature matrices that are made already.
        sample_rate_hz: of the samples; other rates are resampled to it.
        window_s: length of a frame, seconds.
        hop_s: distance between frames, seconds; of given features too.
        n_mels: triangles on the mel scale.
        n_mfcc: cepstral coefficients.
        low_hz: lower edge of the first triangle.
        high_hz: upper edge of the last one; half the sample rate if None.
        emphasis: coefficient of the pre-emphasis.
        floor: added to energies before the logarithm; samples are between -1 and 1.
        n_given: columns of given matrices.
        deltas: how many derivatives in time are set beside the features, 0 to 2.
        normalisation: "utterance" to mean 0 and deviation 1 over each utterance, "running" over its recent past,
            "fixed" by the mean and deviation of the training part, or "none".
        memory_s: how far back the running normalisation reaches, seconds.
        prior_s: how many seconds of the training part's mean and deviation the running normalisation begins with.
    """

    kind: Kind = "log-mel"
    sample_rate_hz: int = 16_000
    window_s: float = 0.025
    hop_s: float = 0.010
    n_mels: int = 40
    n_mfcc: int = 13
    low_hz: float = 20.0
    high_hz: float | None = None
    emphasis: float = 0.97
    floor: float = 1e-7
    n_given: int = 0
    deltas: int = 0
    normalisation: Normalisation = "utterance"
    memory_s: float = 3.0
    prior_s: float = 0.5

    def __post_init__(self) -> None:
        for name, known in (("kind", Kind), ("normalisation", Normalisation)):
            if getattr(self, name) not in known.__args__:  # type: ignore[attr-defined]
                choices = ", ".join(known.__args__)  # type: ignore[attr-defined]
                raise ConfigError(f"{name}={getattr(self, name)!r} is unknown; choose from {choices}")
        if self.deltas not in (0, 1, 2):
            raise ConfigError(f"deltas={self.deltas} must be 0, 1 or 2")
        for name in ("sample_rate_hz", "window_s", "hop_s", "n_mels", "floor", "memory_s", "prior_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)} must be above 0")
        if self.kind == "mfcc" and not 0 < self.n_mfcc <= self.n_mels:
            raise ConfigError(f"n_mfcc={self.n_mfcc} must lie between 1 and n_mels={self.n_mels}")
        if self.kind == "given" and self.n_given < 1:
            raise ConfigError(f"n_given={self.n_given}: features that are given need their number of columns")
        if self.kind != "given" and not 0 <= self.low_hz < (self.high_hz or self.sample_rate_hz / 2):
            raise ConfigError(f"low_hz={self.low_hz} must lie between 0 and the highest frequency")
        if (self.high_hz or 0) > self.sample_rate_hz / 2:
            raise ConfigError(f"high_hz={self.high_hz} is above half the sample rate, {self.sample_rate_hz / 2}")

    @property
    def window_samples(self) -> int:
        """Samples of a frame."""
        return max(2, round(self.window_s * self.sample_rate_hz))

    @property
    def hop_samples(self) -> int:
        """Samples from one frame's beginning to the next one's."""
        return max(1, round(self.hop_s * self.sample_rate_hz))

    @property
    def frame_s(self) -> float:
        """Seconds from one frame's beginning to the next one's: a whole number of samples, so not always `hop_s`."""
        return self.hop_s if self.kind == "given" else self.hop_samples / self.sample_rate_hz

    @property
    def fft_samples(self) -> int:
        """Samples of a Fourier transform: the next power of two."""
        return 1 << (self.window_samples - 1).bit_length()

    @property
    def n_static(self) -> int:
        """Features of a frame, without derivatives."""
        return {"log-mel": self.n_mels, "mfcc": self.n_mfcc, "given": self.n_given}[self.kind]

    @property
    def n_features(self) -> int:
        """Features of a frame, derivatives included."""
        return self.n_static * (1 + self.deltas)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a signal; one shorter than a frame is padded to one."""
        return max(0, n_samples - self.fft_samples) // self.hop_samples + 1 if n_samples else 0

    def require_streaming(self) -> None:
        """Refuse features that need the whole utterance.

        Raises:
            StreamingUnsupported: for normalisation per utterance.
        """
        if self.normalisation == "utterance":
            raise StreamingUnsupported(
                "features normalised per utterance need its end, so they cannot stream; "
                "fit with normalisation='running' or 'fixed'"
            )

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return asdict(self)
