"""The catalogue's entries: complete, each with checksums, a licence and a place to get it from."""

import re

import pytest

from recurra.data.catalogue import DataSet, data_set, list_data_sets
from recurra.errors import ConfigError

FILES = {
    "cta_ridership": 1,
    "m4_weekly": 2,
    "etth1": 1,
    "sp500": 1,
    "eth_ucy": 74,
    "hurdat": 1,
    "multi30k": 6,
    "cmudict": 6,
    "fsdd": 3002,
    "an4_mfcc": 1090,
}


def test_the_sets_and_how_many_files_they_have() -> None:
    """Counted in the published folders."""
    assert {entry.name: len(entry.files) for entry in list_data_sets()} == FILES


@pytest.mark.parametrize("entry", list_data_sets(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: DataSet) -> None:
    assert entry.description
    assert entry.licence
    assert entry.citation
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry.source)
    assert bool(entry.by_hand) == (entry.how == "by hand")
    for file in entry.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert not file.path.startswith(("/", ".")) or file.path == ".gitignore"
        assert ".." not in file.path
        if entry.how == "by hand":
            assert file.url is None
        else:
            assert re.fullmatch(r"[0-9a-f]{7,40}", entry.commit)
            start = f"https://raw.githubusercontent.com/{entry.source}/{entry.commit}/"
            assert file.url is not None
            assert re.fullmatch(re.escape(start) + r"[^/\s][^\s]*", file.url)
            assert "//" not in file.url[len("https://") :]


def test_a_renamed_file_and_a_folder() -> None:
    """The published paths are those of the repositories named."""
    start = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/"
    assert data_set("etth1").files[0].url == f"{start}1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/ETTh1.csv"
    urls = {file.url for file in data_set("eth_ucy").files}
    assert (
        "https://raw.githubusercontent.com/StanfordASL/Trajectron-plus-plus/1031c7b/experiments/pedestrians/raw/eth/test/"
        "biwi_eth.txt"
    ) in urls


def test_an_unknown_set_names_the_closest() -> None:
    assert data_set("ETTh1").name == "etth1"
    with pytest.raises(ConfigError, match="did you mean 'cta_ridership'"):
        data_set("cta_rider")
    with pytest.raises(ConfigError, match="the sets are cta_ridership, m4_weekly"):
        data_set("zzz")
