"""The last valid step of each row, beside a loop over the rows."""

import pytest
import torch

from recurra.errors import DtypeError, ShapeError
from recurra.nn import GRU, LastStep
from tests.tolerances import EXACT, assert_agrees


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("width", [(), (3,), (3, 2)])
def test_each_rows_last_valid_step(width: tuple[int, ...], batch_first: bool) -> None:
    """The expected numbers are picked row by row; a row without steps gives zeros, and no gradient flows to padding."""
    torch.manual_seed(0)
    x, lengths = torch.randn(5, 4, *width, requires_grad=True), [5, 2, 0, 1]
    given = x.transpose(0, 1) if batch_first else x
    expected = torch.stack([x[n - 1, row] if n else torch.zeros(width) for row, n in enumerate(lengths)])
    module = LastStep(batch_first=batch_first)
    assert_agrees(module(given, lengths=lengths), expected, EXACT)
    assert_agrees(module(given), x[-1], EXACT)
    module(given, lengths=lengths).sum().backward()
    assert x.grad is not None
    assert x.grad.count_nonzero() == 3 * x[0, 0].numel()


@pytest.mark.parametrize(
    ("given", "lengths", "error", "message"),
    [
        (GRU(3, 5)(torch.zeros(2, 2, 3)), None, DtypeError, "a layer's output, a tensor, got: tuple"),
        (torch.zeros(3), None, ShapeError, "got 1D"),
        (torch.zeros(0, 2, 3), None, ShapeError, "no steps"),
        (torch.zeros(2, 2, 3), [3, 1], ShapeError, "lengths"),
    ],
)
def test_what_does_not_fit_is_refused(given: object, lengths: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        LastStep()(given, lengths=lengths)


def test_the_flag() -> None:
    assert repr(LastStep(batch_first=True)) == "LastStep(batch_first=True)"
    with pytest.raises(DtypeError, match="batch_first"):
        LastStep(batch_first="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("with_lengths", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_an_export_takes_any_number_of_steps(batch_first: bool, with_lengths: bool) -> None:
    module, x = LastStep(batch_first=batch_first), torch.randn(7, 2, 3)
    given = {"lengths": torch.tensor([3, 1])} if with_lengths else {}
    part, whole = (each.transpose(0, 1) if batch_first else each for each in (x[:4], x))
    free: dict[str, object] = {"input": {int(batch_first): torch.export.Dim.DYNAMIC}}
    exported = torch.export.export(module, (part,), given, dynamic_shapes=free | dict.fromkeys(given))
    assert_agrees(exported.module()(whole, **given), module(whole, **given), EXACT)
