"""Loading a model: whatever happened to its files, it is refused by name, before anything is parsed."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from recurra.checkpoints import SCHEMA_VERSION, load_checkpoint, save_checkpoint
from recurra.errors import CheckpointError, DamagedModelError, SchemaVersionError

FILES = ("README.md", "config.json", "model.safetensors", "manifest.json")
SAVED = Path(__file__).parent / "saved"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tensors = {"weight": torch.arange(12.0).reshape(3, 4), "bias": torch.ones(3, dtype=torch.float64)}
    save_checkpoint(folder, config={"cell": "gru", "horizon": 2}, tensors=tensors, card="# Card\n")
    return folder


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest, and make its model hash agree, as someone with bad intentions would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    if isinstance(manifest.get("files"), dict):
        entries = [(name, entry) for name, entry in sorted(manifest["files"].items()) if isinstance(entry, dict)]
        lines = "".join(f"{entry.get('sha256')}  {name}\n" for name, entry in entries)
        manifest["model_hash"] = hashlib.sha256(lines.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def replace(folder: Path, name: str, content: bytes) -> None:
    """Put other content into a file and into the manifest: whole, but not what it should be."""
    (folder / name).write_bytes(content)
    entry = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewrite(folder, lambda manifest: manifest["files"].update({name: entry}))


@pytest.mark.parametrize("name", FILES)
def test_every_changed_byte_is_refused_by_name(model: Path, name: str) -> None:
    """Every byte of every file, one bit flipped: header, data, digits, white space."""
    content = (model / name).read_bytes()
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1 << (at % 8)
        (model / name).write_bytes(bytes(changed))
        with pytest.raises(CheckpointError) as caught:
            load_checkpoint(model)
        assert "model: " in str(caught.value)
        assert isinstance(caught.value, (DamagedModelError, SchemaVersionError))
        assert name == "manifest.json" or f"{name} was changed" in str(caught.value)
    (model / name).write_bytes(content)
    assert load_checkpoint(model).config["cell"] == "gru"


@pytest.mark.parametrize("name", FILES)
def test_every_truncation_is_refused(model: Path, name: str) -> None:
    content = (model / name).read_bytes()
    for length in range(0, len(content), 7):
        (model / name).write_bytes(content[:length])
        with pytest.raises(DamagedModelError, match=re.escape(name)):
            load_checkpoint(model)


@pytest.mark.parametrize("name", FILES)
def test_a_longer_file_is_refused(model: Path, name: str) -> None:
    with (model / name).open("ab") as file:
        file.write(b"\n" * 100)
    with pytest.raises(DamagedModelError, match=rf"{name} (has the wrong size, \d+ bytes|was changed)"):
        load_checkpoint(model)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["missing", "renamed", "link", "folder", "pipe"])
def test_a_file_that_is_not_there_as_a_file_is_refused(model: Path, name: str, harm: str) -> None:
    path = model / name
    path.rename(model / "elsewhere" if harm != "missing" else model.parent / "gone")
    if harm == "link":
        path.symlink_to(model / "elsewhere")
    elif harm == "folder":
        path.mkdir()
    elif harm == "pipe":
        os.mkfifo(path)
    said = {"missing": "is missing", "renamed": "is missing", "link": "it is a link"}.get(harm, "is not a plain file")
    with pytest.raises(DamagedModelError, match=rf"{name}.*{said}"):
        load_checkpoint(model)


def test_there_must_be_a_folder(tmp_path: Path, model: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no model folder at .*nowhere"):
        load_checkpoint(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="there is no model folder at"):
        load_checkpoint(tmp_path / "nowhere" / "below")
    with pytest.raises(CheckpointError, match=r"config\.json is not a folder"):
        load_checkpoint(model / "config.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DamagedModelError, match=r"manifest\.json is missing; it is not a Recurra model"):
        load_checkpoint(tmp_path / "empty")


def test_a_link_to_a_model_folder_and_files_beside_the_model_do_no_harm(tmp_path: Path, model: Path) -> None:
    (tmp_path / "latest").symlink_to("model")
    (model / "forecasts.csv").write_text("ds,y\n")
    assert load_checkpoint(tmp_path / "latest").config == {"cell": "gru", "horizon": 2}


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (SCHEMA_VERSION + 1, "written by a newer Recurra.*upgrade"),
        (0, "never existed"),
        (-1, "never existed"),
        ("1", "no schema_version"),
        (True, "no schema_version"),
        (1.0, "no schema_version"),
        (None, "no schema_version"),
    ],
)
def test_an_unknown_schema_version_is_refused(model: Path, version: object, said: str) -> None:
    rewrite(model, lambda manifest: manifest.update(schema_version=version))
    with pytest.raises(SchemaVersionError, match=said):
        load_checkpoint(model)


def test_a_newer_layout_is_said_to_be_newer_even_if_its_manifest_looks_different(model: Path) -> None:
    (model / "manifest.json").write_text(json.dumps({"schema_version": 99, "parts": ["a", "b"]}))
    with pytest.raises(SchemaVersionError, match="newer"):
        load_checkpoint(model)


ODD: dict[str, Callable[[dict[str, Any]], object]] = {
    "one more key": lambda manifest: manifest.update(extra=1),
    "no files": lambda manifest: manifest.pop("files"),
    "files is a list": lambda manifest: manifest.update(files=["config.json"]),
    "one more file": lambda manifest: manifest["files"].update({"code.py": manifest["files"]["config.json"]}),
    "a path upwards": lambda manifest: manifest["files"].update({"../secret": manifest["files"]["config.json"]}),
    "an absolute path": lambda manifest: manifest["files"].update({"/etc/passwd": {"size": 1, "sha256": "0" * 64}}),
    "one file less": lambda manifest: manifest["files"].pop("config.json"),
    "an entry is a number": lambda manifest: manifest["files"].update({"config.json": 3}),
    "an entry has one more key": lambda manifest: manifest["files"]["config.json"].update(mode=7),
    "an entry has no size": lambda manifest: manifest["files"]["config.json"].pop("size"),
    "a size is text": lambda manifest: manifest["files"]["config.json"].update(size="12"),
    "a size is negative": lambda manifest: manifest["files"]["config.json"].update(size=-1),
    "a size is true": lambda manifest: manifest["files"]["config.json"].update(size=True),
    "a size is a fraction": lambda manifest: manifest["files"]["config.json"].update(size=36.0),
    "a hash is a number": lambda manifest: manifest["files"]["config.json"].update(sha256=1),
    "a hash is in capitals": lambda manifest: manifest["files"]["config.json"].update(
        sha256=manifest["files"]["config.json"]["sha256"].upper()
    ),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in ODD.items()])
def test_an_odd_manifest_is_refused(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    rewrite(model, change)
    with pytest.raises(DamagedModelError, match=r"model: .*(manifest|config)\.json"):
        load_checkpoint(model)


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 60_000, "\xff"])
def test_a_manifest_that_is_no_json_object_is_refused(model: Path, text: str) -> None:
    (model / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DamagedModelError, match=r"manifest\.json is not"):
        load_checkpoint(model)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"[1, 2]"),
        ("config.json", b'{"a": Infinity}'),
        ("config.json", b'{"a": 1,}'),
        ("config.json", b"\xff\xfe"),
        ("README.md", b"\xff\xfe"),
        ("model.safetensors", b""),
        ("model.safetensors", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      rest"),
        ("model.safetensors", b"\xff" * 64),
        ("model.safetensors", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94."),  # a pickle
    ],
)
def test_whole_files_with_senseless_content_are_refused(model: Path, name: str, content: bytes) -> None:
    replace(model, name, content)
    with pytest.raises(DamagedModelError, match=r"model: "):
        load_checkpoint(model)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_a_model_of_every_schema_version_is_kept_and_loads(version: int) -> None:
    """The folder was written once, when the version was made, with the numbers below; it is never written again."""
    found = load_checkpoint(SAVED / f"schema_{version}")
    assert found.schema_version == version
    assert found.config == {"cell": "gru", "horizon": 2, "name": "Zürich", "quantiles": [0.05, 0.5, 0.95]}
    assert found.tensors["weight"].dtype == torch.float32
    assert found.tensors["weight"].tolist() == [[0.5, -1.25], [3.0, 1024.0], [-0.0, 2.0**-20]]
    assert found.tensors["steps"].dtype == torch.int64
    assert found.tensors["steps"].tolist() == [1, 2**40]
    assert found.card == "# A model of schema version 1\n"
    assert found.model_hash == "59c656d3ab1471f0824c64bde05bdb2c32989ae0b4662aaa7975a01ed7ff6063"
