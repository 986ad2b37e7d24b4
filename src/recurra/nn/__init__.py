"""The recurrent layers and their cells: drop-in for torch.nn's, and more by keyword.

    layer = recurra.nn.LSTM(16, 64)
    output, (h, c) = layer(x, lengths=lengths)      # ragged rows, no packing needed
    y, state = layer.step(x_t, state)               # one observation
    stepper = recurra.nn.Stepper(layer)             # many of them, one by one, in a few microseconds each
    seen = recurra.nn.trace(layer, x)               # every gate, cell and output of every step
    loop = recurra.nn.Loop(cell)                    # any cell over time; Bidirectional(forward, backward) runs two
    chain = recurra.nn.Chain(layer, linear)         # parts one after the other, with lengths and states

Positional arguments, parameter names, shapes, gate order, state_dict and outputs are those of torch.nn.
"""

from recurra.kernels import Activation
from recurra.nn import exchange
from recurra.nn._attending import ProjectedKeys
from recurra.nn.attention import AdditiveAttention, MultiplicativeAttention
from recurra.nn.chain import Chain
from recurra.nn.gradients import gradient_norms
from recurra.nn.gru import GRU
from recurra.nn.gru_cell import GRUCell
from recurra.nn.last_step import LastStep
from recurra.nn.loop import Bidirectional, Loop
from recurra.nn.lstm import LSTM
from recurra.nn.lstm_cell import LSTMCell
from recurra.nn.rnn import RNN
from recurra.nn.rnn_cell import RNNCell
from recurra.nn.stepper import Stepper
from recurra.nn.trace import Trace, trace
from recurra.nn.truncated import TruncatedBPTT, TruncatedRun

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "AdditiveAttention",
    "Bidirectional",
    "Chain",
    "GRUCell",
    "LSTMCell",
    "LastStep",
    "Loop",
    "MultiplicativeAttention",
    "ProjectedKeys",
    "RNNCell",
    "Stepper",
    "Trace",
    "TruncatedBPTT",
    "TruncatedRun",
    "exchange",
    "gradient_norms",
    "trace",
]
