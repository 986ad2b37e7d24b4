"""SequenceClassifier: a sequence in, a label out; keywords, digits, vowels, or any multivariate series."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from recurra.checkpoints import Checkpoint, check_output_folder, save_checkpoint
from recurra.data.audio.inputs import Input, items_of, read_input
from recurra.errors import ConfigError, ShapeError
from recurra.learners.card import DataNote
from recurra.learners.parameters import Learner, validate
from recurra.learners.sound_card import sound_card
from recurra.learners.sounds import Loaded, as_utterances, build, load_parts, prepare, run_training, warn_of_unlearned
from recurra.learners.speech_schema import ClassifierConfig
from recurra.models.acoustic import AcousticShape, ClassifierNetwork
from recurra.prediction.acoustic import ClassPredictor
from recurra.training import History
from recurra.training.sequences import ClassTask, SequencePlan

TASK = "classify"


class SequenceClassifier(Learner):
    """A recurrent network over a sequence of any length, summed up into one vector, and a class for it.

    Follows scikit-learn's classifiers: `fit(X, y)`, `predict`, `predict_proba`, `score`, `classes_`. X is a list of
    arrays [time, columns] of any lengths, an array [n, time, columns], or, with features="log-mel" or "mfcc",
    audio: paths, `Recording`s or arrays of samples. Or X is a manifest: a table with path, label and, if known,
    speaker and split; or a folder with a naming rule. Where speakers are known, whole speakers are held out to
    validate on.

    The keywords are described in `recurra.learners.speech_schema.ClassifierConfig`; they are checked at `fit`.

    After `fit`: `classes_`, `n_features_in_`, `network_`, `history_`, `validation_` (accuracy on the validation part,
    and that of always naming the commonest class), `skipped_` (inputs that could not be used), `n_parameters_`,
    `model_hash_`.
    """

    schema: ClassVar[type[ClassifierConfig]] = ClassifierConfig
    _estimator_type = "classifier"

    def __init__(
        self,
        features: str = "given",
        *,
        sample_rate_hz: int = 16_000,
        window_s: float = 0.025,
        hop_s: float = 0.010,
        n_mels: int = 40,
        n_mfcc: int = 13,
        n_coefficients: int = 13,
        deltas: int = 0,
        normalisation: str = "fixed",
        augment: Sequence[str] = ("none",),
        cell: str = "gru",
        hidden_size: int = 96,
        num_layers: int = 2,
        bidirectional: bool = True,
        channels: int = 64,
        strides: Sequence[int] = (),
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
        pooling: str = "mean_max",
        smoothing: float = 0.0,
    ) -> None:
        for name, value in locals().items():
            if name in ClassifierConfig.model_fields:
                setattr(self, name, value)

    def fit(self, X: Any, y: Any = None, *, speakers: Any = None, rule: str | None = None) -> "SequenceClassifier":
        """Learn from labelled sequences.

        Args:
            X: sequences, or a manifest, or a folder; see the class.
            y: their labels; None for a manifest or a folder.
            speakers: who speaks in each sequence, or whatever else must not be on both sides of a split.
            rule: how a folder's files are named, such as "{label}_{speaker}_{take}.wav".

        Returns:
            Itself.

        Raises:
            ConfigError: a keyword is wrong, or there is only one class.
            AudioError: no input can be used, or with bad_inputs="refuse" one cannot.
            NonFiniteLossError: training diverged; the model keeps its best weights so far.
        """
        config = validate(ClassifierConfig, self.get_params())
        loaded = load_parts(as_utterances(X, y, speakers, rule), config)
        learned = np.unique(np.array(loaded.train.targets))
        if len(learned) < 2:
            raise ConfigError(f"every label is {learned[0]!r}: a classifier needs two classes or more")
        warn_of_unlearned("classes", loaded.train.targets, loaded.validation.targets)
        classes = np.unique(np.array([*loaded.train.targets, *loaded.validation.targets]))
        numbers = {label: i for i, label in enumerate(classes.tolist())}
        prepared = prepare(loaded, config)
        shape = _shape(loaded, len(classes), config)
        network: ClassifierNetwork = build(lambda: ClassifierNetwork(shape, config.backend), config)
        wanted, held = (_numbers(part.targets, numbers) for part in (loaded.train, loaded.validation))
        validation = None if prepared.validation is None else (prepared.validation, held)
        plan = SequencePlan(config.batch_size, config.seed, config.smoothing)
        task = ClassTask(network, prepared.train, wanted, validation, plan)
        self.history_, error = run_training(network, task, config, validation is not None)
        self._accept(config, ClassPredictor(prepared.extractor, network), classes, loaded)
        self.validation_ = _validation(self._predictor, loaded, held, wanted)
        if error is not None:
            raise error
        return self

    def _accept(self, config: ClassifierConfig, predictor: ClassPredictor, classes: Any, loaded: Loaded) -> None:
        self._config, self._predictor, self.classes_ = config, predictor, classes
        self.skipped_ = loaded.skipped
        speakers = len(set(loaded.train.speakers or ())) or "unknown"
        self._summary = f"{len(loaded.train)} sequences of {len(classes)} classes; speakers: {speakers}"
        self._publish()

    def _publish(self) -> None:
        self.network_ = self._predictor.network
        self.n_features_in_ = self._predictor.spec.n_static
        self.n_parameters_ = sum(p.numel() for p in self.network_.parameters())
        self.model_hash_ = self._predictor.fingerprint

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probability of each class of `classes_`, [n, classes].

        Raises:
            AudioError: a sequence cannot be used; says which and why. Or X is one sequence.
        """
        self._require_fit()
        return self._predictor.probabilities(self._inputs(X))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The likeliest class of each sequence, [n]."""
        likeliest = self.predict_proba(X).argmax(1)
        labels: npt.NDArray[Any] = np.asarray(self.classes_)[likeliest]
        return labels

    def score(self, X: Any, y: Any) -> float:
        """Share of sequences whose class is right.

        Raises:
            ShapeError: there are not as many labels as sequences.
            ConfigError: the labels are numbers where the classes are texts, or the other way round.
        """
        found, wanted = self.predict(X), np.asarray(y)
        if wanted.shape != found.shape:
            raise ShapeError(f"{len(found)} sequences and labels of shape {list(wanted.shape)} do not belong together")
        if (wanted.dtype.kind in "iufb") != (found.dtype.kind in "iufb"):
            label = self.classes_.tolist()[0]
            raise ConfigError(f"the labels are {wanted.dtype}, the classes {found.dtype}; give some like {label!r}")
        return float(np.mean(found == wanted))

    def _inputs(self, X: Any) -> list[Input]:
        return [read_input(item, self._predictor.spec, f"input {i}") for i, item in enumerate(items_of(X))]

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
        card = sound_card("SequenceClassifier", "names the class of a sequence", self._config, note, self.validation_)
        config = {
            "task": TASK,
            "settings": self._config.model_dump(mode="json"),
            "fitted": {
                "classes": self.classes_.tolist(),
                "summary": self._summary,
                "validation": self.validation_,
                "skipped": list(self.skipped_),
                "history": self.history_.to_dict(),
            },
            "predictor": self._predictor.to_config(),
        }
        save_checkpoint(folder, config=config, tensors=self._predictor.to_tensors(), card=card, overwrite=overwrite)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "SequenceClassifier":
        """The model of a folder that was read; see `recurra.load`."""
        config: Any = checkpoint.config
        settings = validate(ClassifierConfig, config["settings"])
        model = cls(**settings.model_dump())
        fitted = config["fitted"]
        model._config, model._summary = settings, fitted["summary"]
        model._predictor = ClassPredictor.from_saved(config["predictor"], checkpoint.tensors)
        model.classes_, model.validation_ = np.array(fitted["classes"]), dict(fitted["validation"])
        model.skipped_, model.history_ = tuple(fitted["skipped"]), History.from_dict(fitted["history"])
        model._publish()
        return model

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(three_d_array=True, two_d_array=False),
        )


def _shape(loaded: Loaded, n_classes: int, config: ClassifierConfig) -> AcousticShape:
    return AcousticShape(
        n_inputs=loaded.spec.n_features,
        n_outputs=n_classes,
        cell=config.cell,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        bidirectional=config.bidirectional,
        channels=config.channels,
        strides=config.strides,
        dropout=config.dropout,
        pooling=config.pooling,
    )


def _numbers(labels: Sequence[Any], numbers: dict[Any, int]) -> npt.NDArray[np.int64]:
    return np.array([numbers[label] for label in labels], np.int64)


def _validation(
    predictor: ClassPredictor, loaded: Loaded, held: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]
) -> dict[str, float]:
    if not len(loaded.validation):
        return {}
    found = predictor.probabilities(loaded.validation.inputs).argmax(1)
    commonest = np.bincount(wanted).argmax()
    return {"network": float(np.mean(found == held)), "commonest class": float(np.mean(held == commonest))}
