"""The compiled kernels (csrc/): addresses and strides in elements, 0 where something is not given."""

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
def kept_bytes() -> int: ...
