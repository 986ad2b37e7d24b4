"""The kernels' own refusals: weights, states and devices that do not fit, whoever calls."""

import pytest
import torch

from recurra import kernels
from recurra.errors import ConfigError, DeviceError, DtypeError, ShapeError
from recurra.kernels import Stack, Weights

T, B, IN, H = 4, 2, 3, 5
X, STATE = torch.zeros(T, B, IN), (torch.zeros(1, B, H),)


def weights(**changed: torch.Tensor | None) -> Weights:
    """Weights of one GRU layer, some of them replaced."""
    w = Weights(torch.zeros(3 * H, IN), torch.zeros(3 * H, H), torch.zeros(3 * H), torch.zeros(3 * H))
    return w._replace(**changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"w_hh": torch.zeros(2 * H, H)}, r"w_hh of layer 0 must be \[15, 5\], got \[10, 5\]"),
        ({"b_ih": torch.zeros(H)}, r"b_ih of layer 0 must be \[15\]"),
        ({"b_hh": None}, "layer 0 has one bias"),
    ],
)
def test_weights_that_do_not_fit_are_refused(changed: dict[str, torch.Tensor | None], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        kernels.gru.sequence(X, STATE, [weights(**changed)])
    with pytest.raises(ShapeError, match=message):
        kernels.gru.cell(X[0], (STATE[0][0],), weights(**changed))


def test_one_set_of_weights_for_each_layer_and_direction() -> None:
    with pytest.raises(ConfigError, match="2 layers x 2 directions, got 1"):
        kernels.gru.sequence(X, STATE, [weights()], stack=Stack(2, bidirectional=True))
    state = (torch.zeros(2, B, H),)
    with pytest.raises(ShapeError, match=r"w_ih of layer 1 must be \[15, 5\], got \[15, 3\]"):
        kernels.gru.sequence(X, state, [weights(), weights()], stack=Stack(2))


def test_input_state_and_layout_must_fit() -> None:
    sequence = kernels.gru.sequence
    with pytest.raises(ShapeError, match="input must have 3 dimensions, got 2"):
        sequence(X[0], STATE, [weights()])
    with pytest.raises(ShapeError, match=r"Expected hidden size \(1, 4, 5\)"):
        sequence(X, STATE, [weights()], stack=Stack(batch_first=True))
    with pytest.raises(DtypeError, match="does not match weight dtype"):
        sequence(X.double(), STATE, [weights()])
    with pytest.raises(DeviceError, match="input is on cpu"):
        sequence(X, (STATE[0].to("meta"),), [weights()])
    with pytest.raises(ConfigError, match="either lengths or a packed batch"):
        sequence(X.flatten(0, 1), STATE, [weights()], lengths=torch.tensor([4, 4]), batch_sizes=torch.tensor([2] * T))
    with pytest.raises(ShapeError, match=r"lie in 0\.\.4"):
        sequence(X, STATE, [weights()], lengths=torch.tensor([4, 5]))


def test_explaining_checks_too_and_computes_nothing() -> None:
    with pytest.raises(ShapeError, match="input must have"):
        kernels.gru.explain(X[0], STATE, [weights()])
    assert kernels.gru.explain(X, STATE, [weights()]).name == ("native" if kernels.native_is_built() else "torch")
    assert kernels.gru.explain(X, STATE, [weights()], backend="torch").name == "torch"
