"""recurra data: what is there, what is missing, and how to get it; without a network."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recurra.data.catalogue import data_set, list_data_sets

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    monkeypatch.setenv("RECURRA_DATA_DIR", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, content: bytes) -> Path:
    entry = data_set(name)
    place = folder / entry.folder / entry.files[0].path
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    return place


def test_list_names_every_set_with_its_licence(run: Run, folder: Path) -> None:
    put(folder, "etth1", b"anything")
    text = run("data", "list").out
    found = json.loads(run("data", "list", "--json").out)
    assert found["folder"] == str(folder)
    assert [entry["name"] for entry in found["data_sets"]] == [entry.name for entry in list_data_sets()]
    for entry in list_data_sets():
        assert entry.licence in text
    assert {entry["name"]: entry["present"] for entry in found["data_sets"] if entry["present"]} == {"etth1": 1}


def test_verify_names_what_changed_and_fails(run: Run, folder: Path) -> None:
    assert run("data", "verify").code == 0  # nothing is at hand, so nothing is wrong
    put(folder, "etth1", b"not the published file")
    found = run("data", "verify")
    assert found.code == 1
    assert "changed ETTh1.csv" in found.out
    result = json.loads(run("data", "verify", "etth1", "--json").out)
    assert result["etth1"]["changed"] == ["ETTh1.csv"]
    assert result["etth1"]["complete"] is False


def test_verify_by_name_fails_if_files_are_missing(run: Run, folder: Path) -> None:
    found = run("data", "verify", "m4_weekly")
    assert found.code == 1
    assert "missing m4_weekly_train.csv" in found.out
    assert list(folder.iterdir()) == []


def test_path_of_the_folder_and_of_a_set_that_is_not_there(run: Run, folder: Path) -> None:
    assert run("data", "path").out.strip() == str(folder)
    assert json.loads(run("data", "path", "--json").out) == {"name": None, "path": str(folder)}
    found = run("data", "path", "cta_ridership")
    assert found.code == 1
    assert "put it there" in found.err


def test_fetch_never_writes_into_a_given_folder(run: Run, folder: Path) -> None:
    found = run("data", "fetch", "cta_ridership")
    assert found.code == 1
    assert list(folder.iterdir()) == []


def test_wrong_names_are_code_2(run: Run, folder: Path) -> None:
    assert run("data", "fetch").code == 2
    found = run("data", "verify", "cta")
    assert found.code == 2
    assert "there is no data set 'cta'" in found.err
    assert list(folder.iterdir()) == []
