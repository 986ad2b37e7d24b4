"""Locating, fetching and verifying, with a small stand-in for the network; checksums are computed by hashlib here."""

import gzip
import hashlib
import shutil
from pathlib import Path

import pooch
import pytest

from recurra.data.catalogue import ENVIRONMENT, DataFile, DataSet, fetch, locate, store, verify
from recurra.errors import ChecksumError, DataSetNotFound

CONTENT = {"a.csv": b"x\n1\n", "sub/b.csv": b"y\n2\n"}


class TinySet(DataSet):
    """A data set whose files are CONTENT."""

    files = tuple(DataFile(p, hashlib.sha256(c).hexdigest(), f"https://x/{p}") for p, c in CONTENT.items())  # type: ignore[assignment]


def tiny(how: str = "single files", packed: bool = False) -> DataSet:
    by_hand = "download it by hand" if how == "by hand" else ""
    return TinySet("tiny", "d", "folder", "o/r", "abcdef0", "p", how, "l", "c", by_hand, packed)  # type: ignore[arg-type]


def put(folder: Path, name: str, content: bytes) -> None:
    place = folder / "folder" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, no RECURRA_DATA_DIR, and the tiny set in the catalogue."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    monkeypatch.setattr(store, "data_set", lambda name: tiny())
    monkeypatch.setattr(store, "_verified", set())
    return tmp_path / "recurra"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answers with CONTENT; the list names what was asked for."""
    asked: list[str] = []

    def retrieve(url: str, known_hash: str, fname: str, path: Path) -> str:
        asked.append(url)
        content = CONTENT[url.removeprefix("https://x/")]
        if known_hash != "sha256:" + hashlib.sha256(content).hexdigest():
            raise ValueError("SHA256 hash of downloaded file does not match")
        Path(path).mkdir(parents=True, exist_ok=True)
        (Path(path) / fname).write_bytes(content)
        return str(Path(path) / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    return asked


def test_fetch_gets_what_is_missing_once(cache: Path, network: list[str]) -> None:
    put(cache, "a.csv", CONTENT["a.csv"])
    assert verify("tiny").missing == ("sub/b.csv",)
    assert fetch("tiny") == cache / "folder"
    assert network == ["https://x/sub/b.csv"]
    fetch("tiny")
    assert len(network) == 1
    assert verify("tiny").complete
    assert str(verify("tiny")) == f"tiny: 2 ok, 0 missing, 0 changed in {cache / 'folder'}"


def test_locate_fetches_nothing(cache: Path, network: list[str]) -> None:
    with pytest.raises(DataSetNotFound, match=r"a\.csv and 1 more is not in .*; fetch it: recurra data fetch tiny"):
        locate("tiny")
    assert network == []


def test_a_changed_file_is_refused_and_left_alone(cache: Path, network: list[str]) -> None:
    put(cache, "a.csv", b"x\n2\n")
    put(cache, "sub/b.csv", CONTENT["sub/b.csv"])
    assert verify("tiny").changed == ("a.csv",)
    for door in (locate, fetch):
        with pytest.raises(ChecksumError, match=r"a\.csv is not the published file; remove it"):
            door("tiny")
    assert (cache / "folder" / "a.csv").read_bytes() == b"x\n2\n"
    assert network == []


def test_without_a_network_the_error_says_where_to_put_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(
        DataSetNotFound, match=r"https://x/a\.csv cannot be fetched \(ConnectionError\).*RECURRA_DATA_DIR"
    ):
        fetch("tiny")


def test_a_source_that_has_changed_is_a_checksum_error(
    cache: Path, network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTENT, "a.csv", b"something else")
    with pytest.raises(ChecksumError, match="not the published file any more"):
        fetch("tiny")


def test_a_set_by_hand_says_what_to_do(cache: Path, network: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "data_set", lambda name: tiny("by hand"))
    with pytest.raises(DataSetNotFound, match=f"download it by hand; put it into {cache / 'folder'}"):
        fetch("tiny")
    for name, content in CONTENT.items():
        put(cache, name, content)
    assert fetch("tiny") == cache / "folder"
    assert network == []


def test_the_folder_of_the_environment_is_never_written(
    cache: Path, network: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    monkeypatch.setenv(ENVIRONMENT, str(given))
    with pytest.raises(DataSetNotFound, match=f"unset {ENVIRONMENT} to fetch it"):
        fetch("tiny")
    assert list(given.iterdir()) == []
    assert network == []
    for name, content in CONTENT.items():
        put(given, name, content)
    assert locate("tiny") == given / "folder"
    shutil.rmtree(given)
    assert verify("tiny").missing == tuple(CONTENT)


def test_a_file_may_lie_there_packed_where_the_set_allows_it(
    cache: Path, network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache, "a.csv.gz", gzip.compress(CONTENT["a.csv"]))
    assert verify("tiny").missing == ("a.csv", "sub/b.csv")
    monkeypatch.setattr(store, "data_set", lambda name: tiny(packed=True))
    assert verify("tiny").ok == ("a.csv",)
    put(cache, "a.csv.gz", gzip.compress(b"other"))
    assert verify("tiny").changed == ("a.csv",)
    put(cache, "a.csv.gz", b"not gzip")
    assert verify("tiny").changed == ("a.csv",)
