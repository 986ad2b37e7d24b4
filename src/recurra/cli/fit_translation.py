"""recurra fit --task translation: learn to translate from two files of lines, a table or a TSV of pairs."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import say
from recurra.cli._settings import flags, settings
from recurra.cli.app import INTERRUPTED
from recurra.cli.fit import PROGRESS, train_and_save
from recurra.errors import ConfigError
from recurra.learners.translation_schema import TranslatorConfig

TABLE = "translation"
TranslatorFlags: Any = flags(TranslatorConfig, progress=PROGRESS)
NOTHING_GIVEN = TranslatorFlags()


def fit_translation(
    *,
    source: str,
    target: str | None = None,
    out: Path,
    validation_source: str | None = None,
    validation_target: str | None = None,
    resume: Path | None = None,
    continue_from: Path | None = None,
    overwrite: bool = False,
    config: Path | None = None,
    given: Annotated[TranslatorFlags, Parameter(name="*")] = NOTHING_GIVEN,
    common: Common = NO_FLAGS,
) -> int:
    """Train a translator on pairs of texts, and save it.

    Args:
        source: File with one text a line; or, without --target, a .tsv of pairs or a table with the two columns.
        target: File with their translations, line for line.
        out: Folder for the model.
        validation_source: Texts to validate on; a share of the pairs if not given.
        validation_target: Their translations.
        resume: Folder that keeps the run after each epoch; a run that was broken off goes on from there.
        continue_from: Model to go on from, with its vocabularies, weights and settings.
        overwrite: Replace the model that is in that folder.
        config: TOML file with settings in a table named translation; flags win over it.
        given: Settings of the translator.
        common: Flags that every verb has.
    """
    import recurra

    if validation_target is not None and validation_source is None:
        raise ConfigError("--validation-target needs --validation-source")
    progress = "json" if common.json else PROGRESS
    chosen = {"progress": progress, **settings(TranslatorConfig, given, config, TABLE)}
    held: Any = validation_source if validation_target is None else (validation_source, validation_target)
    if continue_from is None:
        learner = recurra.Translator(**chosen)
        train = learner.fit
    else:
        learner = recurra.load(continue_from)
        if not isinstance(learner, recurra.Translator):
            raise ConfigError(
                f"{continue_from} is no translator but a {type(learner).__name__}; go on from a translator"
            )
        learner.set_params(**chosen)
        train = learner.continue_fit
    code = train_and_save(
        learner, lambda: train(source, target, validation=held, resume=resume), out, overwrite, common
    )
    for part, report in learner.reports_.items():
        say(f"{part}: {report}")
    if code == INTERRUPTED and resume is not None:
        say(f"recurra: {resume} keeps the run; it goes on with the same command and --overwrite")
    return code
