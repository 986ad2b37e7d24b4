"""Live speech equals offline speech for the same audio, whatever the chunks; utterances end where they should."""

import numpy as np
import pytest

from recurra import SpeechRecognizer
from recurra.data.audio import as_recording
from recurra.errors import AudioError, StreamingUnsupported
from recurra.prediction import Decoding, Endpoint
from tests.beeps import RATE, SETTINGS, corpus, recognizer, say


def run(stream: object, sound: np.ndarray, size: int) -> tuple[list, list[str]]:
    """Finished utterances, and every text on the way."""
    finished, texts = [], []
    for first in range(0, len(sound), size):
        heard = stream.push(sound[first : first + size])  # type: ignore[attr-defined]
        finished += heard.finished
        texts.append(heard.text)
    return [*finished, *stream.finish().finished], texts  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [37, 160, 8000, 10**9])
@pytest.mark.parametrize("decoding", [Decoding(), Decoding(beam_width=4)])
def test_chunks_of_any_size_give_the_offline_words(size: int, decoding: Decoding) -> None:
    model = recognizer()
    for sound in corpus(4, 11)[0]:
        (offline,) = model.transcribe([sound], decoding)
        finished, texts = run(model.stream(RATE, decoding=decoding), sound, size)
        assert [(u.text, u.words) for u in finished] == [(offline.text, offline.words)]
        assert offline.text.startswith(texts[-1]) or decoding.beam_width


def test_the_scores_are_the_same_to_rounding() -> None:
    """Expected: log probabilities of the whole recording, in float64."""
    model, sound = recognizer(), corpus(1, 12)[0][0]
    stream, parts = model.stream(), []
    push = stream._decoder.push
    stream._decoder.push = lambda scores: (parts.append(scores), push(scores))[1]  # type: ignore[method-assign,func-returns-value]
    run(stream, sound, 160)
    whole = model._predictor.log_probabilities([as_recording(sound, RATE)])[0]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-9)


def three_utterances() -> np.ndarray:
    random = np.random.default_rng(5)
    quiet = (0.003 * random.standard_normal(int(1.5 * RATE))).astype(np.float32)
    return np.concatenate([part for text in ("low mid", "high", "mid low low") for part in (say(text, random), quiet)])


@pytest.mark.parametrize("size", [50, 160, 4000, 10**9])
def test_silence_ends_an_utterance_at_the_same_sample_for_every_chunk(size: int) -> None:
    finished, _ = run(recognizer().stream(endpoint=Endpoint(silence_s=0.5)), three_utterances(), size)
    assert [u.text for u in finished] == ["low mid", "high", "mid low low"]
    wanted, _ = run(recognizer().stream(endpoint=Endpoint(silence_s=0.5)), three_utterances(), 160)
    assert finished == wanted


def test_sound_keeps_an_utterance_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expected: a word may go on long after its unit was written; while it sounds nothing ends, and no word is cut."""
    sound = three_utterances()
    finished, _ = run(recognizer().stream(endpoint=Endpoint(silence_s=0.05)), sound, 160)
    assert " ".join(u.text for u in finished) == "low mid high mid low low"
    monkeypatch.setattr("recurra.prediction.endpoint.Loudness.is_sound", lambda _, block: len(block) > 0)
    finished, _ = run(recognizer().stream(endpoint=Endpoint(silence_s=0.05)), sound, 160)
    assert [u.text for u in finished] == ["low mid high mid low low"]


def test_each_utterance_is_the_offline_text_of_its_samples() -> None:
    model, sound = recognizer(), three_utterances()
    finished, _ = run(model.stream(endpoint=Endpoint(silence_s=0.5)), sound, 160)
    for utterance in finished:
        first = round(float(utterance.name.removesuffix(" s")) * RATE)
        piece = sound[first : first + round(utterance.seconds * RATE)]
        assert model.predict([piece]) == [utterance.text]
        assert all(first / RATE <= word.start_s <= first / RATE + utterance.seconds for word in utterance.words)


def test_memory_is_bounded_with_an_endpoint() -> None:
    """Expected: after minutes of audio nothing that the stream holds is longer than one utterance allows."""
    stream = recognizer().stream(endpoint=Endpoint(silence_s=0.5, longest_s=4.0))
    sound = three_utterances()
    for _ in range(6):
        run_on = [stream.push(sound[first : first + 4000]) for first in range(0, len(sound), 4000)]
        assert sum(len(heard.finished) for heard in run_on) >= 2
    assert len(stream._decoder._path.emissions) < 40
    assert stream._held_size < stream._block
    assert len(stream._features._tail) < stream.predictor.spec.fft_samples
    assert stream.seconds == pytest.approx(6 * len(sound) / RATE)


def test_silence_alone_gives_nothing() -> None:
    finished, texts = run(recognizer().stream(endpoint=Endpoint(idle_s=0.5)), np.zeros(3 * RATE, np.float32), 160)
    assert finished == []
    assert set(texts) == {""}


def test_an_empty_chunk_changes_nothing() -> None:
    stream = recognizer().stream()
    assert stream.push(np.zeros(0)).text == ""
    assert stream.finish().finished == ()


def test_a_bad_chunk_is_refused_and_changes_nothing() -> None:
    model, sound = recognizer(), corpus(1, 13)[0][0]
    stream = model.stream()
    stream.push(sound[:1000])
    with pytest.raises(AudioError, match="the chunk: sample 3 is nan"):
        stream.push(np.array([0.0, 0.0, 0.0, np.nan]))
    stream.push(sound[1000:])
    assert stream.finish().finished[0].text == model.predict([sound])[0]


def test_another_rate_is_refused() -> None:
    with pytest.raises(AudioError, match="16000 samples a second, this model streams 8000"):
        recognizer().stream(16000)


@pytest.mark.parametrize("settings", [{"bidirectional": True}, {"normalisation": "utterance"}])
def test_models_that_need_the_future_refuse_by_name(settings: dict) -> None:
    model = SpeechRecognizer(**{**SETTINGS, "max_epochs": 1, **settings}).fit(*corpus(8, 1))
    with pytest.raises(StreamingUnsupported, match=r"bidirectional|per utterance"):
        model.stream()


def test_whole_numbers_stream_like_floats() -> None:
    model, sound = recognizer(), corpus(1, 14)[0][0]
    finished, _ = run(model.stream(), (sound * 32767).astype(np.int16), 160)
    assert [u.text for u in finished] == model.predict([sound])
