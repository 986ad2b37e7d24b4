"""Derivatives in time: the slope of a line, ragged rows, and streams of any chunks."""

import numpy as np
import pytest
import torch

from recurra.data.audio.derivatives import DerivativeStream, slope, with_derivatives


def test_the_slope_of_a_line_is_its_slope() -> None:
    """Expected: 3 a step inside; at the ends the repeated frames make it smaller: (1*3 + 2*6)/10 and (1*6 + 2*9)/10."""
    found = slope(3.0 * torch.arange(6.0)[None, :, None])[0, :, 0]
    torch.testing.assert_close(found, torch.tensor([1.5, 2.4, 3.0, 3.0, 2.4, 1.5]))


def test_ragged_rows_end_where_they_end(rng: np.random.Generator) -> None:
    x = torch.from_numpy(rng.standard_normal((2, 9, 3)))
    found = with_derivatives(x, 2, torch.tensor([9, 5]))
    torch.testing.assert_close(found[1, :5], with_derivatives(x[1:, :5], 2)[0])


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("chunks", [[1] * 23, [5, 0, 1, 17], [23], [2, 21]])
def test_a_stream_gives_the_same_numbers(order: int, chunks: list[int], rng: np.random.Generator) -> None:
    x = torch.from_numpy(rng.standard_normal((23, 2)))
    stream = DerivativeStream(order, 2)
    parts = [stream.push(part) for part in x.split(chunks)]
    if order:
        parts.append(stream.finish())
    torch.testing.assert_close(torch.cat(parts), with_derivatives(x[None], order)[0], rtol=0, atol=0)


def test_a_stream_holds_few_frames(rng: np.random.Generator) -> None:
    stream = DerivativeStream(2, 2)
    for _ in range(200):
        stream.push(torch.from_numpy(rng.standard_normal((3, 2))))
    assert len(stream._seen) <= 4 * stream.lag
