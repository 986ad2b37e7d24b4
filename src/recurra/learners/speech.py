"""SpeechRecognizer: recordings in, texts out, in batch and live."""

import math
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from recurra.checkpoints import Checkpoint, check_output_folder, save_checkpoint
from recurra.data.audio import Alphabet, frames_needed, split_units
from recurra.data.audio.inputs import frames_of, items_of, read_input, read_inputs
from recurra.errors import TranscriptError, TranscriptWarning
from recurra.learners.card import DataNote
from recurra.learners.parameters import Learner, validate
from recurra.learners.sound_card import sound_card
from recurra.learners.sound_start import begin_with
from recurra.learners.sounds import Loaded, as_utterances, build, load_parts, prepare, run_training, warn_of_unlearned
from recurra.learners.speech_schema import RecognizerConfig
from recurra.metrics import character_error_rate, word_error_rate
from recurra.models.acoustic import AcousticShape, CtcNetwork
from recurra.prediction.endpoint import Endpoint
from recurra.prediction.speech import SpeechPredictor
from recurra.prediction.speech_decoding import Decoding
from recurra.prediction.speech_stream import SpeechStream
from recurra.prediction.transcript import Transcript
from recurra.training import History
from recurra.training.sequences import CtcTask, SequencePlan

TASK = "speech"


class SpeechRecognizer(Learner):
    """A recurrent network over frames of sound, trained with CTC: no one needs to say when a unit was spoken.

    Inputs are paths (wav, flac and what else libsndfile reads; .mfc and .npy with features="given"), `Recording`s or
    arrays of samples; or a manifest: a table with path, text and, if known, speaker and split; or a folder with a
    naming rule. Where speakers are known, whole speakers are held out to validate on. With bidirectional=False and a
    normalisation other than "utterance" the model also runs live.

    The keywords are described in `recurra.learners.speech_schema.RecognizerConfig`; they are checked at `fit`.

    After `fit`: `alphabet_`, `network_`, `history_`, `validation_` (error rates on the validation part), `skipped_`
    (inputs that could not be used), `n_parameters_`, `model_hash_`.
    """

    schema: ClassVar[type[RecognizerConfig]] = RecognizerConfig

    def __init__(
        self,
        features: str = "log-mel",
        *,
        sample_rate_hz: int = 16_000,
        window_s: float = 0.025,
        hop_s: float = 0.010,
        n_mels: int = 40,
        n_mfcc: int = 13,
        n_coefficients: int = 13,
        deltas: int = 0,
        normalisation: str = "utterance",
        augment: Sequence[str] = ("light",),
        cell: str = "gru",
        hidden_size: int = 96,
        num_layers: int = 2,
        bidirectional: bool = True,
        channels: int = 64,
        strides: Sequence[int] = (2,),
        dropout: float = 0.2,
        validation: float = 0.15,
        bad_inputs: str = "skip",
        max_epochs: int = 40,
        max_seconds: float | None = None,
        batch_size: int = 32,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        gradient_clip: float | None = 1.0,
        patience: int = 15,
        seed: int = 0,
        backend: str = "auto",
        device: str = "cpu",
        progress: str = "none",
        units: str = "characters",
        alphabet: Sequence[str] | None = None,
        too_long: str = "refuse",
    ) -> None:
        for name, value in locals().items():
            if name in RecognizerConfig.model_fields:
                setattr(self, name, value)

    def fit(
        self, X: Any, y: Any = None, *, speakers: Any = None, rule: str | None = None, start_from: Any = None
    ) -> "SpeechRecognizer":
        """Learn from transcribed recordings.

        Args:
            X: inputs, or a manifest, or a folder; see the class.
            y: their texts; None for a manifest or a folder.
            speakers: who speaks in each input.
            rule: how a folder's files are named, such as "{speaker}/{text}.wav".
            start_from: a fitted `SpeechRecognizer` or `SequenceClassifier` of the same features and sizes whose
                weights training begins with; this learner itself, too. A classifier of single units, which is learned
                far more easily than where units lie in a recording, shortens CTC's long start.

        Returns:
            Itself.

        Raises:
            ConfigError: a keyword is wrong, or start_from does not fit.
            AudioError: no input can be used, or with bad_inputs="refuse" one cannot.
            TranscriptError: a text has units outside the alphabet, or more than its frames allow.
            NonFiniteLossError: training diverged; the model keeps its best weights so far.
        """
        config = validate(RecognizerConfig, self.get_params())
        loaded = load_parts(as_utterances(X, y, speakers, rule), config)
        alphabet = _alphabet(config, loaded)
        loaded, texts = _fitting_texts(loaded, alphabet, config)
        prepared = prepare(loaded, config)
        shape = _shape(loaded, alphabet, config)
        network: CtcNetwork = build(lambda: CtcNetwork(shape, config.backend), config)
        if start_from is not None:
            begin_with(network, loaded.spec, alphabet.symbols, start_from)
        held = [alphabet.encode(str(text), f"the validation text {text!r}") for text in loaded.validation.targets]
        validation = None if prepared.validation is None else (prepared.validation, held)
        task = CtcTask(network, prepared.train, texts, validation, SequencePlan(config.batch_size, config.seed))
        self.history_, error = run_training(network, task, config, validation is not None)
        self._accept(config, SpeechPredictor(prepared.extractor, network, alphabet), loaded)
        if error is not None:
            raise error
        return self

    def _accept(self, config: RecognizerConfig, predictor: SpeechPredictor, loaded: Loaded) -> None:
        self._config, self._predictor, self.skipped_ = config, predictor, loaded.skipped
        seconds = sum(predictor.seconds(item) for item in loaded.train.inputs)
        speakers = len(set(loaded.train.speakers or ())) or "unknown"
        self._summary = f"{len(loaded.train)} recordings, {seconds / 60:.1f} minutes; speakers: {speakers}"
        self._publish()
        held = loaded.validation
        texts = [str(text) for text in held.targets]
        self.validation_ = self.error_rates(held.inputs, texts) if any(text.split() for text in texts) else {}

    def _publish(self) -> None:
        self.network_, self.alphabet_ = self._predictor.network, self._predictor.alphabet
        self.n_parameters_ = sum(p.numel() for p in self.network_.parameters())
        self.model_hash_ = self._predictor.fingerprint

    def transcribe(self, X: Iterable[Any], decoding: Decoding | None = None) -> list[Transcript]:
        """What is said in each input, with word times and confidences; one that cannot be used says so in `error`.

        Args:
            X: inputs; see the class.
            decoding: how texts are searched for: best path (None), or beam search, with a language model or without.

        Raises:
            AudioError: X is one input, not a list of them.
        """
        self._require_fit()
        items = items_of(X)
        read, problems = read_inputs(items, self._predictor.spec)
        good = [i for i, item in enumerate(read) if item is not None]
        answers = dict(
            zip(good, self._predictor.transcripts([i for i in read if i is not None], decoding), strict=True)
        )
        for i, problem in problems.items():
            name = str(items[i]) if isinstance(items[i], str | os.PathLike) else f"input {i}"
            answers[i] = Transcript("", (), 0.0, name, error=problem)
        return [answers[i] for i in range(len(items))]

    def predict(self, X: Iterable[Any], decoding: Decoding | None = None) -> list[str]:
        """The text of each input.

        Raises:
            AudioError: an input cannot be used; `transcribe` goes on past such inputs. Or X is one input.
        """
        self._require_fit()
        read = [read_input(item, self._predictor.spec, f"input {i}") for i, item in enumerate(items_of(X))]
        return [answer.text for answer in self._predictor.transcripts(read, decoding)]

    def error_rates(self, X: Iterable[Any], y: Sequence[str], decoding: Decoding | None = None) -> dict[str, float]:
        """Edits for each unit of the true texts: "words", and for an alphabet of characters "characters"."""
        found = self.predict(X, decoding)
        rates = {"words": word_error_rate(y, found)}
        if self.alphabet_.units == "characters":
            rates["characters"] = character_error_rate(y, found)
        return rates

    def score(self, X: Iterable[Any], y: Sequence[str]) -> float:
        """One minus the word error rate."""
        return 1.0 - self.error_rates(X, y)["words"]

    def stream(
        self,
        sample_rate_hz: int | None = None,
        *,
        decoding: Decoding | None = None,
        endpoint: Endpoint | None = None,
    ) -> SpeechStream:
        """Run live: chunks of audio in, the text so far out; see `SpeechStream`.

        Args:
            sample_rate_hz: of the chunks; must be the model's.
            decoding: how texts are searched for.
            endpoint: when an utterance ends, such as `Endpoint()`; None for one utterance until `finish`.

        Raises:
            StreamingUnsupported: the network is bidirectional, or its features need the whole utterance.
            AudioError: the sample rate is not the model's.
        """
        self._require_fit()
        return SpeechStream(self._predictor, decoding, endpoint, sample_rate_hz)

    def save(
        self,
        folder: str | os.PathLike[str],
        overwrite: bool = False,
        data_name: str = "not named",
        data_licence: str = "not stated",
    ) -> None:
        """Write the model as a folder: configuration, weights, manifest and model card.

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
        note = DataNote(data_name, data_licence, self._summary)
        scores = {f"error rate of {name}": rate for name, rate in self.validation_.items()}
        card = sound_card("SpeechRecognizer", "writes down what is said", self._config, note, scores)
        config = {
            "task": TASK,
            "settings": self._config.model_dump(mode="json"),
            "fitted": {
                "summary": self._summary,
                "validation": self.validation_,
                "skipped": list(self.skipped_),
                "history": self.history_.to_dict(),
            },
            "predictor": self._predictor.to_config(),
        }
        save_checkpoint(folder, config=config, tensors=self._predictor.to_tensors(), card=card, overwrite=overwrite)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "SpeechRecognizer":
        """The model of a folder that was read; see `recurra.load`."""
        config: Any = checkpoint.config
        settings = validate(RecognizerConfig, config["settings"])
        model = cls(**settings.model_dump())
        fitted = config["fitted"]
        model._config, model._summary = settings, fitted["summary"]
        model._predictor = SpeechPredictor.from_saved(config["predictor"], checkpoint.tensors)
        model.validation_, model.skipped_ = dict(fitted["validation"]), tuple(fitted["skipped"])
        model.history_ = History.from_dict(fitted["history"])
        model._publish()
        return model


def _alphabet(config: RecognizerConfig, loaded: Loaded) -> Alphabet:
    if config.alphabet is not None:
        return Alphabet(config.alphabet, config.units)
    texts, held = ([str(text) for text in part.targets] for part in (loaded.train, loaded.validation))
    units, held_units = ([u for text in part for u in split_units(text, config.units)] for part in (texts, held))
    if held and not held_units:
        told = "the texts of the validation part are all empty: there are no error rates, and best weights by loss only"
        warnings.warn(told, TranscriptWarning, stacklevel=3)
    warn_of_unlearned(config.units, units, held_units)
    return Alphabet.of([*texts, *held], config.units)


def _shape(loaded: Loaded, alphabet: Alphabet, config: RecognizerConfig) -> AcousticShape:
    return AcousticShape(
        n_inputs=loaded.spec.n_features,
        n_outputs=len(alphabet) + 1,
        cell=config.cell,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        bidirectional=config.bidirectional,
        channels=config.channels,
        strides=config.strides,
        dropout=config.dropout,
    )


def _fitting_texts(loaded: Loaded, alphabet: Alphabet, config: RecognizerConfig) -> tuple[Loaded, list[list[int]]]:
    """The training texts as units; those that their frames cannot hold are refused, or left out and listed."""
    kept, texts, problems = [], [], {}
    stride = math.prod(config.strides)
    for i, (item, text) in enumerate(zip(loaded.train.inputs, loaded.train.targets, strict=True)):
        name = getattr(item, "name", f"input {i}")
        units = alphabet.encode(str(text), name)
        steps, needed = -(-frames_of(item, loaded.spec) // stride), frames_needed(units)
        if needed <= steps:
            kept.append(i)
            texts.append(units)
            continue
        problems[i] = f"{name}: a text of {len(units)} {config.units} needs {needed} steps, the recording has {steps}"
    if problems and (config.too_long == "refuse" or not kept):
        first = next(iter(problems.values()))
        raise TranscriptError(
            f"{first} ({len(problems)} of {len(loaded.train)} texts are too long); correct the text, use smaller "
            "strides, or too_long='skip'"
        )
    return replace(loaded, train=loaded.train.select(kept), skipped=(*loaded.skipped, *problems.values())), texts
