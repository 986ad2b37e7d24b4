"""What the tests of the layers share: torch.nn's layer beside ours, with the same parameters."""

from collections.abc import Callable

import pytest
import torch

import recurra.nn


@pytest.fixture
def pair() -> Callable[..., tuple[torch.nn.Module, torch.nn.Module]]:
    """Make torch.nn's layer and ours from the same arguments; ours is given the parameters of the other."""

    def make(
        kind: str, *args: object, backend: str = "auto", dtype: torch.dtype = torch.float64, **kwargs: object
    ) -> tuple[torch.nn.Module, torch.nn.Module]:
        theirs = getattr(torch.nn, kind)(*args, **kwargs, dtype=dtype)
        ours = getattr(recurra.nn, kind)(*args, **kwargs, dtype=dtype, backend=backend)
        ours.load_state_dict(theirs.state_dict())
        return theirs, ours

    return make
