"""Sound to what a network reads: files, features, augmentation, alphabets, manifests; spectra by torch.stft."""

from recurra.data.audio.alphabet import BLANK, Alphabet, Units, frames_needed, split_units
from recurra.data.audio.augmentation import Augmentation
from recurra.data.audio.feature_stream import FeatureStream
from recurra.data.audio.features import FeatureExtractor
from recurra.data.audio.files import read_recording
from recurra.data.audio.manifest import Utterances, read_folder, read_manifest
from recurra.data.audio.mfc import read_mfc
from recurra.data.audio.recording import Recording, as_recording
from recurra.data.audio.resampling import resample
from recurra.data.audio.source import FeatureSource
from recurra.data.audio.spec import FeatureSpec

__all__ = [
    "BLANK",
    "Alphabet",
    "Augmentation",
    "FeatureExtractor",
    "FeatureSource",
    "FeatureSpec",
    "FeatureStream",
    "Recording",
    "Units",
    "Utterances",
    "as_recording",
    "frames_needed",
    "read_folder",
    "read_manifest",
    "read_mfc",
    "read_recording",
    "resample",
    "split_units",
]
