"""The translating network: all steps in one call equal steps one by one, nothing ahead is seen, every weight learns."""

from typing import Any

import pytest
import torch

from recurra.errors import ConfigError
from recurra.models.translation import TranslationNetwork, TranslationShape
from recurra.nn import LSTM

SOURCE = torch.tensor([[4, 5, 6, 7, 8, 9, 4], [5, 6, 7, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0]])
LENGTHS = torch.tensor([7, 3, 1])
TARGET = torch.tensor([[2, 5, 6, 7], [2, 9, 8, 7], [2, 4, 4, 4]])
FORMS = [
    {"cell": "lstm", "attention": "general"},
    {"cell": "gru", "attention": "additive", "input_feeding": True, "decoder_layers": 2},
    {"cell": "rnn", "attention": "dot", "shared": False, "encoder_layers": 2},
]


def build(**changes: Any) -> TranslationNetwork:
    torch.manual_seed(0)
    sizes = {"shared": True, "embedding_size": 6, "hidden_size": 8, "dropout": 0.2, "recurrent_dropout": 0.2}
    return TranslationNetwork(TranslationShape(12, 12, **{**sizes, **changes}))


@pytest.mark.parametrize("form", FORMS)
def test_one_call_equals_step_by_step(form: dict[str, Any]) -> None:
    network = build(**form).eval()
    vectors, weights = network(SOURCE, LENGTHS, TARGET)
    source = network.encode(SOURCE, LENGTHS)
    state = network.decoder.first_state(source)
    for t in range(TARGET.shape[1]):
        logits, looked, state = network.step(TARGET[:, t], state, source)
        torch.testing.assert_close(logits, network.logits(vectors[:, t]), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(looked, weights[:, t], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_no_step_sees_what_comes_after_it_nor_padding(form: dict[str, Any]) -> None:
    network = build(**form).eval()
    vectors, weights = network(SOURCE, LENGTHS, TARGET)
    later, padding = TARGET.clone(), SOURCE.clone()
    later[:, 3:], padding[1, 3:], padding[2, 1:] = 11, 11, 11
    other, _ = network(padding, LENGTHS, later)
    torch.testing.assert_close(other[:, :3], vectors[:, :3])
    assert not weights[1, :, 3:].any()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4))


@pytest.mark.parametrize("form", FORMS)
def test_every_weight_learns(form: dict[str, Any]) -> None:
    network = build(**form).train()
    vectors, _ = network(SOURCE, LENGTHS, TARGET)
    network.logits(vectors).logsumexp(-1).sum().backward()
    unmoved = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert unmoved == []


def test_hypotheses_of_one_source_share_it() -> None:
    """Two rows for each source, side by side: each equals a row of its own."""
    network = build().eval()
    source = network.encode(SOURCE, LENGTHS)
    rows = torch.arange(3).repeat_interleave(2)
    state = network.decoder.first_state(source).select(rows)
    previous = torch.tensor([2, 5, 2, 6, 2, 7])
    logits, weights, _ = network.step(previous, state, source)
    alone = network.encode(SOURCE[rows], LENGTHS[rows])
    expected, looked, _ = network.step(previous, network.decoder.first_state(alone), alone)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(weights, looked)


def test_a_shared_embedding_is_one_and_the_output_layer_is_tied() -> None:
    network = build()
    assert network.source_embedding is network.target_embedding
    assert build(shared=False).source_embedding is not build(shared=False).target_embedding
    vectors = torch.randn(2, 6)
    torch.testing.assert_close(network.logits(vectors), vectors @ network.target_embedding.weight.T + network.bias)


def test_the_decoders_training_sequence_is_one_call_of_the_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without input feeding one call for all steps, with it one a step."""
    calls: list[int] = []
    whole = LSTM.forward

    def counted(self: LSTM, input: torch.Tensor, *rest: Any, **options: Any) -> Any:
        calls.append(input.shape[1])
        return whole(self, input, *rest, **options)

    monkeypatch.setattr(LSTM, "forward", counted)
    build()(SOURCE, LENGTHS, TARGET)
    assert calls == [7, 4]
    calls.clear()
    build(input_feeding=True)(SOURCE, LENGTHS, TARGET)
    assert calls == [7, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "changes", [{"cell": "tree"}, {"attention": "none"}, {"hidden_size": 7}, {"shared": True, "source_size": 9}]
)
def test_sizes_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        TranslationShape(**{"source_size": 12, "target_size": 12, **changes})


def test_freezing_changes_nothing_but_speed() -> None:
    network = build().eval()
    with torch.no_grad():
        expected, _ = network(SOURCE, LENGTHS, TARGET)
        found, _ = network.freeze()(SOURCE, LENGTHS, TARGET)
    torch.testing.assert_close(found, expected)
