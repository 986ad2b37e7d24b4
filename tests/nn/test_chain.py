"""Parts one after the other, beside the same parts called by hand."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from recurra.errors import ConfigError, ShapeError, StreamingUnsupported
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


class Ends(Chain):
    """A chain that hands out the output alone."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(input)[0]


class Negated(nn.Sequential):
    """A Sequential with a forward of its own."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return -super().forward(input)


def test_containers_with_a_forward_of_their_own_are_one_part() -> None:
    """The expected numbers are those of their calls."""
    x = torch.randn(4, 2, 3)
    chain = Chain(GRU(3, 5), Negated(nn.Linear(5, 4), nn.Tanh()), Ends(GRU(4, 2)))
    expected = chain[2](chain[1](chain[0](x)[0]))
    y, state = chain(x)
    assert_agrees(y, expected, EXACT)
    assert len(state) == 1
    inner = Chain(GRU(3, 5), Negated(nn.Linear(5, 4)))
    assert_agrees(inner.step(x[0])[0], inner(x[:1])[0][0], OUTPUT_F32)


@pytest.mark.parametrize("kind", ["forward_hook", "forward_pre_hook", "full_backward_hook"])
def test_hooks_of_containers_run_or_are_refused(kind: str) -> None:
    """The hook is called as often as the container's parts run."""
    calls: list[nn.Module] = []
    chain, x = Chain(GRU(3, 5), nn.Sequential(nn.Linear(5, 2), nn.Tanh())), torch.randn(4, 2, 3)
    expected = chain(x)[0]
    getattr(chain[1], f"register_{kind}")(lambda module, *_: calls.append(module))
    y = chain(x)[0]
    y.sum().backward()
    assert_agrees(y, expected, EXACT)
    chain.step(x[0])[0].sum().backward()
    assert calls == [chain[1], chain[1]]
    for inner in (nn.Sequential(nn.Tanh(), nn.Sequential(GRU(3, 5))), nn.Sequential(LastStep()), Chain(nn.Tanh())):
        outer = Chain(nn.Identity(), inner)
        getattr(inner, f"register_{kind}")(lambda *_: None)
        for call in (outer, outer.step):
            with pytest.raises(ConfigError, match=r"1 \(\w+\): it has hooks, and parts inside that read over time"):
                call(x)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((GRU(3, 5), nn.Tanh(), LastStep(batch_first=True)), r"2 \(LastStep\): batch_first=True, but 0 has False"),
        ((nn.Sequential(nn.GRU(3, 5, batch_first=True)), GRU(5, 2)), r"1 \(GRU\): batch_first=False, but 0.0 has True"),
        ((GRU(3, 5), Loop(GRUCell(5, 2), batch_first=True)), r"1 \(Loop\): batch_first=True"),
        ((GRU(3, 5), LastStep(), nn.Linear(5, 3), GRU(3, 5)), r"3 \(GRU\): reads over time, .* the LastStep at 1"),
        ((LastStep(), LastStep()), r"1 \(LastStep\): reads over time"),
    ],
)
def test_parts_that_do_not_follow_each_other_are_refused(parts: tuple[nn.Module, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Chain(*parts)
    grown = Chain(*parts[:1])
    for part in parts[1:]:
        grown.append(part)
    for call in (grown, grown.step):
        with pytest.raises(ConfigError, match=message):
            call(torch.zeros(2, 2, 3))


def test_a_part_that_moves_the_axes_begins_anew() -> None:
    """The expected numbers are those of the parts, called one by one."""
    decoder = Chain(GRU(3, 4), LastStep(), nn.Linear(4, 10), nn.Unflatten(1, (5, 2)), GRU(2, 3, batch_first=True))
    x = torch.randn(6, 2, 3)
    y, _ = decoder(x)
    inner = decoder[2](decoder[0](x)[0][-1]).reshape(2, 5, 2)
    assert_agrees(y, decoder[4](inner)[0], EXACT)


@pytest.mark.parametrize("kind", [GRU, nn.GRU])
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_sequence_without_rows_has_its_last_step(kind: Any, batch_first: bool) -> None:
    """The expected numbers are those of the same sequence as one row; with five features, as many as steps."""
    chain = Chain(kind(3, 5, batch_first=batch_first), nn.Linear(5, 5), LastStep(batch_first=batch_first))
    x = torch.randn(5, 3)
    rows = 0 if batch_first else 1
    assert_agrees(chain(x)[0], chain(x.unsqueeze(rows))[0][0], OUTPUT_F32)
    if kind is GRU:
        assert_agrees(chain(x, lengths=3)[0], chain(x.unsqueeze(rows), lengths=[3])[0][0], OUTPUT_F32)
        with pytest.raises(ShapeError):
            chain(x, lengths=[3, 5, 5, 5, 5])


def test_an_exported_chain_takes_any_number_of_steps() -> None:
    chain, x = Chain(GRU(3, 5), LastStep(), nn.Linear(5, 2)).eval(), torch.randn(7, 2, 3)
    free = ({0: torch.export.Dim.DYNAMIC},)
    exported = torch.export.export(chain, (x[:4],), dynamic_shapes=free).module()
    assert_agrees(exported(x)[0], chain(x)[0], OUTPUT_F32)
