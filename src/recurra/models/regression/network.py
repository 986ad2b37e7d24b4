"""A recurrent network over windows of lags, as a correction to a linear map of them."""

from dataclasses import dataclass

from torch import nn

from recurra.nn import GRU, LSTM, RNN
from recurra.shapes import Float, Tensor

CELLS: dict[str, type[RNN] | type[LSTM] | type[GRU]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


@dataclass(frozen=True)
class WindowShape:
    """The sizes of a network over windows; enough to build it again."""

    n_inputs: int
    n_outputs: int
    cell: str = "gru"
    hidden_size: int = 16
    num_layers: int = 1


class WindowNetwork(nn.Module):
    """Y(T) W_out + b_out after the last step of a window; zero before training.

    Args:
        shape: the sizes.
        backend: passed on to the recurrent layer.
    """

    def __init__(self, shape: WindowShape, backend: str = "auto") -> None:
        super().__init__()
        self.shape = shape
        self.recurrent = CELLS[shape.cell](
            shape.n_inputs,
            shape.hidden_size,
            shape.num_layers,
            batch_first=True,
            initialization="keras",
            backend=backend,
        )
        self.head = nn.Linear(shape.hidden_size, shape.n_outputs)
        self.silence()

    def silence(self) -> None:
        """Make every correction zero."""
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Float[Tensor, "batch time input"]) -> Float[Tensor, "batch output"]:
        """The correction for each window."""
        output, _ = self.recurrent(x)
        corrected: Tensor = self.head(output[:, -1])
        return corrected
