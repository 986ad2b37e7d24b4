"""SequenceClassifier: scikit-learn's manners, any multivariate series, folders of recordings, bad input."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import clone, is_classifier
from sklearn.model_selection import cross_val_score

import recurra
from recurra import SequenceClassifier
from recurra.data.audio import Utterances
from recurra.errors import AudioError, ConfigError, NotFittedError, RecordingWarning, ShapeError, TranscriptWarning

QUICK = {"hidden_size": 8, "num_layers": 1, "dropout": 0.0, "max_epochs": 12, "learning_rate": 2e-2, "batch_size": 16}


def waves(n: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Three columns, 6 to 20 rows; rising sequences and falling ones."""
    random = np.random.default_rng(seed)
    labels = np.array(["down", "up"])[random.integers(0, 2, n)]
    found = []
    for label in labels:
        steps = int(random.integers(6, 21))
        line = np.linspace(-1, 1, steps) * (1 if label == "up" else -1)
        found.append(
            np.stack([line, random.standard_normal(steps), 5 + line], 1) + 0.1 * random.standard_normal((steps, 3))
        )
    return found, labels


@pytest.fixture(scope="module")
def model() -> SequenceClassifier:
    return SequenceClassifier(**QUICK).fit(*waves(120))


def test_it_tells_rising_from_falling(model: SequenceClassifier) -> None:
    """Expected: the classes can be told from the slope alone, so nearly all are right."""
    X, y = waves(60, 1)
    assert model.score(X, y) > 0.95
    assert model.classes_.tolist() == ["down", "up"]
    assert model.n_features_in_ == 3
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(1), 1.0)
    assert (model.classes_[p.argmax(1)] == model.predict(X)).all()
    assert model.validation_["network"] > model.validation_["commonest class"]


def test_an_answer_does_not_depend_on_the_others(model: SequenceClassifier) -> None:
    X, _ = waves(9, 2)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_allclose(model.predict_proba(X), alone, atol=1e-12)


def test_the_same_seed_gives_the_same_model(model: SequenceClassifier) -> None:
    assert SequenceClassifier(**QUICK).fit(*waves(120)).model_hash_ == model.model_hash_


def test_it_follows_scikit_learn() -> None:
    """Expected: scikit-learn's own clone and cross validation, on an array [n, time, columns]."""
    learner = SequenceClassifier(**QUICK)
    assert is_classifier(learner)
    assert clone(learner).get_params() == learner.get_params()
    X, y = waves(60, 3)
    scores = cross_val_score(learner, np.stack([x[:6] for x in X]), y, cv=2)
    assert scores.shape == (2,)
    with pytest.raises(NotFittedError):
        learner.predict(X)


def test_numbers_as_labels_stay_numbers() -> None:
    X, y = waves(40)
    model = SequenceClassifier(**{**QUICK, "max_epochs": 1}).fit(X, (y == "up").astype(int))
    assert model.predict(X[:3]).dtype.kind == "i"


def test_a_saved_model_answers_alike(model: SequenceClassifier, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = recurra.load(tmp_path / "model")
    X, _ = waves(7, 4)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.predict(X).tolist() == model.predict(X).tolist()
    assert again.validation_ == model.validation_
    assert again.get_params() == {**model.get_params(), "strides": (), "augment": ("none",)}


def test_speakers_stay_on_one_side() -> None:
    """Expected: with three owners and one held out, two are learned from."""
    X, y = waves(60)
    model = SequenceClassifier(**{**QUICK, "max_epochs": 1, "validation": 1}).fit(X, y, speakers=np.arange(60) % 3)
    assert "speakers: 2" in model._summary


@pytest.mark.parametrize("pooling", ["mean", "max", "last"])
def test_every_pooling_learns(pooling: str) -> None:
    X, y = waves(80)
    assert SequenceClassifier(**QUICK, pooling=pooling, bidirectional=False).fit(X, y).score(X, y) > 0.8


def test_a_folder_of_recordings(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for speaker in "abcd":
        for take in range(4):
            for label, hz in (("low", 300), ("high", 1500)):
                sound = 0.2 * np.sin(2 * np.pi * hz * np.arange(1600) / 8000) + 0.01 * random.standard_normal(1600)
                soundfile.write(tmp_path / f"{label}_{speaker}_{take}.wav", sound, 8000)
    (tmp_path / "low_a_9.wav").touch()
    learner = SequenceClassifier("log-mel", sample_rate_hz=8000, n_mels=16, **QUICK)
    with pytest.warns(RecordingWarning, match=r"1 of 33 inputs cannot be used: .*low_a_9.wav is empty"):
        learner.fit(tmp_path, rule="{label}_{speaker}_{take}.wav")
    assert len(learner.skipped_) == 1
    assert learner.validation_["network"] == 1.0
    with pytest.raises(AudioError, match="low_a_9"):
        learner.set_params(bad_inputs="refuse").fit(tmp_path, rule="{label}_{speaker}_{take}.wav")
    with pytest.raises(ConfigError, match="say how files are named"):
        learner.fit(tmp_path)


@pytest.mark.parametrize(
    ("X", "y", "error", "why"),
    [
        ([np.zeros((3, 1))] * 4, ["a"] * 4, ConfigError, "two classes"),
        ([np.zeros((3, 1))] * 4, ["a", "b"], ShapeError, "4 inputs and 2 targets"),
        ([np.full((3, 1), np.nan)] * 4, list("abab"), AudioError, "input 0: row 0, column 0 is nan"),
    ],
)
def test_bad_input_is_refused(X: list, y: list, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        SequenceClassifier(**QUICK, validation=0).fit(X, y)


def test_other_columns_are_refused(model: SequenceClassifier) -> None:
    with pytest.raises(AudioError, match="input 1 has 2 columns; this model reads 3"):
        model.predict([np.zeros((4, 3)), np.zeros((4, 2))])


@pytest.mark.parametrize("wrong", [{"pooling": "sum"}, {"strides": (0,)}, {"augment": ("loud",)}, {"hidden_size": 0}])
def test_wrong_settings_are_refused_by_name(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SequenceClassifier(**{**QUICK, **wrong}).fit(*waves(20))


def test_a_class_of_the_validation_part_only_counts_as_wrong() -> None:
    X, y = waves(20)
    parts = Utterances((*X, X[0]), (*y.tolist(), "still"), None, (*["train"] * 20, "validation"))
    with pytest.warns(TranscriptWarning, match=r"1 of the classes to itself \('still'\)"):
        model = SequenceClassifier(**{**QUICK, "max_epochs": 1}).fit(parts)
    assert model.classes_.tolist() == ["down", "still", "up"]
    assert model.validation_["network"] == 0.0


def test_labels_of_another_kind_are_not_scored(model: SequenceClassifier) -> None:
    X, y = waves(4, 9)
    with pytest.raises(ConfigError, match="give some like 'down'"):
        model.score(X, np.zeros(4, int))
    with pytest.raises(ShapeError, match="4 sequences"):
        model.score(X, y[:3])
