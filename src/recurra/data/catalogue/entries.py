"""What the catalogue knows: for each benchmark data set where it comes from, under which licence, and its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from importlib.resources import files as package_files
from typing import Final, Literal

from recurra.errors import ConfigError


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes:
        path: its place below the data set's folder.
        sha256: checksum of its content as published, in hexadecimal.
        url: where it can be fetched, or None.
    """

    path: str
    sha256: str
    url: str | None


@dataclass(frozen=True)
class DataSet:
    """One benchmark data set.

    Attributes:
        name: its name in the catalogue.
        description: what it holds.
        folder: its folder below the data folder.
        source: GitHub repository, "owner/name".
        commit: the commit that the files are taken from.
        published: where its folder lies in the repository; or, for files that are renamed, path -> published path.
        how: "single files" are fetched one by one; "by hand" needs a person.
        licence: terms of use, as far as they are stated.
        citation: what to cite.
        by_hand: what to download and where to put it; empty for single files.
        packed: whether a file may also lie there packed with gzip, with ".gz" after its name.
    """

    name: str
    description: str
    folder: str
    source: str
    commit: str
    published: str | Mapping[str, str] = field(hash=False)
    how: Literal["single files", "by hand"]
    licence: str
    citation: str
    by_hand: str = ""
    packed: bool = False

    @cached_property
    def files(self) -> tuple[DataFile, ...]:
        """The data set's files, with their checksums."""
        listed = package_files("recurra.data.catalogue").joinpath("checksums", f"{self.name}.txt").read_text("utf-8")
        pairs = [line.split("  ", 1) for line in listed.splitlines()]
        return tuple(DataFile(path, sha256, self._url(path)) for sha256, path in pairs)

    def _url(self, path: str) -> str | None:
        if self.how == "by hand":
            return None
        published = self.published.rstrip("/") + "/" + path if isinstance(self.published, str) else self.published[path]
        return f"https://raw.githubusercontent.com/{self.source}/{self.commit}/{published.lstrip('/')}"


def list_data_sets() -> tuple[DataSet, ...]:
    """Every data set of the catalogue."""
    return DATA_SETS


def data_set(name: str) -> DataSet:
    """The data set of this name, in capitals or not.

    Raises:
        ConfigError: if there is none; names the closest.
    """
    known = {entry.name: entry for entry in DATA_SETS}
    if name.lower() not in known:
        close = get_close_matches(name.lower(), known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"the sets are {', '.join(known)}"
        raise ConfigError(f"there is no data set {name!r}; {hint}")
    return known[name.lower()]


DATA_SETS: Final = (
    DataSet(
        name="cta_ridership",
        description="Chicago transit: daily boardings of bus and rail, 2001 to 2021",
        folder="forecasting",
        source="ageron/data",
        commit="2ea73147454d2ff8c8a933913be4606f05b352ca",
        published={"cta_ridership.csv": "ridership/CTA_-_Ridership_-_Daily_Boarding_Totals.csv"},
        how="single files",
        licence="City of Chicago open data, terms of use of the Chicago Data Portal",
        citation="Chicago Transit Authority, Ridership - Daily Boarding Totals, Chicago Data Portal",
    ),
    DataSet(
        name="m4_weekly",
        description="M4 competition: 359 weekly series, 13 points held out",
        folder="forecasting",
        source="Mcompetitions/M4-methods",
        commit="6c1067e",
        published={
            "m4_weekly_train.csv": "Dataset/Train/Weekly-train.csv",
            "m4_weekly_test.csv": "Dataset/Test/Weekly-test.csv",
        },
        how="single files",
        licence="none stated",
        citation="Makridakis, Spiliotis, Assimakopoulos (2020), The M4 Competition, Int. J. of Forecasting 36(1)",
    ),
    DataSet(
        name="etth1",
        description="Electricity transformer: 7 hourly columns, 17,420 rows from 2016-07-01",
        folder="forecasting",
        source="zhouhaoyi/ETDataset",
        commit="1d16c8f4f943005d613b5bc962e9eeb06058cf07",
        published={"ETTh1.csv": "ETT-small/ETTh1.csv"},
        how="single files",
        licence="CC BY-ND 4.0",
        citation="Zhou et al. (2021), Informer: Beyond Efficient Transformer for Long Sequence Forecasting, AAAI",
    ),
    DataSet(
        name="sp500",
        description="S&P 500, daily: log return x 100 (1971 to 2018), 5-minute realised variance (from 2000), VIX",
        folder="stocks",
        source="onnokleen/mfGARCH",
        commit="cb76089ae4875a7b25de6196e51dc9644a793a9a",
        published={"sp500_return_rv_vix_1971_2018.csv": "data-raw/df_mfgarch.csv"},
        how="single files",
        licence="MIT (the repository)",
        citation="Heber, Lunde, Shephard, Sheppard (2009), Oxford-Man Institute's realized library",
        packed=True,
    ),
    DataSet(
        name="eth_ucy",
        description="Pedestrians seen from above: five scenes, leave-one-out; frame, id, x, y in metres, 0.4 s apart",
        folder="trajectory/eth_ucy",
        source="StanfordASL/Trajectron-plus-plus",
        commit="1031c7b",
        published="experiments/pedestrians/raw",
        how="single files",
        licence="ETH: none stated; UCY: free with credit",
        citation="Pellegrini et al. (2009), ICCV; Lerner, Chrysanthou, Lischinski (2007), Eurographics",
    ),
    DataSet(
        name="hurdat",
        description="Atlantic hurricanes 1851 to 2019: 51,826 fixes of 1,892 storms, 6-hourly",
        folder="trajectory",
        source="timtrice/HURDAT",
        commit="",
        published="",
        how="by hand",
        licence="public domain",
        citation="Landsea, Franklin (2013), Atlantic Hurricane Database Uncertainty, Monthly Weather Review 141(10)",
        by_hand="convert the Atlantic table of the R package HURDAT (github.com/timtrice/HURDAT, data from NOAA) to a "
        "gzip-packed CSV with the columns Key, Name, DateTime, Record, Status, Lat, Lon, Wind, Pressure, "
        "named hurdat_AL_to_2019.csv.gz",
    ),
    DataSet(
        name="multi30k",
        description="Multi30k task 1: 29,000 / 1,014 / 1,000 sentence pairs, English and German, raw text",
        folder="translation/multi30k",
        source="multi30k/dataset",
        commit="a3d2e0d",
        published="data/task1/raw",
        how="single files",
        licence="non-commercial research use",
        citation="Elliott, Frank, Sima'an, Specia (2016), Multi30K: Multilingual English-German Image Descriptions",
    ),
    DataSet(
        name="cmudict",
        description="CMU pronouncing dictionary: 126,052 English words and their phonemes",
        folder="translation/cmudict",
        source="cmusphinx/cmudict",
        commit="0f8072f",
        published="",
        how="single files",
        licence="BSD-like, see LICENSE beside it",
        citation="Carnegie Mellon University, The CMU Pronouncing Dictionary",
    ),
    DataSet(
        name="fsdd",
        description="Free Spoken Digit Dataset: 3,000 recordings of 6 speakers, wav, 8 kHz mono",
        folder="speech/fsdd",
        source="Jakobovski/free-spoken-digit-dataset",
        commit="26eb9aa",
        published="",
        how="by hand",
        licence="CC BY-SA 4.0",
        citation="Jackson et al. (2018), Free Spoken Digit Dataset v1.0.8, Zenodo",
        by_hand="download https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aa.zip and unpack its "
        "README.md, .gitignore and folder recordings",
    ),
    DataSet(
        name="an4_mfcc",
        description="CMU AN4 census recordings as 13 MFCC at 100 frames/s; 948 train, 130 test, speakers disjoint",
        folder="speech/an4_mfcc",
        source="cphazen/Machine-Learning-Project-ASR",
        commit="5e478f0ee6c5b060edf702acdd563948cad5545f",
        published="an4",
        how="by hand",
        licence="CMU, free with notice, see LICENSE beside it",
        citation="Acero (1993), Acoustical and Environmental Robustness in Automatic Speech Recognition",
        by_hand="download https://github.com/cphazen/Machine-Learning-Project-ASR/archive/"
        "5e478f0ee6c5b060edf702acdd563948cad5545f.zip and unpack the content of its folder an4",
    ),
)
