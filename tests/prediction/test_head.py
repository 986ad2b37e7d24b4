"""The head on arrays says what the modules say."""

import numpy as np
import pytest
import torch

from recurra.models.forecast import DirectHead
from recurra.models.forecast.heads import middle_level, ordered_quantiles
from recurra.prediction.head import ArrayHead

HIDDEN, HORIZON = 6, 4


@pytest.mark.parametrize("n_future", [0, 3])
@pytest.mark.parametrize("levels", [(0.5,), (0.1, 0.5, 0.9), (0.7, 0.8, 0.9), (0.05, 0.1, 0.3)])
def test_it_is_the_head_and_its_ordered_quantiles(levels: tuple[float, ...], n_future: int) -> None:
    """Expected: `ordered_quantiles` of `DirectHead.forward`, with every weight drawn anew."""
    torch.manual_seed(0)
    head, middle = DirectHead(HIDDEN, n_future, HORIZON, [0.0] * len(levels)).double(), middle_level(levels)
    for weight in head.parameters():
        torch.nn.init.normal_(weight)
    h, known = torch.randn(5, HIDDEN).double(), torch.randn(5, HORIZON, n_future).double()
    with torch.no_grad():
        expected = ordered_quantiles(head(h, known if n_future else None), middle).numpy()
    found = ArrayHead(head, middle).quantiles(h.numpy(), known.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
