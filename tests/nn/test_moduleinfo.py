"""PyTorch's own ModuleInfo inputs and error inputs, with our classes in the place of torch.nn's."""

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

import recurra.nn
from tests.tolerances import Tolerance, assert_agrees

pytestmark = [pytest.mark.conformance, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")]
NAMES = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
# In float32 two implementations round differently, and a gradient sums many steps: twenty times the values' tolerance,
# element by element. In float64 the same inputs agree to 1e-12, so that is where a wrong gradient shows.
GRADIENTS = {torch.float32: Tolerance(2e-4, 2e-4), torch.float64: Tolerance(1e-12, 1e-12)}
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


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", list(TOLERANCES), ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_inputs(info: object, name: str, dtype: torch.dtype, training: bool, backend: str) -> None:
    torch.manual_seed(0)
    inputs = info.module_inputs_func(info, "cpu", dtype, True, training)
    count = 0
    for given in inputs:
        made, fed = given.constructor_input, given.forward_input
        theirs = info.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
        ours = getattr(recurra.nn, name)(*made.args, **made.kwargs, backend=backend)
        ours.to(dtype).train(training).load_state_dict(theirs.state_dict())
        outputs, gradients = [], []
        for module in (theirs, ours):
            found = values(module(*fed.args, **fed.kwargs))
            leaves = [t for t in values([*fed.args, *fed.kwargs.values()]) if t.requires_grad]
            loss = sum(tensor.square().sum() for tensor in found)
            wanted = [*leaves, *module.parameters()]
            outputs.append(found)
            gradients.append(torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True))
        assert_agrees(outputs[1], outputs[0], TOLERANCES[dtype], f"input {count}")
        assert_agrees(gradients[1], gradients[0], GRADIENTS[dtype], f"gradient of input {count}")
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
