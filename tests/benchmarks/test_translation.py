"""The translation benchmarks show what was recorded, and count what they say they count."""

import torch

from benchmarks import cmudict, multi30k, translation_latency
from benchmarks._translation_speed import figures
from recurra.decoding import DecodingOptions, beam_search
from recurra.learners.parameters import validate
from recurra.learners.translation_schema import TranslatorConfig


def test_their_settings_are_settings_of_the_translator() -> None:
    for settings in (multi30k.SETTINGS, cmudict.SETTINGS):
        assert validate(TranslatorConfig, settings).average == 3


def test_what_a_speed_measurement_says() -> None:
    # by hand: 60 of 100 s are the recurrences; twice as fast they save 30 % of a step, 24 % were saved
    found = figures({"torch": 100.0, "native": 76.0}, {"torch": 60.0, "native": 30.0}, pieces=7600)
    assert (found["ours_tokens"], found["torch_tokens"]) == (100, 76)
    assert [round(found[name], 6) for name in ("share", "ceiling", "alone", "predicted", "saved", "reached")] == [
        0.6, 2.5, 2.0, 0.3, 0.24, 0.8,
    ]  # fmt: skip
    assert found["met"] == "met"


def test_a_held_answer_takes_as_many_steps_as_it_should() -> None:
    scorer = translation_latency.build(50)
    source = torch.randint(4, 50, (2, 3))
    found = beam_search(scorer, source, torch.tensor([3, 3]), DecodingOptions(beam=2))
    assert [len(answers[0].pieces) for answers in found] == [translation_latency.STEPS - 1] * 2
    assert scorer.steps == translation_latency.STEPS


def test_the_reports_show_what_was_recorded() -> None:
    score = {"lowercased": 35.5, "cased": 34.25, "signatures": ["lc", "mixed"]}
    run = {
        "test": score,
        "validation": score,
        "copied_test": {"lowercased": 0.75},
        "epochs": 15,
        "training_seconds": 3600,
    }
    told = multi30k.report({"de-en/0": run})
    assert "| de-en | 0 | 35.50 | 34.25 | 35.50 | 15 | 60 |" in told
    assert "35.50 over 1 seed(s), 1 of 3 seeds so far, so that no bar is judged yet." in told
    assert "Not run: en-de; speed." in told
    every = multi30k.report({f"de-en/{seed}": run for seed in range(3)})
    assert "BLEU at least 35, lowercased and tokenised: 35.50 over 3 seed(s), met; aim of 38: missed." in every
    assert "32.90 over 1 seed(s), missed" in multi30k.report(
        {"en-de/0": {**run, "test": {**score, "lowercased": 32.9}}}
    )
    speed = figures({"torch": 100.0, "native": 76.0}, {"torch": 60.0, "native": 30.0}, pieces=7600)
    assert "80% of the prediction (bar 80 %: met)" in multi30k.report({"speed": speed})
    words = {"test": 0.312, "validation": 0.3, "epochs": 12, "training_seconds": 60}
    assert "| 0 | 31.2% | 30.0% | 12 | 1 |" in cmudict.report({"0": words})
    assert "1 of 3 seeds so far, so that no bar is judged yet." in cmudict.report({"0": words})
    assert "31.2%, the mean of 3 seed(s); missed." in cmudict.report({str(seed): words for seed in range(3)})
    times = {"beam_ms": 21.0, "beam_best_ms": 20.0, "greedy_ms": 9.0}
    latency = {**times, "bar_ms": 40.0, "met": True, "sentences_per_s": 99}
    assert "Not run: 5,000 subwords." in translation_latency.report({"8000": latency})
    both = translation_latency.report({"5000": latency, "8000": latency})
    assert both.index("| 5,000 |") < both.index("| 8,000 |")
    row = "| 8,000 | 21.0 ms | 20.0 ms | 9.0 ms | 40 ms: met | 99 a second |"
    assert row in translation_latency.report({"8000": latency})
    assert multi30k.report({}) == cmudict.report({}) == translation_latency.report({}) == ""
