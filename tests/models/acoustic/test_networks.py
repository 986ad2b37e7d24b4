"""Classifier and recogniser: padding changes nothing, pooling is what it says, pieces equal the whole."""

import numpy as np
import pytest
import torch

from recurra.models.acoustic import AcousticShape, ClassifierNetwork, CtcNetwork, FrontEndStream
from recurra.models.acoustic.networks import pool


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["mean", "max", "mean_max", "last"])
def test_padding_changes_no_score(cell: str, bidirectional: bool, pooling: str, rng: np.random.Generator) -> None:
    shape = AcousticShape(4, 3, cell, 8, 2, bidirectional, 6, (2,), pooling=pooling)
    network = ClassifierNetwork(shape).double().eval()
    x = torch.from_numpy(rng.standard_normal((2, 15, 4)))
    x[1, 6:] = 0
    scores = network(x, torch.tensor([15, 6]))
    assert scores.shape == (2, 3)
    torch.testing.assert_close(scores[1:], network(x[1:, :6], torch.tensor([6])), rtol=0, atol=1e-12)


def test_pooling_by_hand() -> None:
    """Expected: mean and highest of the row's own two steps; the reverse direction ends at the first step."""
    y = torch.tensor([[[1.0, -2.0], [3.0, -4.0], [9.0, 9.0]]])
    n = torch.tensor([2])
    assert pool(y * (torch.arange(3) < 2)[None, :, None], n, "mean", False).tolist() == [[2.0, -3.0]]
    assert pool(y, n, "max", False).tolist() == [[3.0, -2.0]]
    assert pool(y, n, "mean_max", False).tolist() == [[2.0, -3.0, 3.0, -2.0]]
    assert pool(y, n, "last", False).tolist() == [[3.0, -4.0]]
    assert pool(y, n, "last", True).tolist() == [[3.0, -2.0]]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_steps_in_pieces_equal_the_whole(cell: str, rng: np.random.Generator) -> None:
    network = CtcNetwork(AcousticShape(4, 5, cell, 8, 2, False, 6, (2,))).double().eval()
    x = torch.from_numpy(rng.standard_normal((1, 21, 4)))
    with torch.no_grad():
        whole, steps = network(x, torch.tensor([21]))
        stream, state, parts = FrontEndStream(network.front_end), None, []
        pieces = [*(stream.push(part) for part in x[0].split(4)), stream.finish(x[0, :0])]
        for piece in pieces:
            if len(piece):
                scores, state = network.advance(piece, state)
                parts.append(scores)
    assert int(steps[0]) == 11
    torch.testing.assert_close(torch.cat(parts), whole[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(whole.exp().sum(-1), torch.ones(1, 11, dtype=torch.float64))


def test_one_direction_sees_no_future_beyond_the_front_end(rng: np.random.Generator) -> None:
    """Expected: a convolution of width 5 looks 2 frames ahead; what comes later changes nothing before."""
    network = CtcNetwork(AcousticShape(4, 5, "gru", 8, 2, False, 6, (1,))).double().eval()
    x = torch.from_numpy(rng.standard_normal((1, 20, 4)))
    changed = x.clone()
    changed[:, 12:] += 1
    one, other = (network(values, torch.tensor([20]))[0] for values in (x, changed))
    torch.testing.assert_close(one[:, :10], other[:, :10], rtol=0, atol=0)
    assert not torch.equal(one[:, 10], other[:, 10])
