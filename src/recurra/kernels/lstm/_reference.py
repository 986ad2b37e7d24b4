"""The long short-term memory's equations in plain PyTorch: the truth that faster paths are held against."""

from functools import partial

from torch.nn.functional import linear

from recurra.kernels._call import Call, Result, State, Weights
from recurra.kernels._options import Options
from recurra.kernels._scan import Equations, Functions, Parts, run_cell, run_stack
from recurra.kernels._terms import clipped, normalized
from recurra.shapes import Float, Tensor

_OF_TWO_SUMS = ("ba", "fastrnns")
"""The forms that normalise x W and h U each for itself, and the cell."""


def step(
    X_W: Float[Tensor, "batch 4*hidden"], state: State, w: Weights, entering: Tensor, phi: Functions, options: Options
) -> Parts:
    """One time step of a mini-batch.

    i, f, g, o = split(x W + h U + b)
    c' = sigma(f) * c + sigma(i) * tanh(g)
    h' = sigma(o) * tanh(c'), and with a projection h' = (sigma(o) * tanh(c')) W_hr

    With peepholes p_i * c is added to i, p_f * c to f, p_o * c' to o. With a clip what goes into each activation lies
    in [-clip, clip]. Coupled, f = 1 - i or i = 1 - f, both after sigma. c' and the projected h' may be clipped.

    Layer normalisation, LN(a) = (a - mean) / sqrt(variance + eps), in three forms:
    "ba": LN(x W) * g_x + LN(h U) * g_h + b, each over all four gates; h' = sigma(o) * tanh(LN(c') * g_c + b_c).
    "fastrnns": as "ba", and LN(c') * g_c + b_c is the cell that the next step sees.
    "tflite": of each gate LN(x W + h U + p * c) * g_x + b.

    Args:
        X_W: what the input adds: of the plain form x W for the gates i, f, g, o, with b_ih added.
        state: (h, c).
        w: U is w_hh transposed, b_hh the recurrent part of b, w_hr the projection, w_p the peepholes, the gains
            g_x, g_h, g_c are n_ih, n_hh, n_c, and b_c is m_c.
        entering: h as it enters the product with U: with recurrent dropout some of it is zero.
        phi: sigma of the gates, tanh of the candidate and tanh of the cell, or what stands in their place.
        options: clips, coupling, the form of layer normalisation.

    Returns:
        The gates i, f and o after sigma, the candidate g after tanh, and the state after the step: c = c' (of
        "fastrnns" the normalised one) and h = h'.

    Source: Hochreiter & Schmidhuber 1997, Gers et al. 2000 (forget gate), Gers & Schmidhuber 2000 (peepholes),
    Sak et al. 2014 (projection), Greff et al. 2017 (coupled gates), ONNX operator LSTM (clip, input_forget), TFLite's
    operator LSTM (clips of cell and projection, "tflite"), Ba et al. 2016 ("ba"), PyTorch's benchmarks/fastrnns;
    gate order i f g o as in PyTorch.
    """
    (_, c), (sigma, tanh, tanh_c) = state, phi
    p_i, p_f, p_o = (None, None, None) if w.w_p is None else w.w_p.chunk(3)
    i, f, g, o = (X_W + _recurrent(entering, w, options)).chunk(4, -1)
    i = sigma(_settled(0, _seeing(i, p_i, c), w, options))
    f = sigma(_settled(1, _seeing(f, p_f, c), w, options))
    if options.coupling == "input":
        f = 1 - i
    elif options.coupling == "forget":
        i = 1 - f
    g = tanh(_settled(2, g, w, options))
    c = clipped(f * c + i * g, options.cell_clip)
    o = sigma(_settled(3, _seeing(o, p_o, c), w, options))
    shown = c
    if options.layer_norm in _OF_TWO_SUMS:
        assert w.m_c is not None
        shown = normalized(c, w.n_c, options.layer_norm_eps) + w.m_c
    h = o * tanh_c(shown)
    if w.w_hr is not None:
        h = clipped(linear(h, w.w_hr), options.projection_clip)
    return {"i": i, "f": f, "g": g, "o": o, "c": shown if options.layer_norm == "fastrnns" else c, "h": h}


def _add_input(x: Tensor, w: Weights, options: Options) -> Tensor:
    """What the input adds: LN(x W) * g_x + b_ih where x W is normalised for itself, x W where b comes later."""
    if options.layer_norm == "tflite":
        return linear(x, w.w_ih)
    X_W = normalized(linear(x, w.w_ih), w.n_ih, options.layer_norm_eps)
    return X_W if w.b_ih is None else X_W + w.b_ih


def _recurrent(h: Tensor, w: Weights, options: Options) -> Tensor:
    """What h adds: h U + b_hh, LN(h U) * g_h + b_hh, or h U where b comes later."""
    if options.layer_norm is None:
        return linear(h, w.w_hh, w.b_hh)
    if options.layer_norm == "tflite":
        return linear(h, w.w_hh)
    h_U = normalized(linear(h, w.w_hh), w.n_hh, options.layer_norm_eps)
    return h_U if w.b_hh is None else h_U + w.b_hh


def _seeing(a: Tensor, p: Tensor | None, c: Tensor) -> Tensor:
    """A gate that sees the cell through its peephole: a + p * c."""
    return a if p is None else a + p * c


def _settled(k: int, a: Tensor, w: Weights, options: Options) -> Tensor:
    """What goes into the activation of gate k: a itself, or LN(a) * g + b, clipped."""
    if options.layer_norm == "tflite":
        assert w.n_ih is not None
        a = normalized(a, w.n_ih.chunk(4)[k], options.layer_norm_eps)
        if w.b_ih is not None and w.b_hh is not None:
            a = a + (w.b_ih + w.b_hh).chunk(4)[k]
    return clipped(a, options.clip)


def equations(options: Options) -> Equations:
    """The recurrence with these options."""
    one_step = partial(step, phi=options.functions("lstm"), options=options)
    if options.layer_norm is None:
        return Equations(one_step)
    return Equations(one_step, partial(_add_input, options=options))


def why_not(call: Call) -> str | None:  # noqa: ARG001
    """None: the equations serve every call."""
    return None


def run(call: Call) -> Result:
    """The whole stack over the whole sequence."""
    return run_stack(equations(call.options), call)


def cell(call: Call) -> State:
    """One time step of one layer."""
    return run_cell(equations(call.options), call)
