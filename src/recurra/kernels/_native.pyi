"""The compiled kernels (csrc/): addresses and strides in elements, 0 where something is not given."""

import numpy as np
import numpy.typing as npt

class Tapes:
    """What a forward pass keeps for its backward pass."""

    @property
    def bytes(self) -> int: ...

def forward(
    kind: int,
    activation: int,
    is_double: bool,
    steps: int,
    batch: int,
    inputs: int,
    hidden: int,
    width: int,
    directions: int,
    projected: bool,
    threads: int,
    lengths: int,
    batch_sizes: int,
    x: int,
    x_time: int,
    x_row: int,
    y: int,
    y_time: int,
    y_row: int,
    weights: list[int],
    h0: int,
    c0: int,
    hn: int,
    cn: int,
    keep: bool,
    reverse: bool,
    frozen: Frozen | None,
    /,
) -> Tapes | None: ...
def backward(
    tapes: Tapes,
    x: int,
    x_time: int,
    x_row: int,
    y: int,
    y_time: int,
    y_row: int,
    dy: int,
    dy_time: int,
    dy_row: int,
    dx: int,
    dx_time: int,
    dx_row: int,
    dx_direction: int,
    weights: list[int],
    gradients: list[int],
    h0: int,
    c0: int,
    dhn: int,
    dcn: int,
    dh0: int,
    dc0: int,
    keep: bool,
    /,
) -> None: ...
def instruction_set() -> str: ...
def built_with() -> str: ...
def peak(threads: int, repeats: int, /) -> float: ...
def kept_bytes() -> int: ...

class Frozen:
    """Packed weights of a layer, kept from call to call."""

    def __init__(
        self,
        kind: int,
        is_double: bool,
        inputs: int,
        hidden: int,
        width: int,
        directions: int,
        projected: bool,
        threads: int,
        weights: list[int],
        /,
    ) -> None: ...
    @property
    def bytes(self) -> int: ...

class Stepper:
    """Packed weights and carried state of a stack of layers."""

    def __init__(
        self,
        kind: int,
        activation: int,
        is_double: bool,
        batch: int,
        inputs: int,
        hidden: int,
        width: int,
        projected: bool,
        weights: list[int],
        /,
    ) -> None: ...
    def step(
        self,
        x: npt.NDArray[np.floating],
        y: npt.NDArray[np.floating],
        parameters: dict[str, object],
        names: tuple[str | None, ...],
        rows: npt.NDArray[np.int64] | None,
        /,
    ) -> bool: ...
    def step_at(
        self,
        x: int,
        y: int,
        parameters: dict[str, object],
        names: tuple[str | None, ...],
        rows: npt.NDArray[np.int64] | None,
        /,
    ) -> bool: ...
    def get(self, h: int, c: int, /) -> None: ...
    def set(self, h: int, c: int, /) -> None: ...

class VariantTapes:
    """What a forward pass with options keeps for its backward pass."""

    @property
    def bytes(self) -> int: ...

class Options:
    """What differs from the plain recurrence; (number, alpha, beta) is an activation, infinity no bound."""

    def __init__(
        self,
        gate: tuple[int, float, float],
        candidate: tuple[int, float, float],
        output: tuple[int, float, float],
        clip: float,
        cell_clip: float,
        projection_clip: float,
        norm: int,
        coupling: int,
        eps: float,
    ) -> None: ...

class Layer:
    """The sizes of one call; lengths and batch_sizes are addresses of int64, or 0."""

    def __init__(
        self,
        kind: int,
        is_double: bool,
        steps: int,
        rows: int,
        inputs: int,
        hidden: int,
        width: int,
        directions: int,
        projected: bool,
        threads: int,
        lengths: int,
        batch_sizes: int,
        reverse: bool,
    ) -> None: ...

class VariantStepper(Stepper):
    """The carried state of a stack of layers with options."""

    def __init__(self, layer: Layer, options: Options, weights: list[int], shares: tuple[float, float], /) -> None: ...

def variant_forward(
    layer: Layer,
    options: Options,
    x: tuple[int, int, int],
    y: tuple[int, int, int],
    weights: list[int],
    masks: tuple[int, int, int, float, float],
    first: tuple[int, int],
    last: tuple[int, int],
    keep: bool,
    /,
) -> VariantTapes | None: ...
def variant_backward(
    tapes: VariantTapes,
    x: tuple[int, int, int],
    y: tuple[int, int, int],
    dy: tuple[int, int, int],
    dx: tuple[int, int, int],
    dx_direction: int,
    weights: list[int],
    gradients: list[int],
    masks: tuple[int, int, int, float, float],
    first: tuple[int, int],
    dlast: tuple[int, int],
    dfirst: tuple[int, int],
    keep: bool,
    /,
) -> None: ...
