"""Saving a model: what goes in comes out, equal models have equal bytes, and an interruption loses nothing."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recurra.checkpoints import check_output_folder, load_checkpoint, save_checkpoint
from recurra.errors import ConfigError, OutputFolderError

OLD = {"cell": "gru", "horizon": 14}
NEW = {"cell": "lstm", "horizon": 7}


def save(folder: Path, config: dict[str, object] | None = None, *, overwrite: bool = False) -> str:
    tensors = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(0, dtype=torch.float64)}
    return save_checkpoint(folder, config=config or OLD, tensors=tensors, card="# A model\n", overwrite=overwrite)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    storage = torch.randn(4, 6)
    tensors = {
        "float64": torch.randn(3, dtype=torch.float64),
        "bfloat16": torch.randn(2, 2).bfloat16(),
        "int64": torch.tensor(7),
        "bool": torch.tensor([[True], [False]]),
        "empty": torch.empty(0, 5),
        "transposed": storage.T,
        "shared": storage[1:3],
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    config = {"text": "σ(x)", "list": [1, 2.5, None, True], "nested": {"levels": (0.05, 0.95)}, "np": np.float64(0.1)}
    model_hash = save_checkpoint(tmp_path / "deep" / "model", config=config, tensors=tensors, card="# Card é\n")
    found = load_checkpoint(tmp_path / "deep" / "model")
    assert found.model_hash == model_hash
    assert found.schema_version == 1
    assert found.card == "# Card é\n"
    assert found.config == {**config, "nested": {"levels": [0.05, 0.95]}}
    assert found.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert found.tensors[name].shape == tensor.shape
        assert torch.equal(found.tensors[name], tensor), name
    found.tensors["float64"].add_(1)  # memory of its own, not a view of the file


def test_equal_models_have_equal_bytes_whatever_the_order_of_keys(tmp_path: Path) -> None:
    first = save(tmp_path / "a", {"x": 1, "y": 2})
    second = save(tmp_path / "b", {"y": 2, "x": 1})
    assert first == second
    for name in ("config.json", "model.safetensors", "README.md", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert save(tmp_path / "c", {"x": 1, "y": 3}) != first


def test_the_folder_holds_the_four_files_and_nothing_beside_it(tmp_path: Path) -> None:
    save(tmp_path / "model")
    assert names(tmp_path / "model") == ["README.md", "config.json", "manifest.json", "model.safetensors"]
    assert names(tmp_path) == ["model"]
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["files"]["config.json"]["size"] == (tmp_path / "model" / "config.json").stat().st_size


def test_the_folder_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save(tmp_path / "model")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "model" / "config.json").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"a": float("nan")}, r"config\.a is nan"),
        ({"a": [1.0, {"b": float("-inf")}]}, r"config\.a\[1\]\.b is -inf"),
        ({"cell": torch.nn.GRU}, r"config\.cell is a type"),
        ({"cell": np.arange(3)}, r"config\.cell is a ndarray"),
        ({"a": {1: 2}}, r"config\.a has the key 1"),
    ],
)
def test_config_holds_finite_plain_values_only(tmp_path: Path, config: dict[str, object], place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        save(tmp_path / "model", config)
    assert names(tmp_path) == []


def test_a_model_is_not_overwritten_unasked(tmp_path: Path) -> None:
    save(tmp_path / "model")
    with pytest.raises(OutputFolderError, match=r"already holds a model.*overwrite"):
        save(tmp_path / "model", NEW)
    assert load_checkpoint(tmp_path / "model").config == OLD
    save(tmp_path / "model", NEW, overwrite=True)
    assert load_checkpoint(tmp_path / "model").config == NEW
    assert names(tmp_path) == ["model"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    save(tmp_path / "model")
    assert load_checkpoint(tmp_path / "model").config == OLD


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    save(tmp_path / "july")
    (tmp_path / "latest").symlink_to("july")
    save(tmp_path / "latest", NEW, overwrite=True)
    assert (tmp_path / "latest").is_symlink()
    assert load_checkpoint(tmp_path / "july").config == NEW


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_model_is_never_replaced(tmp_path: Path, overwrite: bool) -> None:
    save(tmp_path / "home")
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputFolderError, match=r"thesis\.tex.*left alone"):
        save(tmp_path / "home", overwrite=overwrite)
    assert (tmp_path / "home" / "thesis.tex").read_text() == "years of work"


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file")
    with pytest.raises(OutputFolderError, match="is a file"):
        save(tmp_path / "model", overwrite=True)
    with pytest.raises(OutputFolderError, match=r"cannot write .*is a file"):
        save(tmp_path / "model" / "below")
    assert (tmp_path / "model").read_text() == "a file"


def test_a_folder_that_cannot_be_written_is_named_before_a_long_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test may run as root, whom no permission stops: so the attempt itself is made to fail."""
    monkeypatch.setattr(os, "mkdir", refuse(1, os.mkdir, PermissionError(13, "Permission denied")))
    with pytest.raises(OutputFolderError, match=r"cannot write .*model: .*: Permission denied; choose another folder"):
        check_output_folder(tmp_path / "a" / "b" / "model")


def refuse(number: int, call: Callable[..., object], error: BaseException) -> Callable[..., object]:
    """The call, which raises instead of its `number`-th run."""
    count = 0

    def counted(*args: object, **keywords: object) -> object:
        nonlocal count
        count += 1
        if count == number:
            raise error
        return call(*args, **keywords)

    return counted


# mkdir: an attempt, the parent, which is there, then the temporary folder; fsync: the four files, then their folder;
# rename: the old folder aside, the new one in.
STEPS = [("mkdir", 1), ("mkdir", 3), *(("fsync", number) for number in range(1, 6)), ("rename", 1), ("rename", 2)]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "ctrl-c"])
@pytest.mark.parametrize(("call", "number"), STEPS)
def test_an_interrupted_save_leaves_the_old_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, error: BaseException
) -> None:
    save(tmp_path / "model")
    with monkeypatch.context() as broken:
        broken.setattr(os, call, refuse(number, getattr(os, call), error))
        expected = OutputFolderError if isinstance(error, OSError) else KeyboardInterrupt
        with pytest.raises(expected, match=r"No space left|^$"):
            save(tmp_path / "model", NEW, overwrite=True)
    assert load_checkpoint(tmp_path / "model").config == OLD
    assert names(tmp_path) == ["model"]
    save(tmp_path / "model", NEW, overwrite=True)
    assert load_checkpoint(tmp_path / "model").config == NEW


def killed(at: int, folder: Path) -> None:
    """Overwrite a model in a child process that dies, without any clean-up, at its `at`-th rename."""
    child = os.fork()
    if child == 0:
        true_rename, count = os.rename, 0

        def rename(source: object, target: object) -> None:
            nonlocal count
            count += 1
            if count == at:
                os._exit(9)
            true_rename(source, target)  # type: ignore[arg-type]

        os.rename = rename  # type: ignore[assignment]
        save(folder, NEW, overwrite=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_killed_before_the_swap_leaves_the_old_model(tmp_path: Path) -> None:
    save(tmp_path / "model")
    killed(1, tmp_path / "model")
    assert load_checkpoint(tmp_path / "model").config == OLD


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_killed_inside_the_swap_leaves_both_and_the_error_says_where(tmp_path: Path) -> None:
    from recurra.errors import CheckpointError

    save(tmp_path / "model")
    killed(2, tmp_path / "model")
    with pytest.raises(CheckpointError, match=r"an interrupted save left the model at .*\.old: rename it"):
        load_checkpoint(tmp_path / "model")
    (old,) = tmp_path.glob(".model.*.old")
    (new,) = tmp_path.glob(".model.*.partial")
    assert load_checkpoint(old).config == OLD
    assert load_checkpoint(new).config == NEW
