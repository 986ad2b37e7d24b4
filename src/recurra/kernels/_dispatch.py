"""Which backend serves a call: the first that computes the same function, or the one asked for by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.autograd import forward_ad

from recurra.errors import BackendUnavailable, ConfigError
from recurra.kernels._call import Call, Result, State

BACKENDS = ("native", "torch", "reference")
"""Every backend, in the order in which "auto" tries them."""


class Backend(Protocol):
    """One way of computing a recurrence: a module with these three functions."""

    def why_not(self, call: Call) -> str | None:
        """The reason why this backend cannot serve the call, or None if it can."""

    def run(self, call: Call) -> Result:
        """The whole stack over the whole sequence."""

    def cell(self, call: Call) -> State:
        """One time step of one layer."""


class NotBuilt:
    """Stands where a backend will go that this version does not have."""

    def why_not(self, call: Call) -> str | None:  # noqa: ARG002
        """The reason, whatever the call."""
        return "the native kernels are not built in this version of Recurra"

    def run(self, call: Call) -> Result:
        """Refuse."""
        raise BackendUnavailable(f"{self.why_not(call)}")

    def cell(self, call: Call) -> State:
        """Refuse."""
        raise BackendUnavailable(f"{self.why_not(call)}")


@dataclass(frozen=True)
class Choice:
    """Which backend would serve a call, and why the others would not.

    Attributes:
        wanted: what was asked for: "auto" or a backend's name.
        name: the backend that serves, or None if the one asked for cannot.
        reasons: backend -> why it cannot serve; a backend that could is not in it.
    """

    wanted: str
    name: str | None
    reasons: Mapping[str, str]

    def __str__(self) -> str:
        served = f"{self.name} serves" if self.name else f"{self.wanted} cannot serve"
        lines = [f"backend={self.wanted!r}: {served}"]
        for name in BACKENDS:
            if name in self.reasons:
                lines.append(f"  {name}: no, {self.reasons[name]}")
            else:
                lines.append(f"  {name}: yes")
        return "\n".join(lines)


def check_backend_name(name: str) -> None:
    """Refuse a name that is neither "auto" nor a backend.

    Raises:
        ConfigError: if it is not.
    """
    if name != "auto" and name not in BACKENDS:
        raise ConfigError(f"backend should be 'auto', 'native', 'torch' or 'reference', got: {name!r}")


def explain(backends: Mapping[str, Backend], wanted: str, call: Call) -> Choice:
    """Which of the backends would serve a call, and why the others would not."""
    check_backend_name(wanted)
    answers = {name: backends[name].why_not(call) for name in BACKENDS}
    reasons = {name: reason for name, reason in answers.items() if reason is not None}
    candidates = BACKENDS if wanted == "auto" else (wanted,)
    return Choice(wanted, next((name for name in candidates if name not in reasons), None), reasons)


def choose(backends: Mapping[str, Backend], wanted: str, call: Call) -> Backend:
    """The backend that serves a call.

    Raises:
        ConfigError: if there is no backend of that name.
        BackendUnavailable: if the one asked for by name cannot serve this call.
    """
    if wanted == "auto":
        for name in BACKENDS:
            if backends[name].why_not(call) is None:
                return backends[name]
    check_backend_name(wanted)
    reason = backends[wanted].why_not(call)
    if reason is not None:
        raise BackendUnavailable(f"backend '{wanted}' cannot serve this call: {reason}")
    return backends[wanted]


def inside_transform() -> bool:
    """Whether a functorch level (vmap, grad, jvp, ...) or a forward-mode level is active."""
    return torch._C._functorch.maybe_current_level() is not None or forward_ad._current_level >= 0
