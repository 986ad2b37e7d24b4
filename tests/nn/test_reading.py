"""Every form of input a layer takes: unbatched, packed, ragged, empty; torch.nn is the oracle where it has the form."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import recurra.nn
from recurra.errors import ConfigError, DeviceError, DtypeError, ShapeError
from tests.tolerances import EXACT, SAME_FUNCTION_F64, assert_agrees

Pair = Callable[..., tuple[torch.nn.Module, torch.nn.Module]]
KINDS = ("RNN", "LSTM", "GRU")
IN, H, B, T = 3, 5, 4, 6  # input size unlike hidden size
RAGGED = (6, 2, 5, 1)


def states(kind: str, *shape: int) -> object:
    """A random initial state for one or more layers without projection."""
    parts = tuple(torch.randn(*shape, dtype=torch.float64) for _ in range(2 if kind == "LSTM" else 1))
    return parts if kind == "LSTM" else parts[0]


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_come_in_and_go_out(
    pair: Pair, kind: str, bidirectional: bool, enforce_sorted: bool, backend: str
) -> None:
    theirs, ours = pair(kind, IN, H, 2, bidirectional=bidirectional, backend=backend)
    lengths = torch.tensor(sorted(RAGGED, reverse=True) if enforce_sorted else RAGGED)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted)
    state = states(kind, 4 if bidirectional else 2, B, H)
    for hx in (None, state):
        expected, actual = theirs(packed, hx), ours(packed, hx)
        assert isinstance(actual[0], PackedSequence)
        assert torch.equal(actual[0].batch_sizes, expected[0].batch_sizes)
        assert_agrees(actual[0].data, expected[0].data, SAME_FUNCTION_F64)
        assert_agrees(actual[1], expected[1], SAME_FUNCTION_F64)


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_unbatched_input_gives_unbatched_output(pair: Pair, kind: str, batch_first: bool, backend: str) -> None:
    theirs, ours = pair(kind, IN, H, 2, bidirectional=True, batch_first=batch_first, backend=backend)
    x, hx = torch.randn(T, IN, dtype=torch.float64), states(kind, 4, H)
    assert_agrees(ours(x), theirs(x), SAME_FUNCTION_F64)
    assert_agrees(ours(x, hx), theirs(x, hx), SAME_FUNCTION_F64)
    short, _ = theirs(x[:2])
    y, _ = ours(x, lengths=2)
    assert_agrees(y[:2], short, SAME_FUNCTION_F64)
    assert torch.equal(y[2:], torch.zeros_like(y[2:]))


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_each_ragged_row_is_computed_as_if_it_were_alone(
    pair: Pair, kind: str, bidirectional: bool, backend: str
) -> None:
    """Rows of length 0 give zeros and their initial state, which torch.nn cannot; the others are torch.nn's."""
    theirs, ours = pair(kind, IN, H, 2, bidirectional=bidirectional, backend=backend)
    lengths = (0, 6, 1, 0, 4)
    x, hx = torch.randn(T, len(lengths), IN, dtype=torch.float64), states(kind, 4 if bidirectional else 2, 5, H)
    for t, b in ((t, b) for b, length in enumerate(lengths) for t in range(length, T)):
        x[t, b] = float("nan")  # padding may hold anything
    y, last = ours(x, hx, lengths=torch.tensor(lengths))
    for b, length in enumerate(lengths):
        row_hx = tuple(part[:, b] for part in hx) if kind == "LSTM" else hx[:, b]
        row_last = tuple(part[:, b] for part in last) if kind == "LSTM" else last[:, b]
        assert torch.equal(y[length:, b], torch.zeros_like(y[length:, b]))
        if length:
            expected, row_hx = theirs(x[:length, b], row_hx)
            assert_agrees(y[:length, b], expected, SAME_FUNCTION_F64)
        assert_agrees(row_last, row_hx, SAME_FUNCTION_F64)
    y.sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in ours.parameters()), "padding reached a gradient"


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_rows_without_steps_keeps_its_state(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, dtype=torch.float64)
    hx = states(kind, 1, B, H)
    y, last = layer(torch.randn(T, B, IN, dtype=torch.float64), hx, lengths=[0] * B)
    assert torch.equal(y, torch.zeros(T, B, H, dtype=torch.float64))
    assert_agrees(last, hx, EXACT)


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_steps_and_no_rows(kind: str, backend: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, 2, bidirectional=True, dtype=torch.float64, backend=backend)
    hx = states(kind, 4, B, H)
    y, last = layer(torch.zeros(0, B, IN, dtype=torch.float64), hx)
    assert y.shape == (0, B, 2 * H)
    assert_agrees(last, hx, EXACT)
    for lengths in (None, []):
        y, last = layer(torch.zeros(T, 0, IN, dtype=torch.float64), lengths=lengths)
        assert y.shape == (T, 0, 2 * H)
        assert (last[0] if kind == "LSTM" else last).shape == (4, 0, H)
    y.sum().backward()
    assert all(torch.equal(p.grad, torch.zeros_like(p)) for p in layer.parameters())


@pytest.mark.parametrize(
    "lengths",
    [
        torch.tensor(RAGGED),
        torch.tensor(RAGGED, dtype=torch.int32),
        torch.tensor(RAGGED, dtype=torch.uint8),
        np.array(RAGGED),
        list(RAGGED),
        RAGGED,
    ],
    ids=["int64", "int32", "uint8", "numpy", "list", "tuple"],
)
def test_lengths_come_as_any_whole_numbers(lengths: object) -> None:
    layer = recurra.nn.GRU(IN, H)
    x = torch.randn(T, B, IN)
    assert_agrees(layer(x, lengths=lengths), layer(x, lengths=torch.tensor(RAGGED)), EXACT)


WRONG_LENGTHS = [
    ([1, 2, 3], ShapeError, "expected one length for each of the 4 rows"),
    ([1, 2, 3, 7], ShapeError, r"lie in 0..6 \(the steps of the batch\), got 7 for row 3"),
    ([1, -2, 3, 4], ShapeError, "got -2 for row 1"),
    ([1.0, 2.0, 3.0, 4.0], DtypeError, "whole numbers, got torch.float32"),
    ([True, True, False, True], DtypeError, "whole numbers, got torch.bool"),
    (3, ShapeError, "expected one length for each of the 4 rows"),
]


@pytest.mark.parametrize("backend", ["torch", "reference"])
@pytest.mark.parametrize(("lengths", "error", "message"), WRONG_LENGTHS)
def test_wrong_lengths_are_refused(lengths: object, error: type[Exception], message: str, backend: str) -> None:
    with pytest.raises(error, match=message):
        recurra.nn.RNN(IN, H, backend=backend)(torch.zeros(T, B, IN), lengths=lengths)


@pytest.mark.parametrize("kind", KINDS)
def test_input_that_does_not_fit_is_refused(kind: str) -> None:
    """The built-in error types are those that torch.nn raises (ModuleInfo's error inputs)."""
    layer = getattr(recurra.nn, kind)(IN, H, 2)
    state = torch.zeros(2, B, H)
    as_hx = (lambda h: (h, h)) if kind == "LSTM" else (lambda h: h)
    x = torch.zeros(T, B, IN)
    cases = [
        ((x.double(),), DtypeError, "RNN input dtype .* does not match weight dtype .* Convert input"),
        ((x.double(),), ValueError, "does not match weight dtype"),
        ((x[..., :2],), RuntimeError, r"input.size\(-1\) must be equal to input_size. Expected 3, got 2"),
        ((x[0, 0],), ValueError, "Expected input to be 2D or 3D, got 1D"),
        ((x, as_hx(state[0])), RuntimeError, "For batched 3-D input"),
        ((x[:, 0], as_hx(state)), RuntimeError, "For unbatched 2-D input"),
        ((x, as_hx(state[:1])), RuntimeError, r"Expected hidden.* size \(2, 4, 5\), got \[1, 4, 5\]"),
        ((x, as_hx(state[:, :1])), ShapeError, "Expected hidden"),
        ((x, as_hx(state.double())), DtypeError, "state dtype"),
        ((x, as_hx(state.to("meta"))), DeviceError, "move them together"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            layer(*arguments)


def test_states_and_lengths_in_the_wrong_form_are_refused() -> None:
    x, h = torch.zeros(T, B, IN), torch.zeros(1, B, H)
    with pytest.raises(ConfigError, match="LSTM: the state should have 2 parts, got 3"):
        recurra.nn.LSTM(IN, H)(x, (h, h, h))
    with pytest.raises(TypeError, match="GRU: input should be a tensor, got: ndarray"):
        recurra.nn.GRU(IN, H)(x.numpy())
    with pytest.raises(TypeError, match="RNN: the state should be made of tensors, got: tuple"):
        recurra.nn.RNN(IN, H)(x, (h,))
    with pytest.raises(TypeError, match="GRUCell: input should be a tensor, got: list"):
        recurra.nn.GRUCell(IN, H)([0.0, 0.0, 0.0])
    lstm = recurra.nn.LSTM(IN, H)
    assert_agrees(lstm(x, [h, h]), lstm(x, (h, h)), EXACT)
    packed = pack_padded_sequence(x, torch.tensor([6, 5, 4, 3]))
    with pytest.raises(ConfigError, match="either lengths= or a PackedSequence"):
        recurra.nn.GRU(IN, H)(packed, lengths=RAGGED)
