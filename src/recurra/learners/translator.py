"""Translator: pairs of texts in, a translator out; any sequence of symbols into any other."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, overload

from recurra.checkpoints import Checkpoint, check_output_folder, save_checkpoint
from recurra.data.text import SentencePairs, TextReport, read_pairs
from recurra.decoding import DecodingOptions
from recurra.errors import ConfigError
from recurra.evaluation import TranslationReport, score_translations
from recurra.learners.card import DataNote, translation_card
from recurra.learners.parameters import Learner, validate
from recurra.learners.translation_fitting import FittedTranslator, Folder, fit_translator
from recurra.learners.translation_schema import TranslatorConfig
from recurra.prediction.translation import Translation, TranslationPredictor
from recurra.training import History

TASK = "translation"


class Translator(Learner):
    """A recurrent encoder and decoder with attention that turns one text into another.

    It owns its vocabularies, which are learned from the training part alone: subwords, characters, or symbols
    separated by spaces, so that pronunciation, spelling and any other sequence-to-sequence job works.

    The keywords are described in `recurra.learners.translation_schema.TranslatorConfig`; they are checked at `fit`.

    After `fit`: `network_` (the module), `history_` (every epoch), `reports_` (what became of the pairs: dropped,
    truncated, unknown pieces), `n_parameters_`, `model_hash_`.

    Example:
        >>> import recurra
        >>> model = recurra.Translator(units="symbols", max_epochs=1)
        >>> _ = model.fit([("a b", "b a"), ("c a", "a c"), ("b c", "c b")])
        >>> len(model.translate(["a b", "", "c"]))
        3
    """

    schema: ClassVar[type[TranslatorConfig]] = TranslatorConfig

    def __init__(
        self,
        *,
        units: str = "subwords",
        target_units: str | None = None,
        vocabulary_size: int = 6000,
        subword_method: str = "bpe",
        joint: bool | None = None,
        lowercase: str = "none",
        source_column: str = "source",
        target_column: str = "target",
        max_length: int = 128,
        too_long: str = "drop",
        cell: str = "lstm",
        embedding_size: int = 256,
        hidden_size: int = 320,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        attention: str = "general",
        input_feeding: bool = False,
        dropout: float = 0.3,
        recurrent_dropout: float = 0.1,
        label_smoothing: float = 0.1,
        validation: float = 0.05,
        validate_on: str = "loss",
        max_epochs: int = 20,
        max_seconds: float | None = None,
        batch_tokens: int = 1200,
        learning_rate: float = 1.5e-3,
        weight_decay: float = 1e-2,
        gradient_clip: float | None = 1.0,
        patience: int = 6,
        average: int = 1,
        beam: int = 5,
        length_penalty: float = 1.0,
        coverage_penalty: float = 0.0,
        no_repeat: int = 0,
        seed: int = 0,
        backend: str = "auto",
        device: str = "cpu",
        progress: str = "none",
    ) -> None:
        for name, value in locals().items():
            if name in TranslatorConfig.model_fields:
                setattr(self, name, value)

    def fit(
        self, source: Any, target: Any = None, *, validation: Any = None, resume: Folder | None = None
    ) -> "Translator":
        """Learn from pairs of texts.

        Args:
            source: with a target, a text file with one text a line, or texts one after the other; without one,
                pairs one after the other (a list, zip, a generator, an array), a table with the two columns or the
                path of one, or a .tsv file of pairs.
            target: the translations, line for line.
            validation: pairs that decide when training stops, in any form of `source`, or (source, target) as two
                files or lists; a share of the training pairs if not given.
            resume: a folder that keeps the run after each epoch; a run that was broken off goes on from there.

        Returns:
            Itself.

        Raises:
            ConfigError: a keyword is wrong, or `resume` holds another run.
            TableError: the pairs are wrong; the message names the line, or the row, and the remedy.
            NonFiniteLossError: training diverged; the model keeps its best weights so far.
        """
        config = validate(TranslatorConfig, self.get_params())
        training, held = self._parts(source, target, validation, config)
        return self._accept(config, fit_translator(training, held, config, resume))

    def continue_fit(
        self, source: Any, target: Any = None, *, validation: Any = None, resume: Folder | None = None
    ) -> "Translator":
        """Go on learning, from new pairs, with the vocabularies and weights that are there.

        The arguments are those of `fit`. Keywords of training may have been changed by `set_params`, those of the
        network and its vocabularies may not.

        Raises:
            NotFittedError: there is nothing to go on from.
            ConfigError: a keyword of the network was changed, or this is an ensemble; else as `fit`.
        """
        self._require_fit()
        config = validate(TranslatorConfig, self.get_params())
        if len(self._predictor.networks) > 1:
            raise ConfigError("an ensemble cannot go on learning; go on with one of its models")
        for name in FIXED:
            if getattr(config, name) != getattr(self._config, name):
                raise ConfigError(
                    f"{name} was {getattr(self._config, name)!r} when the model was made, and cannot become "
                    f"{getattr(config, name)!r}; fit a new model"
                )
        training, held = self._parts(source, target, validation, config)
        return self._accept(config, fit_translator(training, held, config, resume, self._predictor))

    def _parts(
        self, source: Any, target: Any, validation: Any, config: TranslatorConfig
    ) -> tuple[SentencePairs, SentencePairs]:
        columns = config.source_column, config.target_column
        pairs = read_pairs(source, target, columns)
        if validation is None:
            learned, held = pairs.split(config.validation, config.seed)
            return learned, held.placed("its share to validate on")
        two = isinstance(validation, tuple) and len(validation) == 2 and not isinstance(validation[0], tuple)
        given, its_target = validation if two else (validation, None)
        return pairs, read_pairs(given, its_target, columns).placed("to validate on")

    def _accept(self, config: TranslatorConfig, fitted: FittedTranslator) -> "Translator":
        self._config, self._predictor = config, fitted.predictor
        self.history_, self.reports_ = fitted.history, fitted.reports
        self._publish()
        if fitted.error is not None:
            raise fitted.error
        return self

    def _publish(self) -> None:
        """The fitted attributes that follow from the predictor."""
        self.network_ = self._predictor.networks[0]
        self.n_parameters_ = sum(p.numel() for network in self._predictor.networks for p in network.parameters())
        self.model_hash_ = self._predictor.fingerprint

    def options(self, **decoding: Any) -> DecodingOptions:
        """How answers are looked for: the model's settings, and what is given here.

        Args:
            decoding: fields of `recurra.decoding.DecodingOptions`, such as beam, n_best, sample or temperature.

        Raises:
            ConfigError: one is unknown, out of range, or has no effect beside the others.
        """
        config, wanted = self._config, decoding.get("n_best", 1)
        usual = DecodingOptions(
            beam=max(config.beam, wanted) if "beam" not in decoding and isinstance(wanted, int) else config.beam,
            length_penalty=config.length_penalty,
            coverage_penalty=config.coverage_penalty,
            no_repeat=config.no_repeat,
        )
        known = DecodingOptions.__dataclass_fields__
        if not decoding.keys() <= known.keys():
            raise ConfigError(f"unknown option of the search among {', '.join(decoding)}; known: {', '.join(known)}")
        options = replace(usual, **decoding)
        _check_effects(options, decoding)
        return options

    @overload
    def translate(self, texts: str, prefixes: str | None = None, *, first: int = 0, **decoding: Any) -> str: ...
    @overload
    def translate(
        self, texts: Iterable[str], prefixes: Iterable[str] | None = None, *, first: int = 0, **decoding: Any
    ) -> list[str]: ...
    def translate(self, texts: Any, prefixes: Any = None, *, first: int = 0, **decoding: Any) -> Any:
        """The best answer to each text; "" for a text that holds nothing.

        Args:
            texts: one text, or several, one after the other (a list, a generator, an open file ...).
            prefixes: what each answer must begin with, its last word perhaps unfinished; "" for nothing. It is kept
                however long it is, and whatever `no_repeat` says.
            first: number of the first text. What is drawn for a text (`sample=True`) depends on the seed and its
                number alone, not on what is translated together with it.
            decoding: as for `options`.

        Returns:
            One text for one, a list for several.

        Raises:
            ConfigError: an option is wrong, or there is not one prefix for each text.
            BadValueError: the vocabulary cannot spell a prefix; it is named.
        """
        one = isinstance(texts, str)
        if one and not isinstance(prefixes, str | None):
            raise ConfigError("prefixes should be one text, as there is one text to translate")
        begins = [prefixes] if one and prefixes is not None else prefixes
        found = self.hypotheses([texts] if one else texts, begins, first=first, **decoding)
        said = [answers[0].text if answers else "" for answers in found]
        return said[0] if one else said

    def hypotheses(
        self, texts: Iterable[str], prefixes: Iterable[str] | None = None, *, first: int = 0, **decoding: Any
    ) -> list[list[Translation]]:
        """The `n_best` answers to each text with scores, attention and alignment; none for a text that holds nothing.

        The arguments are those of `translate`.
        """
        self._require_fit()
        options = self.options(**decoding)
        begins = None if prefixes is None else _texts(prefixes, "prefixes")
        if not isinstance(first, int) or first < 0:
            raise ConfigError(f"first must be a whole number of at least 0, not {first!r}")
        return self._predictor.translate(_texts(texts, "texts"), options, begins, first)

    def score(self, source: Any, target: Any = None, **decoding: Any) -> TranslationReport:
        """Score the answers to sources against their targets, beside copying the source.

        Args:
            source: as for `fit`.
            target: as for `fit`.
            decoding: as for `options`.

        Returns:
            BLEU with sacrebleu's signature, in small letters too, and the share of answers right to the letter.
        """
        self._require_fit()
        pairs = read_pairs(source, target, (self._config.source_column, self._config.target_column))
        return score_translations(self.translate(pairs.source, **decoding), pairs)

    @classmethod
    def ensemble(cls, models: "Iterable[Translator]") -> "Translator":
        """Several models of one vocabulary as one, whose probabilities are averaged.

        The longest source and the settings of the search are the first's.

        Raises:
            ConfigError: there is none, one is no translator, or they have other vocabularies, or other small letters,
                than the first.
        """
        models = list(models)
        if not models:
            raise ConfigError("an ensemble needs at least one model")
        for number, model in enumerate(models):
            if not isinstance(model, Translator):
                raise ConfigError(f"models[{number}] is no translator but a {type(model).__name__}")
            model._require_fit()
        first = models[0]._predictor
        for model in models[1:]:
            small = model._predictor.wording.lowercase
            if small != first.wording.lowercase:
                raise ConfigError(
                    f"an ensemble needs models with one lowercase, got {first.wording.lowercase!r} and {small!r}"
                )
            if model._predictor.to_config()["vocabularies"] != first.to_config()["vocabularies"] or not _same_blobs(
                model._predictor, first
            ):
                raise ConfigError("an ensemble needs models with one vocabulary; fit them on the same training part")
        made = cls(**models[0].get_params())
        made._config, made.history_, made.reports_ = models[0]._config, models[0].history_, models[0].reports_
        networks = [network for model in models for network in model._predictor.networks]
        made._predictor = TranslationPredictor(networks, first.wording, first.joint)
        made._publish()
        return made

    def save(
        self,
        folder: str | os.PathLike[str],
        overwrite: bool = False,
        data_name: str = "not named",
        data_licence: str = "not stated",
    ) -> None:
        """Write the model as a folder: configuration, weights with vocabularies, manifest and model card.

        Args:
            folder: where; parents are made.
            overwrite: replace a model that is there.
            data_name: what the model card says the data is.
            data_licence: what it says of its licence.

        Raises:
            OutputFolderError: the folder is taken or cannot be written; nothing has changed then.
        """
        self._require_fit()
        check_output_folder(folder, overwrite=overwrite)
        fields = TranslatorConfig.model_fields
        changed = {n: v for n, v in self._config.model_dump().items() if n != "progress" and v != fields[n].default}
        summary = "; ".join(f"{part}: {report}" for part, report in self.reports_.items())
        history = self.history_
        config = {
            "task": TASK,
            "settings": self._config.model_dump(mode="json"),
            "fitted": {
                "history": history.to_dict(),
                "reports": {part: report.to_dict() for part, report in self.reports_.items()},
            },
            "predictor": self._predictor.to_config(),
        }
        what = "100 - BLEU" if self._config.validate_on == "bleu" else "mean cross entropy of a piece"
        scores = {f"{what}, validation part": history.best_loss}
        card = translation_card(changed, DataNote(data_name, data_licence, summary), scores)
        save_checkpoint(folder, config=config, tensors=self._predictor.to_tensors(), card=card, overwrite=overwrite)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "Translator":
        """The model of a folder that was read; see `recurra.load`."""
        config: Any = checkpoint.config
        settings = validate(TranslatorConfig, config["settings"])
        model = cls(**settings.model_dump())
        model._config = settings
        model._predictor = TranslationPredictor.from_saved(config["predictor"], checkpoint.tensors)
        model.history_ = History.from_dict(config["fitted"]["history"])
        model.reports_ = {part: TextReport(**report) for part, report in config["fitted"]["reports"].items()}
        model._publish()
        return model


FIXED = (
    "units",
    "target_units",
    "vocabulary_size",
    "subword_method",
    "joint",
    "lowercase",
    "cell",
    "embedding_size",
    "hidden_size",
    "encoder_layers",
    "decoder_layers",
    "attention",
    "input_feeding",
)
"""Settings that cannot change once there are vocabularies and weights."""


def _check_effects(options: DecodingOptions, given: Mapping[str, Any]) -> None:
    """Refuse what was asked for and would change nothing."""
    if not options.sample:
        for name in ("temperature", "top_k", "seed"):
            if name in given:
                raise ConfigError(f"{name} has no effect on a search; draw the answers with sample=True")
    elif given.get("beam", 1) > 1:
        raise ConfigError("beam has no effect on draws; leave it out, or sample")
    if given.get("coverage_penalty") and (options.sample or options.beam == 1):
        raise ConfigError("coverage_penalty has an effect on a beam only; raise beam above 1, and do not sample")


def _texts(given: Iterable[str], name: str) -> list[str]:
    """Texts one after the other as a list."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ConfigError(f"{name} should be several texts, such as a list, not {type(given).__name__}")
    texts = list(given)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise ConfigError(f"{name}[{number}] is {type(text).__name__} where a text belongs")
    return texts


def _same_blobs(one: TranslationPredictor, other: TranslationPredictor) -> bool:
    pairs = ((one.wording.source, other.wording.source), (one.wording.target, other.wording.target))
    for a, b in pairs:
        first, second = a.to_blob(), b.to_blob()
        if (first is None) != (second is None) or (first is not None and first.tobytes() != second.tobytes()):  # type: ignore[union-attr]
            return False
    return True
