"""The speech sets of the catalogue as utterances: paths, what is said, who says it."""

import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from recurra.data.catalogue.store import locate
from recurra.errors import DataSetError

if TYPE_CHECKING:
    from recurra.data.audio import Utterances


def load_fsdd() -> "Utterances":
    """The Free Spoken Digit Dataset: 3,000 recordings at 8 kHz; label, speaker, and the official split by index.

    Takes 0 to 4 of each digit and speaker are the test part, so every speaker is on both sides.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    from recurra.data.audio import Utterances, read_folder

    found = read_folder(locate("fsdd") / "recordings", "{label}_{speaker}_{take}.wav")
    takes = [int(path.stem.rpartition("_")[2]) for path in found.inputs]
    splits = tuple("test" if take < 5 else "train" for take in takes)
    return Utterances(found.inputs, found.targets, found.speakers, splits)


def load_an4() -> "Utterances":
    """CMU AN4 as feature files of 13 MFCC, 100 frames a second: 948 training utterances, 130 of the test.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
        DataSetError: transcripts and file lists do not belong together.
    """
    from recurra.data.audio import Utterances

    folder = locate("an4_mfcc")
    parts = [_an4_part(folder, name) for name in ("train", "test")]
    paths, texts, speakers, splits = (tuple(chain(*column)) for column in zip(*parts, strict=True))
    return Utterances(paths, texts, speakers, splits)


Columns = tuple[list[Path], list[str], list[str], list[str]]


def _an4_part(folder: Path, split: str) -> Columns:
    names = (folder / "etc" / f"an4_{split}.fileids").read_text().split()
    lines = (folder / "etc" / f"an4_{split}.transcription").read_text().splitlines()
    texts: list[str] = []
    for name, line in zip(names, lines, strict=True):
        match = re.fullmatch(r"\s*(.*?)\s*\((.*)\)\s*", line)
        if match is None or match[2] != Path(name).name:
            raise DataSetError(f"an4_{split}: {line!r} does not belong to {name}; fetch the set again")
        texts.append(match[1])
    paths = [folder / "feat" / f"{name}.mfc" for name in names]
    return paths, texts, [Path(name).parent.name for name in names], [split] * len(names)
