"""Which backend serves: the order of "auto", refusals by name, and how the choice is explained."""

from dataclasses import dataclass

import pytest
import torch
from torch.autograd import forward_ad

from recurra.errors import BackendUnavailable, ConfigError
from recurra.kernels import Weights, check_backend_name
from recurra.kernels._call import Call
from recurra.kernels._dispatch import NotBuilt, choose, explain, inside_transform

CALL = Call(torch.zeros(1, 1, 1), (torch.zeros(1, 1, 1),), (Weights(torch.zeros(1, 1), torch.zeros(1, 1)),))


@dataclass
class Stub:
    reason: str | None = None

    def why_not(self, call: Call) -> str | None:
        return self.reason


@pytest.mark.parametrize(
    ("native", "fused", "expected"),
    [(None, None, "native"), ("too wide", None, "torch"), ("too wide", "no rule", "reference")],
)
def test_auto_takes_the_first_that_serves(native: str | None, fused: str | None, expected: str) -> None:
    backends = {"native": Stub(native), "torch": Stub(fused), "reference": Stub()}
    assert choose(backends, "auto", CALL) is backends[expected]
    assert explain(backends, "auto", CALL).name == expected


def test_a_name_serves_or_is_refused_with_the_reason() -> None:
    backends = {"native": NotBuilt(), "torch": Stub("no rule for it"), "reference": Stub()}
    assert choose(backends, "reference", CALL) is backends["reference"]
    with pytest.raises(BackendUnavailable, match="backend 'torch' cannot serve this call: no rule for it"):
        choose(backends, "torch", CALL)
    with pytest.raises(BackendUnavailable, match="the native kernels are not built"):
        choose(backends, "native", CALL)
    with pytest.raises(BackendUnavailable, match="not built"):
        NotBuilt().run(CALL)
    with pytest.raises(BackendUnavailable, match="not built"):
        NotBuilt().cell(CALL)


@pytest.mark.parametrize("name", ["", "Auto", "cuda", None])
def test_there_is_no_other_backend(name: object) -> None:
    with pytest.raises(ConfigError, match="backend should be"):
        check_backend_name(name)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="backend should be"):
        choose({}, name, CALL)  # type: ignore[arg-type]


def test_the_choice_reads_as_lines() -> None:
    backends = {"native": Stub("too wide"), "torch": Stub(), "reference": Stub()}
    assert str(explain(backends, "auto", CALL)) == (
        "backend='auto': torch serves\n  native: no, too wide\n  torch: yes\n  reference: yes"
    )
    assert str(explain(backends, "native", CALL)).startswith("backend='native': native cannot serve\n")


def test_transforms_are_noticed() -> None:
    seen = []

    def look(x: torch.Tensor) -> torch.Tensor:
        seen.append(inside_transform())
        return x.sum()

    x = torch.ones(2, 2)
    look(x)
    torch.func.vmap(look)(x)
    torch.func.grad(look)(x)
    with forward_ad.dual_level():
        look(x)
    look(x)
    assert seen == [False, True, True, True, False]
