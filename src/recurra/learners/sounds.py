"""What SequenceClassifier and SpeechRecognizer share: from inputs and settings to a trained network."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from recurra.data.audio import FeatureExtractor, FeatureSource, FeatureSpec
from recurra.data.audio.augmentation import parse_augmentation
from recurra.data.audio.inputs import Input, items_of, read_inputs, width_of
from recurra.data.audio.manifest import Utterances, read_folder, read_manifest
from recurra.data.audio.speakers import Parts, split_speakers, warn_of_overlap
from recurra.errors import AudioError, ConfigError, NonFiniteLossError, RecordingWarning, ShapeError, TranscriptWarning
from recurra.learners.fitting import on_device, seeded, training_options
from recurra.learners.speech_schema import SoundConfig
from recurra.training import History, Trainer, build_progress


@dataclass(frozen=True)
class Loaded:
    """Utterances that could be read, in two parts, and the problems of those that could not."""

    train: Utterances
    validation: Utterances
    spec: FeatureSpec
    skipped: tuple[str, ...]


def as_utterances(inputs: Any, targets: Any, speakers: Any, rule: str | None) -> Utterances:
    """What `fit` was handed, as utterances.

    Args:
        inputs: a manifest (table or path), a folder (with `rule`), `Utterances`, or a sequence of inputs.
        targets: labels or texts of a sequence of inputs; None for the others.
        speakers: who speaks, for a sequence of inputs.
        rule: naming rule of a folder.

    Raises:
        ShapeError: there are not as many targets as inputs, or they are no list.
        AudioError: the inputs are one input.
        ConfigError: a folder without a rule, or a sequence of inputs without targets.
    """
    if isinstance(inputs, Utterances):
        return inputs
    if targets is None:
        if isinstance(inputs, str | PathLike) and Path(inputs).is_dir():
            if rule is None:
                raise ConfigError(
                    f"{inputs} is a folder: say how files are named, such as rule='{{label}}_{{speaker}}_{{take}}.wav'"
                )
            return read_folder(inputs, rule)
        if isinstance(inputs, list | tuple | np.ndarray):
            raise ConfigError("a list of inputs needs its labels or texts: fit(X, y)")
        return read_manifest(inputs)
    items, wanted = items_of(inputs), list(targets)
    if any(isinstance(target, list | tuple | np.ndarray) for target in wanted):
        raise ShapeError("y should hold one label or text for each input, [n]; for a column [n, 1] give y.ravel()")
    if len(items) != len(wanted):
        raise ShapeError(f"{len(items)} inputs and {len(wanted)} targets do not belong together")
    return Utterances(tuple(items), tuple(wanted), None if speakers is None else tuple(map(str, speakers)))


def load_parts(utterances: Utterances, config: SoundConfig) -> Loaded:
    """Read every input, leave out what cannot be used, and split by speaker; a speaker on both sides is warned of."""
    warn_of_overlap(utterances)
    wanted = utterances.of_split("train", "validation")
    spec = feature_spec(config, wanted.inputs)
    read, problems = read_inputs(wanted.inputs, spec)
    report_problems(problems, len(wanted), config)
    good = wanted.select([i for i, item in enumerate(read) if item is not None])
    usable = Utterances(tuple(item for item in read if item is not None), good.targets, good.speakers, good.splits)
    parts: Parts = split_speakers(usable, config.validation, config.seed)
    return Loaded(parts.train, parts.validation, spec, tuple(problems.values()))


def report_problems(problems: dict[int, str], total: int, config: SoundConfig) -> None:
    """Refuse, or warn of, inputs that cannot be used; all of them in one message."""
    if not problems:
        return
    listed = "; ".join(list(problems.values())[:10]) + ("; ..." if len(problems) > 10 else "")
    message = f"{len(problems)} of {total} inputs cannot be used: {listed}"
    if config.bad_inputs == "refuse" or len(problems) == total:
        raise AudioError(message)
    warnings.warn(message, RecordingWarning, stacklevel=5)


def feature_spec(config: SoundConfig, inputs: Sequence[Any]) -> FeatureSpec:
    """The features that the settings ask for."""
    return FeatureSpec(
        kind=config.features,
        sample_rate_hz=config.sample_rate_hz,
        window_s=config.window_s,
        hop_s=config.hop_s,
        n_mels=config.n_mels,
        n_mfcc=config.n_mfcc,
        n_given=width_of(inputs, config.n_coefficients) if config.features == "given" else 0,
        deltas=config.deltas,
        normalisation=config.normalisation,
    )


@dataclass(frozen=True)
class Prepared:
    """Features fitted on the training part, and the sources of both parts."""

    extractor: FeatureExtractor
    train: FeatureSource
    validation: FeatureSource | None


def prepare(loaded: Loaded, config: SoundConfig) -> Prepared:
    """Features and batches of both parts."""
    train: list[Input] = list(loaded.train.inputs)
    extractor = FeatureExtractor(loaded.spec).fit(train)
    held = FeatureSource(loaded.validation.inputs, extractor) if len(loaded.validation) else None
    augmentation = parse_augmentation(config.augment, config.features == "given")
    return Prepared(extractor, FeatureSource(train, extractor, augmentation), held)


def warn_of_unlearned(kind: str, learned: Iterable[Any], held: Iterable[Any]) -> None:
    """Name the classes or units that the validation part has and no training example: each of them counts as wrong."""
    known = set(learned)
    unlearned = sorted({str(name) for name in held if name not in known})
    if unlearned:
        shown = ", ".join(map(repr, unlearned[:5])) + (", ..." if len(unlearned) > 5 else "")
        warnings.warn(
            f"the validation part has {len(unlearned)} of the {kind} to itself ({shown}): nothing teaches them, so "
            "each counts as wrong there; draw other speakers with another seed, or split by hand",
            TranscriptWarning,
            stacklevel=4,
        )


def build(make: Callable[[], nn.Module], config: SoundConfig) -> Any:
    """A network with its starting weights, drawn from the seed without touching the global generator."""
    with seeded(config):
        network = make()
    return on_device(network, config.device)


def run_training(
    network: nn.Module, task: Any, config: SoundConfig, validated: bool
) -> tuple[History, NonFiniteLossError | None]:
    """Train, and keep the best weights on the validation part, or the last ones where there is none."""
    options = training_options(config)
    if not validated:
        options = replace(options, keep="last", patience=config.max_epochs)
    trainer = Trainer(network, task, options, build_progress(config.progress))
    error = None
    with seeded(config):
        try:
            trainer.run()
        except NonFiniteLossError as problem:
            error = problem
    return trainer.history, error
