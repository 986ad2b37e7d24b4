"""No bar is judged before every run that it asks for is there."""

from benchmarks import an4, fsdd, fsdd_connected
from benchmarks._bars import judged, not_run, pending


def test_a_bar_waits_for_every_run() -> None:
    # expected: by hand
    wanted = [f"gru/{seed}" for seed in range(3)]
    assert judged(True, wanted, {"gru/0", "gru/2"}) == "2 of 3 seeds so far, so that no bar is judged yet"
    assert [judged(good, wanted, {*wanted, "lstm/0"}) for good in (True, False)] == ["met", "missed"]
    assert pending(wanted, (), "runs") == "0 of 3 runs so far, so that no bar is judged yet"
    assert not_run([]) == []
    assert not_run(["one", "two"]) == ["", "Not run: one; two."]


def test_speech_is_judged_over_every_seed_and_speaker() -> None:
    scores = {how: {"CER": [9.0, 8.0, 10.0], "WER": [20.0, 18.0, 22.0]} for how in ("best path", "beam")}
    timed = {"training_seconds": 60, "training_cpu_seconds": 60}
    runs = {f"seed {s}": {"seed": s, "test": scores, "validation": {"characters": 9.0}, **timed} for s in range(3)}
    assert "(aim 10 %): 9.0 %, met; aim: met" in an4.report(runs)
    del runs["seed 1"]
    assert "9.0 %, 2 of 3 seeds so far, so that no bar is judged yet" in an4.report(runs)
    keys = [f"{name}/{seed}" for name in fsdd.SPEAKERS for seed in fsdd.SEEDS]
    heard = {key: {"test": 0.9, **timed} for key in keys}
    told = fsdd.report(heard)
    assert "bar of 85 %: met; aim of 92 %: missed" in told
    assert "Not run: the official split." in told
    assert "1 of 18 runs so far, so that no bar is judged yet" in fsdd.report({keys[0]: heard[keys[0]]})
    one = {"test": [5.5, 5.0, 6.0], "seed": 0, "strings_right": 80, "streamed": 30, "streamed_alike": 30, **timed}
    assert "bar of 10 %: met; aim of 5 %: missed" in fsdd_connected.report(dict.fromkeys(keys, one))
    assert "1 of 18 runs so far, so that no bar is judged yet" in fsdd_connected.report({keys[0]: one})
