"""Smoothed labels: the formula of the docstring."""

import torch

from recurra.models.translation import smoothed_loss


def test_the_loss_is_the_formula() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(4, 6, dtype=torch.float64), torch.tensor([0, 5, 2, 2])
    p = torch.softmax(logits, -1)
    right = -p[torch.arange(4), target].log()
    expected = (0.9 * right + 0.1 * (-p.log()).mean(-1)).mean()
    torch.testing.assert_close(smoothed_loss(logits, target, 0.1), expected)
    torch.testing.assert_close(smoothed_loss(logits, target), right.mean())
