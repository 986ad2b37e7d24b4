"""Which recordings there are and what is said in them: from a table, or from a folder whose file names tell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.data.audio.files import ENDINGS
from recurra.data.readers import read_columns
from recurra.errors import AudioError, ConfigError, MissingColumnError, TableError

SPLITS = ("train", "validation", "test")
NAMED = ("label", "text", "speaker", "split")


@dataclass(frozen=True)
class Utterances:
    """Inputs and what they say, in order.

    Attributes:
        inputs: paths, recordings, or feature matrices.
        targets: label or text of each.
        speakers: who speaks; None where that is not known.
        splits: "train", "validation" or "test" of each; None where the caller does not say.
    """

    inputs: tuple[Any, ...]
    targets: tuple[Any, ...]
    speakers: tuple[str, ...] | None = None
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("targets", "speakers", "splits"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.inputs):
                raise TableError(f"there are {len(self.inputs)} inputs, but {len(values)} {name}")

    def __len__(self) -> int:
        """Utterances."""
        return len(self.inputs)

    def select(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> "Utterances":
        """Some of them, by number."""
        parts = (self.inputs, self.targets, self.speakers, self.splits)
        return Utterances(*(None if part is None else tuple(part[i] for i in chosen) for part in parts))  # type: ignore[arg-type]

    def of_split(self, *names: str) -> "Utterances":
        """Those of some splits; all if no splits are known."""
        if self.splits is None:
            return self
        return self.select([i for i, split in enumerate(self.splits) if split in names])


def read_manifest(source: Any) -> Utterances:
    """A table with a row for each recording.

    Columns: `path` (relative paths count from the table's own folder), `text` or `label`, and, if they are there,
    `speaker` and `split` (train, validation or test).

    Args:
        source: any table, or the path of one.

    Raises:
        MissingColumnError: there is no path, or neither text nor label.
        TableError: a cell is empty, or a split unknown; names row and column.
    """
    table = read_columns(source)
    names = table.names
    target = next((name for name in ("text", "label") if name in names), None)
    if "path" not in names or target is None:
        wanted = "path" if "path" not in names else "text or label"
        raise MissingColumnError(f"the manifest has no column {wanted}; it has {', '.join(names)}")
    columns = {name: table.load(name).values.tolist() for name in names if name in ("path", target, "speaker", "split")}
    for name, values in columns.items():
        empty = next((i for i, v in enumerate(values) if v is None or (name != "text" and str(v).strip() == "")), None)
        if empty is not None:
            raise TableError(f"row {empty + 1}, column {name!r}: the cell is empty; fill it in or leave the row out")
    folder = Path(source).parent if isinstance(source, str | PathLike) else Path()
    paths = tuple(folder / str(path) for path in columns["path"])
    speakers = tuple(map(str, columns["speaker"])) if "speaker" in columns else None
    splits = _checked_splits(columns["split"]) if "split" in columns else None
    return Utterances(paths, tuple(map(str, columns[target])), speakers, splits)


def _checked_splits(values: Sequence[Any]) -> tuple[str, ...]:
    for i, value in enumerate(values):
        if value not in SPLITS:
            raise TableError(f"row {i + 1}, column 'split': {value!r} is unknown; use {', '.join(SPLITS)}")
    return tuple(map(str, values))


def read_folder(folder: str | PathLike[str], rule: str) -> Utterances:
    """The recordings in a folder, told apart by their names.

    Args:
        folder: where they lie.
        rule: how their paths below the folder are made, such as "{label}_{speaker}_{index}.wav" or
            "{split}/{speaker}/{label}-{take}.wav". {label} or {text} is needed; other names are free.

    Raises:
        ConfigError: the rule is none.
        AudioError: there is no such folder, no recording in it, or one whose name is not made by the rule.
    """
    place = Path(folder)
    if not place.is_dir():
        raise AudioError(f"{place}: there is no such folder; check the path")
    pattern = _pattern(rule)
    ending = Path(rule).suffix.lower()
    endings = {ending} if ending and "{" not in ending else {*ENDINGS, ".mfc"}
    files = sorted(path for path in place.rglob("*") if path.suffix.lower() in endings and path.is_file())
    if not files:
        raise AudioError(
            f"{place} holds no {' or '.join(sorted(endings))} files; check the folder and the rule {rule!r}"
        )
    found = [(path, pattern.fullmatch(path.relative_to(place).as_posix())) for path in files]
    strange = [path for path, match in found if match is None]
    if strange:
        raise AudioError(
            f"{strange[0].relative_to(place)} is not named as the rule {rule!r} says ({len(strange)} of "
            f"{len(files)} files are not); correct the rule, or move these files away"
        )
    parts = {name: [match[name] for _, match in found if match] for name in NAMED if name in pattern.groupindex}
    targets = parts.get("text") or parts["label"]
    splits = _checked_splits(parts["split"]) if "split" in parts else None
    return Utterances(tuple(files), tuple(targets), tuple(parts["speaker"]) if "speaker" in parts else None, splits)


def _pattern(rule: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", rule)
    names = pieces[1::2]
    if not {"label", "text"} & set(names) or len(set(names)) != len(names):
        raise ConfigError(f"the rule {rule!r} must name {{label}} or {{text}}, and no part twice")
    return re.compile("".join(f"(?P<{p}>[^/]+?)" if i % 2 else re.escape(p) for i, p in enumerate(pieces)))
