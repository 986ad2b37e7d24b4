"""A result file says under which protocol each run was made, and the report marks what is to be taken with care."""

from pathlib import Path

import pytest

from benchmarks import _record
from benchmarks._record import Record, digest, remarks


def test_a_run_keeps_the_digest_of_its_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_record, "ROOT", tmp_path)
    monkeypatch.setattr(_record, "commit", lambda: "abc")
    Record("few", "as it was").run("one", lambda: {"figure": 1})
    later = Record("few", "as it is now")
    later.run("two", lambda: {"figure": 2})
    assert later.runs["one"]["protocol"] == digest("as it was") != later.runs["two"]["protocol"]
    told = later.told(lambda runs: f"{len(runs)} runs.")
    assert told == "2 runs.\n\nMade under an older protocol: one."


def test_uncommitted_changes_and_silent_runs_are_marked() -> None:
    # expected: by hand
    now = {"commit": "abc", "protocol": digest("words")}
    content = {"protocol": "words", "runs": {"one": now, "two": {**now, "commit": "abc+changes"}}}
    assert remarks(content) == ["Made with uncommitted changes: two."]
    assert remarks({"protocol": "words", "runs": {"one": now}}) == []
    silent = {"protocol": "words", "runs": {"one": now, "two": {"commit": "abc"}}}
    assert remarks(silent) == ["1 of 2 runs do not say which version of the protocol they were made under."]
