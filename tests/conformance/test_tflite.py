"""TFLite's golden numbers: coupled gates, peepholes, projection, and layer normalisation of each gate's sum.

Source of weights, inputs and expected outputs: tensorflow/lite/kernels/lstm_test.cc, tests
Cifg_Peephole_NoProjection_NoLayerNorm, NoCifg_Peephole_Projection_LayerNorm and Cifg_Peephole_Projection_LayerNorm.
TFLite ties i = 1 - f, adds 1e-8 to the variance, and holds its float kernels to 1e-5.
"""

from typing import Any

import pytest
import torch

import recurra.nn
from tests.tolerances import Tolerance, assert_agrees

pytestmark = pytest.mark.conformance
BOUND = Tolerance(0.0, 1e-5)


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def filled(layer: Any, input: Any, recurrent: Any, bias: torch.Tensor, **more: torch.Tensor) -> Any:
    """The layer with these weights, each given gate by gate in the order i f c o."""
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.cat(input).reshape(layer.weight_ih_l0.shape))
        layer.weight_hh_l0.copy_(torch.cat(recurrent).reshape(layer.weight_hh_l0.shape))
        layer.bias_ih_l0.copy_(bias)
        layer.bias_hh_l0.zero_()
        for name, values in more.items():
            parameter = getattr(layer, f"{name}_l0")
            parameter.copy_(values.reshape(parameter.shape))
    return layer


def test_coupled_gates_and_peepholes() -> None:
    unused = torch.full((8,), 0.7, dtype=torch.float64)
    input = [
        unused,
        numbers(-0.55291498, -0.42866567, 0.13056988, -0.3633365, -0.22755712, 0.28253698, 0.24407166, 0.33826375),
        numbers(-0.49770179, -0.27711356, -0.09624726, 0.05100781, 0.04717243, 0.48944736, -0.38535351, -0.17212132),
        numbers(0.10725588, -0.02335852, -0.55932593, -0.09426838, -0.44257352, 0.54939759, 0.01533556, 0.42751634),
    ]
    recurrent = [
        torch.cat([unused, unused]),
        numbers(
            *(-0.13832897, -0.0515101, -0.2359007, -0.16661474, -0.14340827, 0.36986142, 0.23414481, 0.55899),
            *(0.10798943, -0.41174671, 0.17751795, -0.34484994, -0.35874045, -0.11352962, 0.27268326, 0.54058349),
        ),
        numbers(
            *(0.54066205, -0.32668582, -0.43562764, -0.56094903, 0.42957711, 0.01841056, -0.32764608, -0.33027974),
            *(-0.10826075, 0.20675004, 0.19069612, -0.03026325, -0.54532051, 0.33003211, 0.44901288, 0.21193194),
        ),
        numbers(
            *(0.41613156, 0.42610586, -0.16495961, -0.5663873, 0.30579174, -0.05115908, -0.33941799, 0.23364776),
            *(0.11178309, 0.09481031, -0.26424935, 0.46261835, 0.50248802, 0.26114327, -0.43736315, 0.33149987),
        ),
    ]
    peepholes = numbers(
        *(0.7, 0.7, 0.7, 0.7),
        *(0.47485286, -0.51955009, -0.24458408, 0.31544167),
        *(-0.17135078, 0.82760304, 0.85573703, -0.77109635),
    )
    layer = recurra.nn.LSTM(2, 4, peephole=True, coupling="forget", dtype=torch.float64)
    bias = numbers(*(0.7,) * 4, *(1.0,) * 4, *(0.0,) * 8)
    filled(layer, input, recurrent, bias, weight_peephole=peepholes)
    y, _ = layer(numbers(2, 3, 3, 4, 1, 1).reshape(3, 1, 2))
    golden = numbers(
        *(-0.36444446, -0.00352185, 0.12886585, -0.05163646),
        *(-0.42312205, -0.01218222, 0.24201041, -0.08124574),
        *(-0.358325, -0.04621704, 0.21641694, -0.06471302),
    )
    assert_agrees(y.detach(), golden.reshape(3, 1, 4), BOUND)


GOLDEN = {
    None: numbers(
        *(0.0244077, 0.128027, -0.00170918, 0.0137642, 0.140751, 0.0395835, -0.00459231, 0.155278, 0.0837377),
        *(-0.00692428, 0.0848741, 0.063445, -0.00403912, 0.139963, 0.072681, 0.00752706, 0.161903, 0.0561371),
    ),
    "forget": numbers(
        *(0.02129706, 0.140816242, 0.0112733059, 0.0132302344, 0.152308047, 0.0346313119),
        *(-0.0123688057, 0.165790111, 0.0893077999, -0.0226350538, 0.0916948169, 0.0769175813),
        *(-0.0269966982, 0.149707705, 0.094149217, -0.0103429332, 0.173016444, 0.0720508844),
    ),
}
"""Outputs [2 rows, 3 steps, 3], without coupling and with it."""


@pytest.mark.parametrize("coupling", [None, "forget"])
def test_layer_normalisation_with_peepholes_and_projection(coupling: str | None) -> None:
    input = [
        numbers(*(0.5, 0.6, 0.7, -0.8, -0.9, 0.1, 0.2, 0.3, -0.4, 0.5), *(-0.8, 0.7, -0.6, 0.5, -0.4), *(-0.5, -0.4),
                *(-0.3, -0.2, -0.1)),
        numbers(*(-0.6, -0.1, 0.3, 0.2, 0.9, -0.5, -0.2, -0.4, 0.3, -0.8), *(-0.4, 0.3, -0.5, -0.4, -0.6), *(0.3, -0.4),
                *(-0.6, -0.5, -0.5)),
        numbers(*(-0.4, -0.3, -0.2, -0.1, -0.5, 0.5, -0.2, -0.3, -0.2, -0.6), *(0.6, -0.1, -0.4, -0.3, -0.7),
                *(0.7, -0.9, -0.5, 0.8, 0.6)),
        numbers(*(-0.8, -0.4, -0.2, -0.9, -0.1, -0.7, 0.3, -0.3, -0.8, -0.2), *(0.6, -0.2, 0.4, -0.7, -0.3),
                *(-0.5, 0.1, 0.5, -0.6, -0.4)),
    ]  # fmt: skip
    recurrent = [
        numbers(-0.2, -0.3, 0.4, 0.1, -0.5, 0.9, -0.2, -0.3, -0.7, 0.05, -0.2, -0.6),
        numbers(-0.5, -0.3, -0.5, -0.2, 0.6, 0.4, 0.9, 0.3, -0.1, 0.2, 0.5, 0.2),
        numbers(-0.3, 0.2, 0.1, -0.3, 0.8, -0.08, -0.2, 0.3, 0.8, -0.6, -0.1, 0.2),
        numbers(0.3, -0.1, 0.1, -0.2, -0.5, -0.7, -0.2, -0.6, -0.1, -0.4, -0.7, -0.2),
    ]
    layer = recurra.nn.LSTM(
        5, 4, proj_size=3, peephole=True, coupling=coupling, layer_norm="tflite", layer_norm_eps=1e-8,
        batch_first=True, dtype=torch.float64,
    )  # fmt: skip
    filled(
        layer,
        input,
        recurrent,
        numbers(
            *(0.03, 0.15, 0.22, 0.38), *(0.1, -0.3, -0.2, 0.1), *(-0.05, 0.72, 0.25, 0.08), *(0.05, -0.01, 0.2, 0.1)
        ),
        weight_peephole=numbers(*(0.05, 0.1, 0.25, 0.15), *(-0.02, -0.15, -0.25, -0.03), *(0.1, -0.1, -0.5, 0.05)),
        weight_norm_ih=numbers(
            *(0.1, 0.2, 0.3, 0.5), *(0.2, 0.2, 0.4, 0.3), *(0.7, 0.2, 0.3, 0.8), *(0.6, 0.2, 0.2, 0.5)
        ),
        weight_hr=numbers(-0.1, 0.2, 0.01, -0.2, 0.1, 0.5, 0.3, 0.08, 0.07, 0.2, -0.4, 0.2),
    )
    x = numbers(
        *(0.7, 0.8, 0.1, 0.2, 0.3, 0.8, 0.1, 0.2, 0.4, 0.5, 0.2, 0.7, 0.7, 0.1, 0.7),
        *(0.3, 0.2, 0.9, 0.8, 0.1, 0.1, 0.5, 0.2, 0.4, 0.2, 0.6, 0.9, 0.2, 0.5, 0.7),
    )
    y, _ = layer(x.reshape(2, 3, 5))
    assert_agrees(y.detach(), GOLDEN[coupling].reshape(2, 3, 3), BOUND)
