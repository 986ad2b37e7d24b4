"""The front end: lengths, rows that do not know their neighbours, and streams equal to whole sequences."""

import numpy as np
import pytest
import torch

from recurra.models.acoustic import FrontEnd, FrontEndStream


def front_end(strides: tuple[int, ...], width: int = 5) -> FrontEnd:
    torch.manual_seed(5)
    return FrontEnd(3, 6, strides, width).double().eval()


@pytest.mark.parametrize("strides", [(1,), (2,), (1, 2), (3, 2)])
def test_lengths_are_rounded_up_and_rows_do_not_know_their_neighbours(
    strides: tuple[int, ...], rng: np.random.Generator
) -> None:
    module, lengths = front_end(strides), torch.tensor([17, 1, 8])
    x = torch.from_numpy(rng.standard_normal((3, 17, 3)))
    x[1, 1:], x[2, 8:] = 0, 0
    y, steps = module(x, lengths)
    for i, n in enumerate(lengths.tolist()):
        wanted = n
        for stride in strides:
            wanted = -(-wanted // stride)
        alone, _ = module(x[i : i + 1, :n], lengths[i : i + 1])
        assert int(steps[i]) == wanted == alone.shape[1]
        torch.testing.assert_close(y[i, :wanted], alone[0], rtol=0, atol=1e-12)
        assert bool((y[i, wanted:] == 0).all())


def test_a_step_is_the_convolution_of_its_neighbourhood(rng: np.random.Generator) -> None:
    """Expected: torch's own conv1d with symmetric padding, norm and rectifier."""
    module = front_end((1,))
    layer = module.layers[0]
    x = torch.from_numpy(rng.standard_normal((1, 9, 3)))
    y, _ = module(x, torch.tensor([9]))
    raw = torch.nn.functional.conv1d(x.transpose(1, 2), layer.convolution.weight, layer.convolution.bias, padding=2)
    wanted = torch.nn.functional.layer_norm(raw.transpose(1, 2), (6,), layer.norm.weight, layer.norm.bias).relu()
    torch.testing.assert_close(y, wanted)


@pytest.mark.parametrize("strides", [(), (1,), (2,), (1, 2), (2, 3)])
@pytest.mark.parametrize("n", [1, 2, 7, 24, 25])
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_a_stream_gives_the_same_steps(strides: tuple[int, ...], n: int, chunk: int, rng: np.random.Generator) -> None:
    module = front_end(strides)
    x = torch.from_numpy(rng.standard_normal((n, 3)))
    with torch.no_grad():
        wanted, _ = module(x[None], torch.tensor([n]))
        stream = FrontEndStream(module)
        parts = [stream.push(part) for part in x.split(chunk)]
        parts.append(stream.finish(x[:0]))
    torch.testing.assert_close(torch.cat(parts), wanted[0], rtol=0, atol=1e-12)
    assert module.stride == int(np.prod(strides))
