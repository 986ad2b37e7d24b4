"""The cells against torch.nn's in float64: values and every gradient; and their refusals."""

import copy
import pickle

import pytest
import torch

import recurra.nn
from tests.tolerances import EXACT, SAME_FUNCTION_F64, assert_agrees

KINDS = ("RNNCell", "LSTMCell", "GRUCell")
IN, H, B = 3, 5, 4


@pytest.mark.parametrize("backend", ["torch", "reference"])
@pytest.mark.parametrize("given", [True, False], ids=["state", "no_state"])
@pytest.mark.parametrize("rows", [(), (B,), (1,), (0,)], ids=["unbatched", "batch", "one_row", "no_rows"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_every_gradient_are_those_of_torch_nn(
    kind: str, bias: bool, rows: tuple[int, ...], given: bool, backend: str
) -> None:
    torch.manual_seed(1)
    theirs = getattr(torch.nn, kind)(IN, H, bias, dtype=torch.float64)
    ours = getattr(recurra.nn, kind)(IN, H, bias, dtype=torch.float64, backend=backend)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(*rows, IN, dtype=torch.float64, requires_grad=True)
    parts = [torch.randn(*rows, H, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    hx = (tuple(parts) if kind == "LSTMCell" else parts[0]) if given else None
    results = []
    for cell in (theirs, ours):
        after = cell(x, hx)
        after = after if isinstance(after, tuple) else (after,)
        wanted = [x, *cell.parameters(), *(parts[: len(after)] if given else ())]
        results.append(
            (*after, *torch.autograd.grad(sum((k + 1) * a.sin().sum() for k, a in enumerate(after)), wanted))
        )
    assert_agrees(results[1], results[0], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_torch_nns_parameters_and_copies_agree(kind: str) -> None:
    torch.manual_seed(3)
    theirs = getattr(torch.nn, kind)(IN, H)
    torch.manual_seed(3)
    ours = getattr(recurra.nn, kind)(IN, H)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(ours.state_dict()[name], value) for name, value in theirs.state_dict().items())
    assert repr(ours) == repr(theirs)
    x = torch.randn(B, IN)
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert_agrees(other(x), ours(x), EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_over_time_is_the_layer(kind: str) -> None:
    cell = getattr(recurra.nn, kind)(IN, H, dtype=torch.float64)
    layer = getattr(recurra.nn, kind.removesuffix("Cell"))(IN, H, dtype=torch.float64)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})
    x, hx, outputs = torch.randn(6, B, IN, dtype=torch.float64), None, []
    for x_t in x:
        hx = cell(x_t, hx)
        outputs.append(hx[0] if kind == "LSTMCell" else hx)
    assert_agrees(torch.stack(outputs), layer(x)[0], SAME_FUNCTION_F64)


@pytest.mark.parametrize("kind", KINDS)
def test_input_that_does_not_fit_is_refused(kind: str) -> None:
    """Error types and words of PyTorch's ModuleInfo error inputs."""
    cell = getattr(recurra.nn, kind)(IN, H)

    def state(*shape: int) -> object:
        return (torch.zeros(shape), torch.zeros(shape)) if kind == "LSTMCell" else torch.zeros(shape)

    x = torch.zeros(B, IN)
    cases = [
        ((torch.zeros(B, 4), state(B, H)), RuntimeError, "input has inconsistent input_size: got 4 expected 3"),
        ((x, state(B, 6)), RuntimeError, "hidden0 has inconsistent hidden_size: got 6, expected 5"),
        ((x, state(2, H)), RuntimeError, "Input batch size 4 doesn't match hidden0 batch size 2"),
        ((x, state(B, 1, 1, H)), ValueError, "to be 1D or 2D, got 4D instead"),
        ((x, state(H)), RuntimeError, "must be 2D beside a batched input"),
        ((x[None, None],), ValueError, "Expected input to be 1D or 2D, got 4D instead"),
        ((x.double(),), ValueError, "does not match weight dtype"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            cell(*arguments)
    with pytest.raises(recurra.errors.BackendUnavailable, match=r"not torch.bfloat16|not built"):
        getattr(recurra.nn, kind)(IN, H, backend="native", dtype=torch.bfloat16)(x.bfloat16())


def test_a_state_with_a_missing_part_is_refused() -> None:
    with pytest.raises(recurra.errors.ConfigError, match="the state should have 2 parts, got 1"):
        recurra.nn.LSTMCell(IN, H)(torch.zeros(B, IN), (torch.zeros(B, H),))
