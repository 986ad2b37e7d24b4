"""SpeechRecognizer: from sounds to texts, bad recordings among good ones, transcripts that cannot be."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

import recurra
from recurra import SpeechRecognizer
from recurra.data.audio import FeatureSpec, Utterances
from recurra.errors import (
    AudioError,
    ConfigError,
    NotFittedError,
    RecordingWarning,
    ShapeError,
    SpeakerOverlapWarning,
    TranscriptError,
    TranscriptWarning,
)
from recurra.learners.sound_start import begin_with
from recurra.models.acoustic import AcousticShape, ClassifierNetwork, CtcNetwork
from tests.beeps import RATE, SETTINGS, corpus, recognizer


def test_it_writes_down_what_is_said() -> None:
    """Expected: three clear tones can be told apart without fail, but for a slip or two."""
    X, y = corpus(40, 2)
    assert recognizer().error_rates(X, y)["words"] < 0.05
    assert recognizer().score(X, y) > 0.95
    assert recognizer().alphabet_.symbols == ("high", "low", "mid")


def test_characters_and_validation_on_whole_speakers() -> None:
    X, y = corpus(30, 3)
    settings = {**SETTINGS, "units": "characters", "max_epochs": 2, "validation": 1}
    model = SpeechRecognizer(**settings).fit(X, y, speakers=[f"s{i % 3}" for i in range(30)])
    assert set(model.validation_) == {"words", "characters"}
    assert "speakers: 2" in model._summary
    assert model.alphabet_.space == 1


def test_the_same_seed_gives_the_same_model() -> None:
    hashes = {SpeechRecognizer(**{**SETTINGS, "max_epochs": 1}).fit(*corpus(20, 1)).model_hash_ for _ in range(2)}
    assert len(hashes) == 1


def test_a_saved_model_answers_alike_and_streams(tmp_path: Path) -> None:
    model = recognizer()
    model.save(tmp_path / "model", data_name="beeps", data_licence="none")
    again = recurra.load(tmp_path / "model")
    X, _ = corpus(5, 4)
    assert again.transcribe(X) == model.transcribe(X)
    stream = again.stream(RATE)
    stream.push(X[0])
    assert stream.finish().finished[0].text == model.predict(X[:1])[0]
    assert "beeps" in (tmp_path / "model" / "README.md").read_text()


def write(folder: Path, n: int) -> list[str]:
    """Recordings and a manifest of them; every third one is the test."""
    X, y = corpus(n, 5)
    lines = ["path,text,speaker,split"]
    for i, (sound, text) in enumerate(zip(X, y, strict=True)):
        soundfile.write(folder / f"{i}.wav", sound, RATE)
        lines.append(f"{i}.wav,{text},s{i % 3},{'test' if i % 3 == 0 else 'train'}")
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    return y


def test_a_manifest_with_a_bad_file(tmp_path: Path) -> None:
    write(tmp_path, 12)
    (tmp_path / "1.wav").write_bytes(b"no sound")
    learner = SpeechRecognizer(**{**SETTINGS, "max_epochs": 1})
    with pytest.warns(RecordingWarning, match=r"1 of 8 inputs"):
        learner.fit(tmp_path / "list.csv")
    assert len(learner.skipped_) == 1
    assert "7 recordings" in learner._summary


def test_one_bad_file_does_not_end_a_run(tmp_path: Path) -> None:
    y = write(tmp_path, 3)
    (tmp_path / "1.wav").write_bytes(b"")
    paths = [tmp_path / f"{i}.wav" for i in range(3)] + [tmp_path / "gone.wav"]
    answers = recognizer().transcribe(paths)
    assert [a.error is None for a in answers] == [True, False, True, False]
    assert "empty" in str(answers[1].error)
    assert answers[3].name.endswith("gone.wav")
    assert answers[0].name.endswith("0.wav")
    assert len(answers[0].words) == len(answers[0].text.split())
    assert y
    with pytest.raises(AudioError, match="empty"):
        recognizer().predict(paths)


def test_a_text_longer_than_its_frames_is_refused_or_left_out() -> None:
    """Expected: 0.1 s at 8 kHz are 7 frames, 4 steps of the network; ten words need ten and blanks between."""
    X, y = corpus(12, 6)
    X.append(np.zeros(800, np.float32))
    y.append(" ".join(["low"] * 10))
    settings = {**SETTINGS, "max_epochs": 1}
    with pytest.raises(
        TranscriptError, match=r"input 12: a text of 10 words needs 19 steps, the recording has 4 \(1 of 13"
    ):
        SpeechRecognizer(**settings).fit(X, y)
    model = SpeechRecognizer(**settings, too_long="skip").fit(X, y)
    assert len(model.skipped_) == 1
    assert np.isfinite(model.history_.epochs[0].training_loss)


def test_units_outside_the_alphabet_are_refused() -> None:
    with pytest.raises(TranscriptError, match="'high' is not in the alphabet of 2 words"):
        SpeechRecognizer(**SETTINGS, alphabet=("low", "mid")).fit(*corpus(20, 1))


def test_use_before_fit_and_wrong_settings_are_refused() -> None:
    with pytest.raises(NotFittedError):
        SpeechRecognizer().transcribe([])
    with pytest.raises(ConfigError, match="units"):
        SpeechRecognizer(units="syllables").fit(*corpus(3, 1))


def test_ready_made_features() -> None:
    """Expected: three columns, one for each word; which one is high tells the word."""
    random = np.random.default_rng(0)
    names, X, y = ["a", "b", "c"], [], []
    for _ in range(60):
        chosen = random.integers(0, 3, random.integers(1, 4))
        rows = [row for unit in chosen for row in ([np.eye(3)[unit]] * 4 + [np.zeros(3)] * 4)]
        X.append(np.array(rows) + 0.05 * random.standard_normal((len(rows), 3)))
        y.append("".join(names[unit] for unit in chosen))
    settings = {**SETTINGS, "features": "given", "units": "characters", "strides": (), "max_epochs": 15}
    model = SpeechRecognizer(**settings).fit(X, y)
    assert model.error_rates(X, y)["characters"] < 0.2


def test_training_goes_on_from_the_weights_of_another_model() -> None:
    X, y = corpus(30, 6)
    first = SpeechRecognizer(**{**SETTINGS, "max_epochs": 4}).fit(X, y)
    last = first.history_.epochs[-1].training_loss
    brief = {**SETTINGS, "max_epochs": 1}
    cold = SpeechRecognizer(**brief).fit(X, y).history_.epochs[-1].training_loss
    warm = SpeechRecognizer(**brief).fit(X, y, start_from=first).history_.epochs[-1].training_loss
    assert warm < min(2 * last, cold)
    with pytest.raises(ConfigError, match="other sizes: size mismatch"):
        SpeechRecognizer(**{**brief, "hidden_size": 8}).fit(X, y, start_from=first)
    with pytest.raises(ConfigError, match="should be a fitted"):
        SpeechRecognizer(**brief).fit(X, y, start_from=SpeechRecognizer())


def test_features_that_differ_are_refused_by_name() -> None:
    X, y = corpus(12, 6)
    first = SpeechRecognizer(**{**SETTINGS, "max_epochs": 1}).fit(X, y)
    other = SpeechRecognizer(**{**SETTINGS, "max_epochs": 1, "hop_s": 0.02, "normalisation": "none"})
    wrong = "other features: hop_s .* rather than 0.02, normalisation .* rather than 'none'; give both"
    with pytest.raises(ConfigError, match=wrong):
        other.fit(X, y, start_from=first)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_the_output_begins_with_the_units_that_are_known(pooling: str) -> None:
    """Expected: the classifier's row of a label, zeros for other units; where no unit is known, what was drawn."""
    shape = AcousticShape(3, 3, hidden_size=4, num_layers=1, bidirectional=False, strides=(), pooling=pooling)
    spec, digits = FeatureSpec(kind="given", n_given=3), ClassifierNetwork(shape)
    learner = SimpleNamespace(network_=digits, classes_=np.array([7, 1, 8]), _predictor=SimpleNamespace(spec=spec))
    for units in (("1", "2"), ("2", "3")):
        network = CtcNetwork(shape)
        expected = network.head.weight.detach().clone()
        if pooling == "last" and "1" in units:
            expected = torch.stack([torch.zeros(4), digits.head.weight[1], torch.zeros(4)])
        begin_with(network, spec, units, learner)
        assert torch.equal(network.head.weight, expected)
        assert torch.equal(network.recurrent.weight_hh_l0, digits.recurrent.weight_hh_l0)


def test_one_input_is_not_taken_apart() -> None:
    for single in ("new.wav", np.zeros(800)):
        for answer in (recognizer().transcribe, recognizer().predict):
            with pytest.raises(AudioError, match="X should be a list of inputs"):
                answer(single)  # type: ignore[operator]
    with pytest.raises(AudioError, match="X should be a list of inputs"):
        SpeechRecognizer(**SETTINGS).fit("new.wav", ["low"])
    with pytest.raises(ConfigError, match=r"fit\(X, y\)"):
        SpeechRecognizer(**SETTINGS).fit([np.zeros(800)])
    with pytest.raises(ShapeError, match="one label or text"):
        SpeechRecognizer(**SETTINGS).fit([np.zeros(800)], np.array([["low"]]))


def test_speakers_in_training_and_test_are_warned_of() -> None:
    X, y = corpus(6, 5)
    parts = Utterances(tuple(X), tuple(y), ("a", "b") * 3, ("train",) * 4 + ("test",) * 2)
    with pytest.warns(SpeakerOverlapWarning, match=r"2 speaker\(s\) .* \(a, b\)") as warned:
        SpeechRecognizer(**{**SETTINGS, "max_epochs": 1}).fit(parts)
    assert len(warned) == 1


def test_a_word_that_only_validation_speakers_say_counts_as_wrong() -> None:
    X, y = corpus(12, 5)
    y = [text + " zap" * (i % 4 == 0) for i, text in enumerate(y)]
    parts = Utterances(tuple(X), tuple(y), None, ("validation", "train", "train", "train") * 3)
    with pytest.warns(TranscriptWarning, match=r"1 of the words to itself \('zap'\)"):
        model = SpeechRecognizer(**{**SETTINGS, "max_epochs": 1}).fit(parts)
    assert model.validation_["words"] > 0
    assert "zap" in model.alphabet_.symbols


def test_empty_validation_texts_leave_no_scores() -> None:
    X, y = corpus(12, 5)
    parts = Utterances(tuple(X), ("", *y[1:]), None, ("validation", *["train"] * 11))
    with pytest.warns(TranscriptWarning, match="all empty"):
        model = SpeechRecognizer(**{**SETTINGS, "max_epochs": 1}).fit(parts)
    assert model.validation_ == {}
