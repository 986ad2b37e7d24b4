"""What makes the layers drop-in for torch.nn's: parameters, names, repr, copies, dropout, parametrization."""

import copy
import inspect
import io
import pickle
from collections.abc import Callable

import pytest
import torch

import recurra.nn
from tests.tolerances import EXACT, SAME_FUNCTION_F64, assert_agrees

Pair = Callable[..., tuple[torch.nn.Module, torch.nn.Module]]
KINDS = ("RNN", "LSTM", "GRU")
IN, H, B, T = 3, 5, 4, 6  # input size unlike hidden size


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_torch_nns_parameters(kind: str) -> None:
    arguments = {"num_layers": 2, "bidirectional": True} | ({"proj_size": 2} if kind == "LSTM" else {})
    torch.manual_seed(5)
    theirs = getattr(torch.nn, kind)(IN, H, **arguments)
    after = torch.rand(1)
    torch.manual_seed(5)
    ours = getattr(recurra.nn, kind)(IN, H, **arguments)
    assert torch.equal(torch.rand(1), after), "a different number of draws"
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


@pytest.mark.parametrize("kind", [*KINDS, "RNNCell", "LSTMCell", "GRUCell"])
def test_positional_arguments_are_those_that_torch_nn_documents(kind: str) -> None:
    """torch.nn's layers take *args; the order is that of their documentation."""
    documented = {
        "RNN": "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional device dtype",
        "LSTM": "input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size device dtype",
        "GRU": "input_size hidden_size num_layers bias batch_first dropout bidirectional device dtype",
        "RNNCell": "input_size hidden_size bias nonlinearity device dtype",
        "LSTMCell": "input_size hidden_size bias device dtype",
        "GRUCell": "input_size hidden_size bias device dtype",
    }
    parameters = inspect.signature(getattr(recurra.nn, kind)).parameters.values()
    assert " ".join(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD) == documented[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_state_dict_passes_both_ways(pair: Pair, kind: str) -> None:
    theirs, ours = pair(kind, IN, H, 2, bidirectional=True)
    theirs.load_state_dict(getattr(recurra.nn, kind)(IN, H, 2, bidirectional=True, dtype=torch.float64).state_dict())
    assert not torch.equal(theirs.weight_hh_l1_reverse, ours.weight_hh_l1_reverse)
    assert list(dict(ours.named_parameters())) == list(dict(theirs.named_parameters()))
    assert [len(part) for part in ours.all_weights] == [len(part) for part in theirs.all_weights]


@pytest.mark.parametrize("kind", KINDS)
def test_copies_pickles_and_saved_modules_compute_the_same(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, 2, dropout=0.1, initialization="keras").eval()
    x = torch.randn(T, B, IN)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for other in (
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
        torch.load(file, weights_only=False),
    ):
        assert_agrees(other(x), layer(x), EXACT)
        assert repr(other) == repr(layer)
        with torch.no_grad():
            other.weight_ih_l0.zero_()
        assert not torch.equal(other(x)[0], layer(x)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_repr_is_torch_nns(pair: Pair, kind: str) -> None:
    theirs, ours = pair(kind, IN, H, 2, bias=False, batch_first=True, dropout=0.25, bidirectional=True)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_draws_as_torch_nn_does(pair: Pair, kind: str) -> None:
    theirs, ours = pair(kind, IN, H, 3, dropout=0.5, backend="torch")
    _, reference = pair(kind, IN, H, 3, dropout=0.5, backend="reference")
    reference.load_state_dict(theirs.state_dict())
    x = torch.randn(T, B, IN, dtype=torch.float64)
    results = []
    for layer in (theirs, ours, reference):
        torch.manual_seed(11)
        results.append(layer(x))
    assert_agrees(results[1], results[0], EXACT)
    assert_agrees(results[2], results[0], SAME_FUNCTION_F64)
    assert_agrees(ours.eval()(x), theirs.eval()(x), EXACT)
    assert not torch.equal(results[0][0], theirs.eval()(x)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_parametrized_and_shared_weights_are_used(pair: Pair, kind: str) -> None:
    class Half(torch.nn.Module):
        def forward(self, w: torch.Tensor) -> torch.Tensor:
            return w / 2

    theirs, ours = pair(kind, IN, H)
    for layer in (theirs, ours):
        torch.nn.utils.parametrize.register_parametrization(layer, "weight_hh_l0", Half())
    x = torch.randn(T, B, IN, dtype=torch.float64)
    assert_agrees(ours(x), theirs(x), SAME_FUNCTION_F64)
    tied = getattr(recurra.nn, kind)(H, H, 2)
    tied.weight_ih_l1 = tied.weight_ih_l0
    tied(torch.randn(T, B, H))[0].sum().backward()
    assert tied.weight_ih_l0.grad is not None
    assert len(list(tied.parameters())) == 7


@pytest.mark.parametrize("kind", KINDS)
def test_moving_and_casting_a_layer_moves_what_it_computes_with(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H).double()
    assert layer(torch.randn(T, B, IN, dtype=torch.float64))[0].dtype == torch.float64
    assert layer.to("meta").weight_hh_l0.is_meta
