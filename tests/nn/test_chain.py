"""Parts one after the other, beside the same parts called by hand."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from recurra.errors import ConfigError, StreamingUnsupported
from recurra.nn import GRU, LSTM, Bidirectional, Chain, GRUCell, LastStep, Loop
from tests.tolerances import EXACT, OUTPUT_F32, SAME_FUNCTION_F64, assert_agrees


def drawn(**options: Any) -> Chain:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Tanh(), LSTM(5, 4, 2, **options))
    parts = nn.Linear(3, 3), GRU(3, 5, **options), inner, Loop(GRUCell(4, 2), **options), nn.Linear(2, 2)
    return Chain(*parts).double()


def test_outputs_are_handed_on_and_lengths_to_every_recurrent_part() -> None:
    """The expected numbers are those of the parts, called one by one."""
    chain, x, lengths = drawn(), torch.randn(6, 3, 3, dtype=torch.float64), [6, 0, 2]
    y, h = chain[1](chain[0](x), lengths=lengths)
    y, hc = chain[2][1](torch.tanh(y), lengths=lengths)
    y, last = chain[3](y, lengths=lengths)
    found, (first, second, third) = chain(x, lengths=lengths)
    assert_agrees([found, first, *second, third], [chain[4](y), h, *hc, last], EXACT)
    assert chain(x, (None, hc, None), lengths=lengths)[1][1][0].shape == (2, 3, 4)


@pytest.mark.parametrize("batch_first", [False, True])
def test_steps_are_the_whole_sequence_and_a_cut_one_goes_on(batch_first: bool) -> None:
    chain, x = drawn(batch_first=batch_first).eval(), torch.randn(6, 3, 3, dtype=torch.float64)
    chain.append(nn.Identity())
    whole = x.transpose(0, 1) if batch_first else x
    expected, _ = chain(whole)
    cut = (whole[:, :4], whole[:, 4:]) if batch_first else (whole[:4], whole[4:])
    first, state = chain(cut[0])
    assert_agrees(torch.cat([first, chain(cut[1], state)[0]], int(batch_first)), expected, SAME_FUNCTION_F64)
    steps, state = [], None
    for x_t in x:
        y, state = chain.step(x_t, state)
        steps.append(y)
    assert_agrees(torch.stack(steps, int(batch_first)), expected, SAME_FUNCTION_F64)


def test_the_last_step_is_handed_lengths_and_torch_nns_layers_step_too() -> None:
    chain, x = Chain(nn.LSTM(3, 5, batch_first=True), LastStep(batch_first=True)), torch.randn(2, 4, 3)
    y, (state,) = chain(x)
    assert_agrees(y, state[0][0], EXACT)
    after = None
    for t in range(4):
        last, after = chain.step(x[:, t], after)
    assert_agrees(last, y, OUTPUT_F32)
    ours = Chain(GRU(3, 5), LastStep())
    assert_agrees(ours(x.transpose(0, 1), lengths=[4, 1])[0], ours(x.transpose(0, 1), lengths=[4, 1])[1][0][0], EXACT)


def test_it_is_a_sequential() -> None:
    chain = drawn()
    plain = nn.Sequential(*chain)
    assert list(chain.state_dict()) == list(plain.state_dict())
    assert isinstance(chain[:2], Chain)
    x = torch.randn(6, 3, 3, dtype=torch.float64)
    assert_agrees(copy.deepcopy(chain)(x)[0], Chain(plain)(x)[0], EXACT)


def test_what_does_not_fit_is_refused_with_its_position() -> None:
    chain = Chain(nn.Identity(), nn.Sequential(nn.GRU(3, 5)))
    with pytest.raises(ConfigError, match="expected a tuple of 1 states, one for each recurrent part, got: 2"):
        chain(torch.zeros(2, 2, 3), (None, None))
    with pytest.raises(ConfigError, match="got: Tensor"):
        chain(torch.zeros(2, 2, 3), torch.zeros(1, 2, 5))
    with pytest.raises(ConfigError, match=r"1\.0: torch.nn's layers take no lengths"):
        chain(torch.zeros(2, 2, 3), lengths=[1, 2])
    for part, word in (
        (GRU(3, 5, bidirectional=True), "bidirectional"),
        (GRU(3, 5, reverse=True), "in reverse"),
        (Loop(GRUCell(3, 5), reverse=True), "in reverse"),
        (Bidirectional(GRU(3, 5), GRU(3, 5)), "bidirectional"),
    ):
        with pytest.raises(StreamingUnsupported, match=rf"1 \({type(part).__name__}\).*{word}"):
            Chain(nn.Identity(), part).step(torch.zeros(2, 3))
