"""Parts one after the other, recurrent ones among them: torch.nn.Sequential that knows lengths and states."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from torch import Tensor
from torch.nn import Module, RNNBase, Sequential

from recurra.errors import ConfigError, StreamingUnsupported
from recurra.nn._reading import Lengths
from recurra.nn._recurrent import Recurrent
from recurra.nn.last_step import LastStep
from recurra.nn.loop import Bidirectional, Loop

ChainState: TypeAlias = tuple[Any, ...]
"""One state for each recurrent part, in their order, as the part gives it."""


class Chain(Sequential):
    """Parts one after the other; of a recurrent part the output alone is handed on.

    Where torch.nn.Sequential hands a layer's pair (output, state) to the next part, which cannot take it, a chain
    hands on the output, gathers the states, and hands the lengths to every part that reads over time. Everything else
    is as in a Sequential: names, order, state_dict. Recurrent parts are the layers, ours and torch.nn's, `Loop` and
    `Bidirectional`; those of a Sequential or a chain inside count too. `LastStep` is handed the lengths; all other
    parts are called on what comes in, padding too.

    Args:
        *args: the parts, or one ordered dict of names and parts, as torch.nn.Sequential takes them.

    >>> import torch
    >>> from recurra.nn import GRU
    >>> chain = Chain(GRU(3, 5), torch.nn.Linear(5, 2), LastStep())
    >>> y, (h,) = chain(torch.zeros(4, 6, 3), lengths=[4, 1, 0, 2, 3, 4])
    >>> y.shape, h.shape
    (torch.Size([6, 2]), torch.Size([1, 6, 5]))
    """

    def forward(
        self, input: Tensor, state: ChainState | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Tensor, ChainState]:
        """Run every part over a sequence.

        Args:
            input: as the first part takes it.
            state: of every recurrent part before the first step; None, or None in a part's place, leaves it to the
                part.
            lengths: [B], valid steps of each row; None if all are valid.

        Returns:
            What the last part gives, and the state of every recurrent part after the last step.

        Raises:
            ConfigError: if the states are not one for each recurrent part, or a torch.nn layer is handed lengths.
            ShapeError, DtypeError, BackendUnavailable: as the parts.
        """
        return run_parts(self, input, state, lengths)

    def step(self, x_t: Tensor, state: ChainState | None = None) -> tuple[Tensor, ChainState]:
        """Take one observation; a `LastStep` hands on every step, which is the last one so far.

        Args:
            x_t: [B, ...], as the first part takes one step.
            state: what the step before gave; None before the first.

        Returns:
            What the last part gives, and the state to hand to the next step.

        Raises:
            StreamingUnsupported: if a part is bidirectional or runs in reverse.
            ConfigError: if the states are not one for each recurrent part.
        """
        return step_parts(self, x_t, state)


def parts_of(module: Module, name: str = "") -> Iterator[tuple[str, Module]]:
    """The parts of nested Sequentials in order, each with its dotted name; a module that is none is its only part."""
    if not isinstance(module, Sequential):
        yield name, module
        return
    for key, part in module._modules.items():  # named_children leaves out a part that stands there twice
        if part is not None:
            yield from parts_of(part, f"{name}.{key}" if name else key)


def is_recurrent(part: object) -> bool:
    """Whether a part gives a pair of output and state."""
    return isinstance(part, Recurrent | RNNBase | Loop | Bidirectional)


def run_parts(
    module: Module, x: Tensor, state: ChainState | None, lengths: Lengths | None
) -> tuple[Tensor, ChainState]:
    """As `Chain.forward`, for a Sequential or a single part too."""
    before, after = _states(module, state), []
    for name, part in parts_of(module):
        if isinstance(part, RNNBase):
            if lengths is not None:
                raise ConfigError(f"{name or type(part).__name__}: torch.nn's layers take no lengths; ours do")
            x, new = part(x, next(before))
            after.append(new)
        elif is_recurrent(part):
            x, new = part(x, next(before), lengths=lengths)
            after.append(new)
        else:
            x = part(x, lengths=lengths) if isinstance(part, LastStep) else part(x)
    return x, tuple(after)


def step_parts(module: Module, x_t: Tensor, state: ChainState | None) -> tuple[Tensor, ChainState]:
    """As `Chain.step`, for a Sequential or a single part too."""
    for name, part in parts_of(module):
        check_streams(name, part)
    before, after = _states(module, state), []
    for _, part in parts_of(module):
        if isinstance(part, RNNBase):
            time = 1 if part.batch_first else 0
            y, new = part(x_t.unsqueeze(time), next(before))
            x_t = y.squeeze(time)
            after.append(new)
        elif isinstance(part, Recurrent | Loop):
            x_t, new = part.step(x_t, next(before))  # type: ignore[operator]
            after.append(new)
        elif not isinstance(part, LastStep):
            x_t = part(x_t)
    return x_t, tuple(after)


def check_streams(name: str, part: Module) -> None:
    """Refuse a part that needs the future.

    Raises:
        StreamingUnsupported: with the part's position.
    """
    where = f"{name} ({type(part).__name__})" if name else type(part).__name__
    if isinstance(part, Bidirectional) or getattr(part, "bidirectional", False):
        raise StreamingUnsupported(f"{where} is bidirectional, and begins at the last step: it cannot go step by step")
    if is_recurrent(part) and getattr(part, "reverse", False):
        raise StreamingUnsupported(f"{where} runs in reverse, from the last step: it cannot go step by step")


def _states(module: Module, state: ChainState | None) -> Iterator[Any]:
    count = sum(is_recurrent(part) for _, part in parts_of(module))
    if state is None:
        return iter((None,) * count)
    if not isinstance(state, tuple | list) or len(state) != count:
        got = len(state) if isinstance(state, tuple | list) else type(state).__name__
        raise ConfigError(f"expected a tuple of {count} states, one for each recurrent part, got: {got}")
    return iter(state)
