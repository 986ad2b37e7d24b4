"""Snapshots: what is packed comes back to the bit, and nothing else is taken for one."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import SnapshotError
from recurra.prediction.snapshot import MAGIC, pack_snapshot, unpack_snapshot

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([-1, 2]), "empty": np.zeros((0, 3))}
SAVED = pack_snapshot("model", {"ids": ["x", 7]}, ARRAYS)


def test_what_is_packed_comes_back():
    header, arrays = unpack_snapshot(SAVED, "model")
    assert header["ids"] == ["x", 7]
    assert sorted(arrays) == sorted(ARRAYS)
    for name, value in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], value)
        assert arrays[name].dtype == value.dtype


@given(at=st.integers(0, len(SAVED) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(at, bit):
    damaged = bytearray(SAVED)
    damaged[at] ^= 1 << bit
    with pytest.raises(SnapshotError):
        unpack_snapshot(bytes(damaged), "model")


@given(end=st.integers(0, len(SAVED) - 1))
def test_any_cut_is_noticed(end):
    with pytest.raises(SnapshotError):
        unpack_snapshot(SAVED[:end], "model")


@pytest.mark.parametrize("head", [b"[]", b"7", b"null", b"{}", b"\xff", json.dumps({"schema_version": 1}).encode()])
def test_odd_headers_are_refused(head):
    with pytest.raises(SnapshotError, match="header is damaged"):
        unpack_snapshot(MAGIC + head + b"\n", "model")


def test_another_model_is_refused():
    with pytest.raises(SnapshotError, match="another model; restore it with the model it came from"):
        unpack_snapshot(SAVED, "other")
