"""recurra stream: one line in, one line out; the state survives a restart, and a bad line changes nothing."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import recurra

Run = Callable[..., Any]
Feed = Callable[..., tuple[int, list[dict[str, Any]], str]]
NEXT = ["2024-03-11", "2024-03-12", "2024-03-13"]


def line(ds: str, y: object, name: str = "north", **more: object) -> str:
    return json.dumps({"unique_id": name, "ds": ds, "y": y, **more})


@pytest.fixture
def feed(run: Run, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """Run `recurra stream` on lines; its exit code, its answers, and what it said."""

    def call(lines: list[str | bytes], *arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        content = b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in lines)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        found = run("stream", *arguments)
        return found.code, [json.loads(answer) for answer in found.out.splitlines()], found.err

    return call


def test_every_answer_equals_predict_on_the_rows_so_far(feed: Feed, model: Path, table: Path) -> None:
    code, answers, _ = feed([line(ds, 10 + at) for at, ds in enumerate(NEXT)], model, "--history", table)
    assert code == 0
    learner, rows = recurra.load(model), pd.read_csv(table)
    for at, (ds, answer) in enumerate(zip(NEXT, answers, strict=True)):
        rows.loc[len(rows)] = ["north", ds, 10.0 + at, 0]
        predicted = learner.predict(rows[rows.unique_id == "north"])
        assert answer["line"] == at + 1
        assert [row["ds"] for row in answer["forecasts"]] == predicted["ds"].dt.strftime("%Y-%m-%d").tolist()
        for name in ("forecast", "mean", "q05", "q95"):
            assert [row[name] for row in answer["forecasts"]] == pytest.approx(predicted[name].tolist(), abs=1e-6)


BAD: list[tuple[str | bytes, str]] = [
    ("{", "not JSON"),
    ("[1, 2]", "holds a list, not an object"),
    (b"\xff\xfe", "not JSON in UTF-8"),
    (line(NEXT[0], "much"), "'y'"),
    (line(NEXT[0], None), "missing"),
    (json.dumps({"unique_id": "north", "ds": NEXT[0]}), "'y'"),
    (line("yesterday", 1.0), "yesterday"),
    (line("2024-03-10", 1.0), "2024-03-10"),
    (line(NEXT[2], 1.0), "missing"),
    ("[" * 100_000, "not JSON"),
]


@pytest.mark.parametrize(("bad", "said"), BAD, ids=[str(at) for at in range(len(BAD))])
def test_a_bad_line_is_answered_changes_nothing_and_is_counted(
    feed: Feed, model: Path, table: Path, bad: str | bytes, said: str
) -> None:
    good = [line(NEXT[0], 10.5), line(NEXT[1], 10.7)]
    _, alone, _ = feed(good, model, "--history", table)
    code, answers, _ = feed([bad, "", *good], model, "--history", table)
    assert code == 1
    assert answers[0]["line"] == 1
    assert said in answers[0]["error"]
    assert [answer["forecasts"] for answer in answers[1:]] == [answer["forecasts"] for answer in alone]
    assert [answer["line"] for answer in answers[1:]] == [3, 4]


def test_a_snapshot_goes_on_where_the_stream_ended(feed: Feed, model: Path, table: Path, tmp_path: Path) -> None:
    lines = [line(ds, 10 + at) for at, ds in enumerate(NEXT)]
    _, whole, _ = feed(lines, model, "--history", table)
    state = tmp_path / "state.bin"
    _, first, _ = feed(lines[:1], model, "--history", table, "--snapshot", state)
    _, second, said = feed(lines[1:], model, "--history", "not read", "--snapshot", state)
    assert "restored 2 series" in said
    assert [answer["forecasts"] for answer in (*first, *second)] == [answer["forecasts"] for answer in whole]
    assert [path.name for path in tmp_path.iterdir()] == ["state.bin"]


def test_a_damaged_snapshot_is_refused_and_kept(feed: Feed, model: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.bin"
    state.write_bytes(b"nothing of ours")
    code, answers, said = feed([line(NEXT[0], 1.0)], model, "--snapshot", state)
    assert (code, answers) == (1, [])
    assert said.startswith("recurra: error: ")
    assert state.read_bytes() == b"nothing of ours"


def test_policies_are_handed_on(feed: Feed, model: Path, table: Path) -> None:
    late = line("2024-03-01", 1.0)
    assert feed([late], model, "--history", table)[0] == 1
    code, answers, _ = feed([late], model, "--history", table, "--late", "ignore")
    assert code == 0
    assert "forecasts" in answers[0]


def test_a_row_brings_the_future_that_is_known(feed: Feed, model_with_future: Path, table: Path) -> None:
    future = [{"ds": ds, "holiday": 1} for ds in NEXT[1:]]
    row = line(NEXT[0], 10.5, holiday=0, future=future)
    code, answers, _ = feed([row], model_with_future, "--history", table)
    assert code == 0, answers
    rows = pd.read_csv(table)
    rows.loc[len(rows)] = ["north", NEXT[0], 10.5, 0]
    known = pd.DataFrame(future).assign(unique_id="north")
    predicted = recurra.load(model_with_future).predict(rows[rows.unique_id == "north"], known)
    assert [found["forecast"] for found in answers[0]["forecasts"]] == pytest.approx(predicted["forecast"].tolist())
    code, answers, _ = feed([line(NEXT[0], 10.5, holiday=0), row.replace("[{", "[3, {")], model_with_future)
    assert code == 1
    assert "must be a list of rows" in answers[1]["error"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_stream_and_keeps_its_state(
    model: Path, table: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    state = tmp_path / "state.bin"
    command = [sys.executable, "-m", "recurra.cli.app", "stream", model, "--history", table, "--snapshot", state]
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line(NEXT[0], 10.5).encode() + b"\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())  # the stream now waits for its second line
        process.send_signal(number)
        assert process.wait(timeout=60) == code
    restored = recurra.load(model).restore(state.read_bytes())
    assert str(restored.last_seen("north")).startswith(NEXT[0])
    assert answer["line"] == 1
