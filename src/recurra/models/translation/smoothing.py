"""Cross entropy with smoothed labels over the pieces of a batch."""

from torch.nn import functional

from recurra.shapes import Float, Int, Tensor


def smoothed_loss(
    logits: Float[Tensor, "pieces vocabulary"], target: Int[Tensor, " pieces"], smoothing: float = 0.0
) -> Tensor:
    """Mean over the pieces of (1 - e) * -log p(target) + e * the mean over the vocabulary of -log p.

    Args:
        logits: before the softmax.
        target: the right piece of each row.
        smoothing: e, the share of the truth that is spread over the vocabulary.

    Source: Szegedy et al. 2016, section 7.

    >>> import torch
    >>> smoothed_loss(torch.zeros(2, 4), torch.tensor([0, 3]), 0.1).exp()
    tensor(4.)
    """
    return functional.cross_entropy(logits, target, label_smoothing=smoothing)
