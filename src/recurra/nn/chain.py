"""Parts one after the other, recurrent ones among them: torch.nn.Sequential that knows lengths and states."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, TypeGuard

from torch import Tensor
from torch.nn import Module, RNNBase, Sequential

from recurra.errors import ConfigError, StreamingUnsupported
from recurra.nn._reading import Lengths, lengths_as_tensor
from recurra.nn._recurrent import Recurrent
from recurra.nn.last_step import LastStep
from recurra.nn.loop import Bidirectional, Loop

ChainState: TypeAlias = tuple[Any, ...]
"""One state for each recurrent part, in their order, as the part gives it."""

_KEEPING_AXES = frozenset(
    f"torch.nn.modules.{kind}" for kind in ("activation", "dropout", "linear", "normalization", "sparse")
)
"""Where the forward of parts stands that leave steps and rows where they are."""


class Chain(Sequential):
    """Parts one after the other; of a recurrent part the output alone is handed on.

    Where torch.nn.Sequential hands a layer's pair (output, state) to the next part, which cannot take it, a chain
    hands on the output, gathers the states, and hands the lengths to every part that reads over time. Everything else
    is as in a Sequential: names, order, state_dict. Recurrent parts are the layers, ours and torch.nn's, `Loop` and
    `Bidirectional`; those of a Sequential or a chain inside count too. `LastStep` is handed the lengths; all other
    parts, a Sequential or a chain with a forward of its own among them, are called on what comes in, padding too.

    Parts that read over time must agree on batch_first, and none stands after `LastStep`; only a part of your own, or
    one that may move the axes, lets another layout or new steps begin after it. A Sequential inside with hooks is
    called as one part, so that they run; one that has a part inside that reads over time is refused then.

    Args:
        *args: the parts, or one ordered dict of names and parts, as torch.nn.Sequential takes them.

    Raises:
        ConfigError: (a ValueError) if the parts do not follow each other. Parts that are changed later are looked at
            in each call.

    >>> import torch
    >>> from recurra.nn import GRU
    >>> chain = Chain(GRU(3, 5), torch.nn.Linear(5, 2), LastStep())
    >>> y, (h,) = chain(torch.zeros(4, 6, 3), lengths=[4, 1, 0, 2, 3, 4])
    >>> y.shape, h.shape
    (torch.Size([6, 2]), torch.Size([1, 6, 5]))
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        check_parts(parts_of(self))

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
            ConfigError: if the states are not one for each recurrent part, a torch.nn layer is handed lengths, or the
                parts do not follow each other.
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
            ConfigError: if the states are not one for each recurrent part, or the parts do not follow each other.
        """
        return step_parts(self, x_t, state)


def parts_of(module: Module) -> Iterator[tuple[str, Module]]:
    """The parts of a Sequential in order, each with its dotted name; a module that is none is its only part.

    A Sequential inside is opened, but for one with a forward of its own or with hooks, which is a part itself.
    """
    if not isinstance(module, Sequential):
        yield "", module
        return
    for key, part in module._modules.items():  # named_children leaves out a part that stands there twice
        if is_plain(part) and not has_hooks(part):
            yield from ((f"{key}.{name}", inner) for name, inner in parts_of(part))
        elif part is not None:
            yield key, part


def is_plain(module: Module | None) -> TypeGuard[Sequential]:
    """Whether a module is a Sequential or a chain without a forward of its own."""
    return isinstance(module, Sequential) and type(module).forward in (Sequential.forward, Chain.forward)


def has_hooks(module: Module) -> bool:
    """Whether a call of the module does more than its forward, there or on the way back."""
    forward = module._forward_pre_hooks or module._forward_hooks
    return bool(forward or module._backward_pre_hooks or module._backward_hooks)


def is_recurrent(part: object) -> bool:
    """Whether a part gives a pair of output and state."""
    return isinstance(part, Recurrent | RNNBase | Loop | Bidirectional)


def reads_over_time(part: object) -> bool:
    """Whether a part knows which axis the steps are on."""
    return is_recurrent(part) or isinstance(part, LastStep)


def run_parts(
    module: Module, x: Tensor, state: ChainState | None, lengths: Lengths | None
) -> tuple[Tensor, ChainState]:
    """As `Chain.forward`, for a Sequential or a single part too."""
    parts = list(parts_of(module))
    check_parts(parts)
    if lengths is not None:
        check_takes_lengths(parts)
    before, after, has_rows = _states(parts, state), [], True
    for _, part in parts:
        if is_recurrent(part):
            has_rows = not _is_unbatched(part, x)
            x, new = part(x, next(before), **({} if isinstance(part, RNNBase) else {"lengths": lengths}))
            after.append(new)
        elif isinstance(part, LastStep):
            x = _last_step(part, x, lengths, has_rows)
        else:
            x = part(x)
    return x, tuple(after)


def step_parts(module: Module, x_t: Tensor, state: ChainState | None) -> tuple[Tensor, ChainState]:
    """As `Chain.step`, for a Sequential or a single part too."""
    parts = list(parts_of(module))
    check_parts(parts)
    for name, part in parts:
        check_streams(name, part)
    before, after = _states(parts, state), []
    for _, part in parts:
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


def check_parts(parts: Iterable[tuple[str, Module]]) -> None:
    """Refuse parts that do not follow each other; what a part gives that may move the axes is not known.

    Raises:
        ConfigError: with the position of a part that reads over time after `LastStep`, or in another layout than the
            one before it, or of a Sequential whose hooks would not be run.
    """
    before: tuple[str, Module] | None = None
    for name, part in parts:
        if reads_over_time(part):
            if before is not None:
                _check_follows(name, part, *before)
            before = name, part
        elif getattr(getattr(type(part), "forward", None), "__module__", None) not in _KEEPING_AXES:
            _check_hooks(name, part)
            before = None


def _check_follows(name: str, part: Any, first_name: str, first: Any) -> None:
    if isinstance(first, LastStep):
        raise ConfigError(
            f"{_position(name, part)}: reads over time, but there are no steps any more, after the LastStep at "
            f"{first_name}"
        )
    if part.batch_first != first.batch_first:
        raise ConfigError(
            f"{_position(name, part)}: batch_first={part.batch_first}, but {first_name} has {first.batch_first}"
        )


def _check_hooks(name: str, part: Module) -> None:
    if is_plain(part) and _holds_time(part):
        raise ConfigError(
            f"{_position(name, part)}: it has hooks, and parts inside that read over time, which are run one by one; "
            "register the hooks on its parts"
        )


def _holds_time(part: Any) -> bool:
    """Whether a part that is run by itself stands in it, or it is a chain, which gives its states too."""
    return isinstance(part, Chain) or any(
        reads_over_time(each) or (is_plain(each) and _holds_time(each)) for each in part
    )


def check_takes_lengths(parts: Iterable[tuple[str, Module]]) -> None:
    """Refuse layers of torch.nn.

    Raises:
        ConfigError: with the position of the first.
    """
    for name, part in parts:
        if isinstance(part, RNNBase):
            raise ConfigError(f"{name or type(part).__name__}: torch.nn's layers take no lengths; ours do")


def check_streams(name: str, part: Module) -> None:
    """Refuse a part that needs the future.

    Raises:
        StreamingUnsupported: with the part's position.
    """
    where = _position(name, part)
    if isinstance(part, Bidirectional) or getattr(part, "bidirectional", False):
        raise StreamingUnsupported(f"{where} is bidirectional, and begins at the last step: it cannot go step by step")
    if is_recurrent(part) and getattr(part, "reverse", False):
        raise StreamingUnsupported(f"{where} runs in reverse, from the last step: it cannot go step by step")


def _position(name: str, part: Module) -> str:
    return f"{name} ({type(part).__name__})" if name else type(part).__name__


def _states(parts: Iterable[tuple[str, Module]], state: ChainState | None) -> Iterator[Any]:
    count = sum(is_recurrent(part) for _, part in parts)
    if state is None:
        return iter((None,) * count)
    if not isinstance(state, tuple | list) or len(state) != count:
        got = len(state) if isinstance(state, tuple | list) else type(state).__name__
        raise ConfigError(f"expected a tuple of {count} states, one for each recurrent part, got: {got}")
    return iter(state)


def _is_unbatched(part: Module, x: object) -> bool:
    """Whether a layer is given one sequence [T, I]; of a loop two axes are steps and rows."""
    return isinstance(part, Recurrent | RNNBase) and isinstance(x, Tensor) and x.dim() == 2


def _last_step(part: LastStep, x: Tensor, lengths: Lengths | None, has_rows: bool) -> Tensor:
    """A layer's outputs [T, P] of one sequence are those of one row."""
    if has_rows or x.dim() != 2:
        return part(x, lengths=lengths)  # type: ignore[no-any-return]
    one_row = x.unsqueeze(0 if part.batch_first else 1)
    return part(one_row, lengths=lengths_as_tensor(lengths, False)).squeeze(0)  # type: ignore[no-any-return]
