"""Lengths are read as int64 or refused by row."""

import pytest
import torch

from recurra.errors import DtypeError, ShapeError
from recurra.kernels._lengths import as_lengths

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_any_whole_number_type_becomes_int64(dtype: torch.dtype) -> None:
    read = as_lengths(torch.tensor([3, 0, 2], dtype=dtype), 3, 3, CPU)
    assert read.dtype == torch.int64
    assert read.tolist() == [3, 0, 2]


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        (torch.tensor([1.0, 2.0]), DtypeError, "got torch.float32"),
        (torch.tensor([True, False]), DtypeError, "got torch.bool"),
        (torch.tensor([1]), ShapeError, r"each of the 2 rows, got \[1\]"),
        (torch.tensor([[1, 2]]), ShapeError, r"each of the 2 rows, got \[1, 2\]"),
        (torch.tensor([1, 4]), ShapeError, r"in 0\.\.3 .* got 4 for row 1"),
        (torch.tensor([-1, 3]), ShapeError, "got -1 for row 0"),
    ],
)
def test_what_cannot_be_lengths_is_refused(lengths: torch.Tensor, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        as_lengths(lengths, 2, 3, CPU)


def test_no_rows_have_no_lengths() -> None:
    assert as_lengths(torch.zeros(0, dtype=torch.int32), 0, 3, CPU).shape == (0,)
