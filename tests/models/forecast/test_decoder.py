"""The recurrent decoder: step k knows what is known of the steps up to k, and a fresh one says nothing."""

import pytest
import torch

from recurra.models.forecast import RecurrentDecoder


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_only_the_steps_up_to_its_own_reach_a_forecast(cell):
    decoder = RecurrentDecoder(3, 2, 4, [0.5, -1.0], cell, 6, "auto").double()
    h, future = torch.randn(5, 3).double(), torch.randn(5, 4, 2).double()
    fresh = decoder(h, future)
    assert fresh.shape == (5, 4, 2)
    torch.testing.assert_close(fresh, torch.tensor([0.5, -1.0]).double().expand(5, 4, 2))
    torch.nn.init.normal_(decoder.last.weight)
    changed = future.clone()
    changed[:, 2] += 1.0
    moved = (decoder(h, future) != decoder(h, changed)).any(-1).any(0)
    assert moved.tolist() == [False, False, True, True]


def test_origins_may_have_any_shape():
    decoder = RecurrentDecoder(3, 0, 4, [0.0], "gru", 6, "auto").double()
    torch.nn.init.normal_(decoder.last.weight)
    h = torch.randn(2, 5, 3).double()
    torch.testing.assert_close(decoder(h)[1, 3], decoder(h[1, 3:4])[0], rtol=1e-12, atol=1e-12)
