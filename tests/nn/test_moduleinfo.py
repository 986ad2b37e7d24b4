"""PyTorch's own ModuleInfo inputs and error inputs, with our classes in the place of torch.nn's."""

import copy

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

import recurra.nn
from tests.tolerances import GRADIENT_F32, Tolerance, assert_agrees

pytestmark = [pytest.mark.conformance, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")]
NAMES = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
TOLERANCES = {torch.float32: Tolerance(1e-5, 1e-5), torch.float64: Tolerance(1e-12, 1e-12)}


@pytest.fixture
def info(name: str) -> object:
    """PyTorch's entry for a module; imported here because it takes seconds and needs expecttest."""
    from torch.testing._internal.common_modules import module_db

    (found,) = [info for info in module_db if info.module_cls is getattr(torch.nn, name)]
    return found


def values(result: object) -> list[torch.Tensor]:
    """Every tensor of a result, packed ones as their data."""
    if isinstance(result, PackedSequence):
        return [result.data]
    if isinstance(result, tuple | list):
        return [tensor for part in result for tensor in values(part)]
    return [result] if isinstance(result, torch.Tensor) else []


def in_float64(given: object) -> object:
    """The same inputs in float64."""
    if isinstance(given, PackedSequence):
        return given.double()
    if isinstance(given, torch.Tensor):
        return given.detach().double().requires_grad_(given.requires_grad)
    return type(given)(in_float64(part) for part in given)


def run(module: torch.nn.Module, args: tuple[object, ...]) -> tuple[list[torch.Tensor], tuple[torch.Tensor, ...]]:
    """Outputs, and the gradients of the sum of their squares for every input and parameter."""
    found = values(module(*args))
    wanted = [*(t for t in values(list(args)) if t.requires_grad), *module.parameters()]
    loss = sum(tensor.square().sum() for tensor in found)
    return found, torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)


def assert_near_the_truth(
    ours: tuple[torch.Tensor, ...], theirs: tuple[torch.Tensor, ...], truth: tuple[torch.Tensor, ...], what: str
) -> None:
    """Hold float32 gradients to torch.nn in float64: the house's bound, and twice what its own float32 misses by.

    Some of these inputs saturate, and there torch.nn itself is off by more than the bound.
    """
    for k, (a, b, c) in enumerate(zip(ours, theirs, truth, strict=True)):
        assert a.shape == c.shape, f"{what}[{k}]"
        allowed = GRADIENT_F32.absolute + GRADIENT_F32.relative * c.norm() + 2 * (b.double() - c).norm()
        assert (a.double() - c).norm() <= allowed, f"{what}[{k}]"


@pytest.mark.parametrize("backend", ["auto", "torch", "reference"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", list(TOLERANCES), ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_inputs(info: object, name: str, dtype: torch.dtype, training: bool, backend: str) -> None:
    torch.manual_seed(0)
    count = 0
    for given in info.module_inputs_func(info, "cpu", dtype, True, training):
        made, fed = given.constructor_input, given.forward_input
        assert not fed.kwargs
        theirs = info.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
        ours = getattr(recurra.nn, name)(*made.args, **made.kwargs, backend=backend)
        ours.to(dtype).train(training).load_state_dict(theirs.state_dict())
        wanted, their_gradients = run(theirs, fed.args)
        found, our_gradients = run(ours, fed.args)
        assert_agrees(found, wanted, TOLERANCES[dtype], f"input {count}")
        if dtype == torch.float64 or backend == "torch":
            assert_agrees(our_gradients, their_gradients, TOLERANCES[dtype], f"gradient of input {count}")
        else:
            _, truth = run(copy.deepcopy(theirs).double(), in_float64(fed.args))
            assert_near_the_truth(our_gradients, their_gradients, truth, f"gradient of input {count}")
        count += 1
    assert count > 0


@pytest.mark.parametrize("name", NAMES)
def test_error_inputs(info: object, name: str) -> None:
    from torch.testing._internal.common_modules import ModuleErrorEnum

    cls = getattr(recurra.nn, name)
    cases = list(info.module_error_inputs_func(info, "cpu", torch.float32, False, True))
    assert cases
    for case in cases:
        made, fed = case.module_error_input.constructor_input, case.module_error_input.forward_input
        if case.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
            with pytest.raises(case.error_type, match=case.error_regex):
                cls(*made.args, **made.kwargs)
        else:
            module = cls(*made.args, **made.kwargs)
            with pytest.raises(case.error_type, match=case.error_regex):
                module(*fed.args, **fed.kwargs)
