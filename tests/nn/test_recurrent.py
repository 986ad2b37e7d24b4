"""The layers against torch.nn in float64: outputs, states and every gradient; torch.nn is the oracle throughout."""

from collections.abc import Callable

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import recurra.nn
from tests.tolerances import GRADIENT_F32, OUTPUT_F32, SAME_FUNCTION_F64, assert_agrees, relative_error

Pair = Callable[..., tuple[torch.nn.Module, torch.nn.Module]]
KINDS = ("RNN", "LSTM", "GRU")
BACKENDS = ("torch", "reference")
IN, H, B, T = 3, 5, 4, 6  # input size unlike hidden size
RAGGED = (6, 2, 5, 1)


def initial_state(layer: torch.nn.Module, rows: int = B) -> tuple[torch.Tensor, ...]:
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    widths = (layer.proj_size or layer.hidden_size, layer.hidden_size)
    widths = widths if isinstance(layer, torch.nn.LSTM | recurra.nn.LSTM) else widths[:1]
    dtype = next(layer.parameters()).dtype
    return tuple(torch.randn(count, rows, width, dtype=dtype, requires_grad=True) for width in widths)


def as_hx(state: tuple[torch.Tensor, ...]):
    return state if len(state) > 1 else state[0]


def flat(*parts: object) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for part in parts:
        found += flat(*part) if isinstance(part, tuple | list) else [part]
    return found


def values_and_gradients(
    run: Callable[[torch.Tensor, object], object],
    layer: torch.nn.Module,
    x: torch.Tensor,
    state: tuple[torch.Tensor, ...],
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Outputs and states, and the gradients of a weighted sum of them all for input, states and parameters."""
    values = flat(run(x, as_hx(state)))
    generator = torch.Generator().manual_seed(7)
    loss = sum((v * torch.randn(v.shape, generator=generator, dtype=v.dtype)).sum() for v in values)
    wanted = [x, *state, *layer.parameters()]
    return [v.detach() for v in values], list(torch.autograd.grad(loss, wanted))


def packed_run(layer: torch.nn.Module, lengths: tuple[int, ...]):
    """torch.nn on ragged rows, packed and unpacked: the oracle for lengths=."""

    def run(x: torch.Tensor, hx: object) -> object:
        packed = pack_padded_sequence(x, torch.tensor(lengths), layer.batch_first, enforce_sorted=False)
        output, state = layer(packed, hx)
        return pad_packed_sequence(output, layer.batch_first, total_length=T)[0], state

    return run


@pytest.mark.parametrize("lengths", [None, RAGGED], ids=["full", "ragged"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("batch_first", [True, False], ids=["batch_first", "time_first"])
@pytest.mark.parametrize("bidirectional", [True, False], ids=["two_ways", "one_way"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_every_gradient_are_those_of_torch_nn(
    pair: Pair,
    kind: str,
    num_layers: int,
    bidirectional: bool,
    batch_first: bool,
    bias: bool,
    lengths: object,
) -> None:
    torch.manual_seed(1)
    shared = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
    theirs, ours = pair(kind, IN, H, num_layers, **shared)
    x = torch.randn((B, T, IN) if batch_first else (T, B, IN), dtype=torch.float64, requires_grad=True)
    state = initial_state(theirs)
    oracle = theirs if lengths is None else packed_run(theirs, lengths)
    expected = values_and_gradients(oracle, theirs, x, state)
    for backend in BACKENDS:
        ours.backend = backend
        actual = values_and_gradients(lambda x, hx: ours(x, hx, lengths=lengths), ours, x, state)
        assert_agrees(actual, expected, SAME_FUNCTION_F64, backend)


@pytest.mark.parametrize("lengths", [None, RAGGED], ids=["full", "ragged"])
@pytest.mark.parametrize(("bidirectional", "num_layers"), [(False, 1), (True, 2), (False, 3)])
@pytest.mark.parametrize(("kind", "option"), [("LSTM", {"proj_size": 2}), ("RNN", {"nonlinearity": "relu"})])
def test_projection_and_relu_are_those_of_torch_nn(
    pair: Pair,
    kind: str,
    option: dict[str, object],
    bidirectional: bool,
    num_layers: int,
    lengths: object,
) -> None:
    torch.manual_seed(2)
    theirs, ours = pair(kind, IN, H, num_layers, bidirectional=bidirectional, **option)
    x = torch.randn(T, B, IN, dtype=torch.float64, requires_grad=True)
    state = initial_state(theirs)
    oracle = theirs if lengths is None else packed_run(theirs, lengths)
    expected = values_and_gradients(oracle, theirs, x, state)
    for backend in BACKENDS:
        ours.backend = backend
        actual = values_and_gradients(lambda x, hx: ours(x, hx, lengths=lengths), ours, x, state)
        assert_agrees(actual, expected, SAME_FUNCTION_F64, backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_near_float64(pair: Pair, kind: str, backend: str) -> None:
    """The oracle is torch.nn in float64 with the same numbers."""
    torch.manual_seed(3)
    theirs, _ = pair(kind, IN, H, 2, bidirectional=True)
    ours = getattr(recurra.nn, kind)(IN, H, 2, bidirectional=True, backend=backend)
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(T, B, IN, requires_grad=True)
    x64 = x.detach().double().requires_grad_()
    y64, _ = packed_run(theirs, RAGGED)(x64, None)
    y, _ = ours(x, lengths=RAGGED)
    assert relative_error(y, y64) <= OUTPUT_F32.relative
    wanted = torch.autograd.grad(y64.square().sum(), [x64, *theirs.parameters()])
    found = torch.autograd.grad(y.square().sum(), [x, *ours.parameters()])
    for a, b in zip(found, wanted, strict=True):
        assert relative_error(a, b) <= GRADIENT_F32.relative
