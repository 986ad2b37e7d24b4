"""Writing figures: kinds of file, folders, and what cannot be written."""

import builtins
import sys

import numpy as np
import pytest

from recurra.errors import ConfigError, MissingExtraError, OutputFolderError
from recurra.plots import loss_curves, save

SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("ending", SIGNATURES)
def test_the_ending_says_what_is_written(tmp_path, ending):
    """Each format's own first bytes."""
    path = save(loss_curves([3.0, 2.0]), tmp_path / "new" / f"loss{ending}")
    assert path.read_bytes().startswith(SIGNATURES[ending])


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"end it in \.png"):
        save(loss_curves([1.0]), tmp_path / "loss.txt")


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFolderError, match="cannot write"):
        save(loss_curves([1.0]), tmp_path / "file" / "loss.png")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"pip install recurra\[plots\]"):
        loss_curves(np.ones(3))


def test_the_room_opens_without_matplotlib():
    """Imported only when something is drawn: a fresh interpreter has no matplotlib after the import."""
    import subprocess

    script = "import sys, recurra.plots; print('matplotlib' in sys.modules, 'torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
