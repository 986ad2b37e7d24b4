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
