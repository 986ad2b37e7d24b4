"""The recogniser as an answering object: batches, searches, times, and the way through a folder."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from recurra.data.audio import Alphabet, FeatureExtractor, as_recording
from recurra.decoding import NGramModel
from recurra.errors import ConfigError
from recurra.prediction import Decoding, SpeechPredictor
from recurra.prediction.speech_decoding import UnitDecoder
from tests.beeps import RATE, corpus, recognizer, say


@pytest.fixture
def predictor() -> SpeechPredictor:
    return recognizer()._predictor


def recordings(n: int, seed: int) -> list:
    return [as_recording(sound, RATE) for sound in corpus(n, seed)[0]]


def test_a_recording_does_not_know_its_neighbours(predictor: SpeechPredictor) -> None:
    inputs = recordings(5, 3)
    for item, together in zip(inputs, predictor.log_probabilities(inputs), strict=True):
        np.testing.assert_allclose(predictor.log_probabilities([item])[0], together, atol=1e-10)


def test_word_times_lie_within_their_tones(predictor: SpeechPredictor) -> None:
    """Expected: the sound is silent but for two tones, whose places are known from how it was made."""
    tone = 0.3 * np.sin(2 * np.pi * 900 * np.arange(1600) / RATE) * np.hanning(1600)
    sound = np.concatenate([np.zeros(1600), tone, np.zeros(1600), tone, np.zeros(1600)])
    sound += 0.003 * np.random.default_rng(0).standard_normal(len(sound))
    answer = predictor.transcripts([as_recording(sound, RATE)])[0]
    assert answer.text == "mid mid"
    assert answer.seconds == pytest.approx(1.0)
    for word, begin_s in zip(answer.words, (0.2, 0.6), strict=True):
        assert begin_s - 0.05 < word.start_s < word.end_s < begin_s + 0.3
        assert 0.5 < word.confidence <= 1.0


def test_beam_search_agrees_where_the_sound_is_clear(predictor: SpeechPredictor) -> None:
    inputs = recordings(8, 4)
    plain = [answer.text for answer in predictor.transcripts(inputs)]
    beam = predictor.transcripts(inputs, Decoding(beam_width=8))
    assert sum(a == b.text for a, b in zip(plain, beam, strict=True)) >= 7
    assert all(word.end_s <= answer.seconds + predictor.step_s for answer in beam for word in answer.words)


def test_a_language_model_can_forbid_a_word(predictor: SpeechPredictor) -> None:
    """Expected: a closed vocabulary without "mid" never writes it."""
    grams = {("<s>",): (-99.0, 0.0), ("</s>",): (-0.5, 0.0), ("low",): (-0.5, 0.0), ("high",): (-0.5, 0.0)}
    how = Decoding(8, NGramModel(grams, 1), closed=True)
    sound = say("low mid high", np.random.default_rng(1))
    answer = predictor.transcripts([as_recording(sound, RATE)], how)[0]
    assert "mid" not in answer.text.split()


def test_silence_gives_an_empty_text_and_says_so(predictor: SpeechPredictor) -> None:
    answer = predictor.transcripts([as_recording(np.zeros(4000), RATE)])[0]
    assert (answer.text, answer.words, answer.blemishes) == ("", (), ("silent",))


def test_nothing_in_nothing_out(predictor: SpeechPredictor) -> None:
    assert predictor.transcripts([]) == []


def test_a_saved_predictor_answers_alike(predictor: SpeechPredictor) -> None:
    again = SpeechPredictor.from_saved(predictor.to_config(), predictor.to_tensors())
    assert again.fingerprint == predictor.fingerprint
    inputs = recordings(3, 5)
    assert again.transcripts(inputs) == predictor.transcripts(inputs)


def test_searches_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="beam search"):
        Decoding(language_model=NGramModel({("a",): (0.0, 0.0)}, 1))
    with pytest.raises(ConfigError, match="beam_width"):
        Decoding(beam_width=-1)
    with pytest.raises(ConfigError, match="give a language_model"):
        Decoding(8, closed=True)
    for wrong in ({"weight": math.nan}, {"weight": -1.0}, {"bonus": math.inf}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            Decoding(8, NGramModel({("low",): (0.0, 0.0)}, 1), **wrong)


def test_a_model_in_capitals_is_refused(predictor: SpeechPredictor) -> None:
    capitals = NGramModel({("LOW",): (-0.5, 0.0), ("MID",): (-0.5, 0.0)}, 1)
    with pytest.raises(ConfigError, match=r"its words are LOW, MID .*, the words are high low mid"):
        predictor.transcripts(recordings(1, 3), Decoding(8, capitals))


def test_step_times_follow_the_samples(predictor: SpeechPredictor) -> None:
    """Expected by hand: at 11,025 Hz a hop is 110 samples, and the network takes two frames a step."""
    spec = replace(predictor.spec, sample_rate_hz=11_025)
    odd = SpeechPredictor(FeatureExtractor(spec), predictor.network, predictor.alphabet)
    assert odd.step_s == pytest.approx(2 * 110 / 11_025)


def test_the_memory_of_a_beam_does_not_grow_with_the_sound() -> None:
    """Expected: 2000 steps of 100 units are 1.6 MB of scores, of which nothing is kept."""
    decoder = UnitDecoder(Decoding(4), Alphabet(tuple("abc")))
    quiet = np.log(np.tile([0.97, 0.01, 0.01, 0.01, *[1e-9] * 96], (20, 1)))
    tracemalloc.start()
    for _ in range(100):
        decoder.push(quiet.copy())
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decoder.steps == 2000
    assert held < 200_000
