"""recurra fit --task speech, and --task classify: learn from a manifest of recordings, or a folder of them."""

import warnings
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import say
from recurra.cli._settings import flags, settings
from recurra.cli.app import FAILED
from recurra.cli.fit import PROGRESS, train_and_save
from recurra.errors import RecordingWarning
from recurra.learners.speech_schema import ClassifierConfig, RecognizerConfig

SpeechFlags: Any = flags(RecognizerConfig, progress=PROGRESS)
ClassifierFlags: Any = flags(ClassifierConfig, progress=PROGRESS)
NO_SPEECH_FLAGS, NO_CLASSIFIER_FLAGS = SpeechFlags(), ClassifierFlags()


def fit_speech(
    source: str,
    /,
    *,
    out: Path,
    rule: str | None = None,
    overwrite: bool = False,
    config: Path | None = None,
    given: Annotated[SpeechFlags, Parameter(name="*")] = NO_SPEECH_FLAGS,
    common: Common = NO_FLAGS,
) -> int:
    """Train a speech recogniser, and save it.

    Args:
        source: Manifest (a table with path, text and, if known, speaker and split), or a folder of recordings.
        out: Folder for the model.
        rule: How a folder's files are named, such as "{speaker}/{text}.wav".
        overwrite: Replace the model that is in that folder.
        config: TOML file with settings in a table named speech; flags win over it.
        given: Settings of the recogniser.
        common: Flags that every verb has.
    """
    from recurra import SpeechRecognizer

    learner = SpeechRecognizer(**_settings(RecognizerConfig, given, config, "speech", common))
    return _fit(learner, source, rule, out, overwrite, common)


def fit_classifier(
    source: str,
    /,
    *,
    out: Path,
    rule: str | None = None,
    overwrite: bool = False,
    config: Path | None = None,
    given: Annotated[ClassifierFlags, Parameter(name="*")] = NO_CLASSIFIER_FLAGS,
    common: Common = NO_FLAGS,
) -> int:
    """Train a classifier of sequences, and save it.

    Args:
        source: Manifest (a table with path, label and, if known, speaker and split), or a folder of recordings.
        out: Folder for the model.
        rule: How a folder's files are named, such as "{label}_{speaker}_{take}.wav".
        overwrite: Replace the model that is in that folder.
        config: TOML file with settings in a table named classify; flags win over it.
        given: Settings of the classifier.
        common: Flags that every verb has.
    """
    from recurra import SequenceClassifier

    learner = SequenceClassifier(**_settings(ClassifierConfig, given, config, "classify", common))
    return _fit(learner, source, rule, out, overwrite, common)


def _settings(schema: Any, given: object, config: Path | None, table: str, common: Common) -> dict[str, Any]:
    progress = "json" if common.json else PROGRESS
    return {"progress": progress, **settings(schema, given, config, table)}


def _fit(learner: Any, source: str, rule: str | None, out: Path, overwrite: bool, common: Common) -> int:
    """Train and save; inputs that could not be used are listed at the end, and the exit code says so."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        code = train_and_save(learner, lambda: learner.fit(source, rule=rule), out, overwrite, common)
    for warning in caught:
        if not issubclass(warning.category, RecordingWarning):
            say(f"recurra: warning: {warning.message}")
    for problem in learner.skipped_:
        say(f"recurra: left out: {problem}")
    return code or (FAILED if learner.skipped_ else code)
