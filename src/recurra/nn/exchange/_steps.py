"""One time step of a layer drawn with ONNX's elementary operators: the equations of `recurra.kernels`, node by node."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recurra.errors import ConfigError
from recurra.kernels import USUAL, Activation, Weights
from recurra.nn.exchange._arrays import Array
from recurra.nn.exchange._conventions import SPELLED
from recurra.nn.exchange._drawing import Drawing

_OF_TWO_SUMS = ("ba", "fastrnns")


class Step:
    """Draws steps of one layer and direction.

    Args:
        drawing: what to draw into.
        prefix: of the names of fixed numbers.
        weights: the parameters as arrays.
        options: the layer's `recurra.kernels.Options`.
        kind: "rnn", "lstm" or "gru".
    """

    def __init__(self, drawing: Drawing, prefix: str, weights: Weights, options: Any, kind: str) -> None:
        self.drawing, self.prefix, self.options = drawing, prefix, options
        self.w: Any = weights
        self.dtype: Any = self.w.w_ih.dtype
        self.phi = [self._activation(phi) for phi in options.activations or USUAL[kind]]
        self.draw: Callable[[str, Sequence[str]], list[str]] = {
            "rnn": self._rnn,
            "lstm": self._lstm,
            "gru": self._gru_after if options.reset_after else self._gru_before,
        }[kind]

    def fixed(self, name: str, numbers: Any) -> str:
        """Fixed numbers of the weights' type under a name."""
        return self.drawing.put(f"{self.prefix}{name}", np.asarray(numbers, self.dtype))

    def add(self, *values: str | None) -> str:
        """The sum of what is there."""
        there = [value for value in values if value is not None]
        total = there[0]
        for value in there[1:]:
            total = self.drawing.add("Add", total, value)
        return total

    def times(self, a: str, b: str) -> str:
        """The product, element by element."""
        return self.drawing.add("Mul", a, b)

    def mixed(self, share: str, a: str, b: str) -> str:
        """A share of a and the rest of b."""
        return self.add(self.times(share, a), self.times(self._rest(share), b))

    def kept(self, p: float, name: str, old: str, new: str) -> str:
        """Zoneout in evaluation."""
        return self.mixed(self.fixed(f"share_{name}", p), old, new) if p else new

    def _rest(self, share: str) -> str:
        return self.drawing.add("Sub", self.fixed("one", 1), share)

    def _product(self, x: str, name: str, weight: Array, bias: Array | None = None) -> str:
        y = self.drawing.add("MatMul", x, self.fixed(name, weight.T))
        return y if bias is None else self.add(y, self.fixed(f"{name}_bias", bias))

    def _clipped(self, a: str, bound: float | None, name: str = "clip") -> str:
        if bound is None:
            return a
        return self.drawing.add("Clip", a, self.fixed(f"{name}_low", -bound), self.fixed(f"{name}_high", bound))

    def _normal(self, a: str, name: str, gain: Array, bias: Array | None = None) -> str:
        more = [] if bias is None else [self.fixed(f"{name}_bias", bias)]
        eps = float(self.options.layer_norm_eps)
        return self.drawing.add("LayerNormalization", a, self.fixed(name, gain), *more, axis=-1, epsilon=eps)

    def _split(self, a: str, parts: int) -> list[str]:
        return self.drawing.add_many("Split", [a], parts, axis=-1)

    def _activation(self, phi: Any) -> Callable[[str], str]:
        add = self.drawing.add
        if not isinstance(phi, Activation):
            raise ConfigError(f"ONNX has no activation like the callable {phi!r}; its names: {', '.join(SPELLED)}")
        if phi.name in ("affine", "scaled_tanh"):
            alpha, beta = (self.fixed(f"number_{each}", each) for each in phi.numbers)
            if phi.name == "affine":
                return lambda a: self.add(self.times(alpha, a), beta)
            return lambda a: self.times(alpha, add("Tanh", self.times(beta, a)))
        said: dict[str, Any] = {"alpha": phi.alpha, "beta": phi.beta}
        said = {name: value for name, value in said.items() if value is not None}
        return lambda a: add(SPELLED[phi.name], a, **said)

    def _rnn(self, x: str, state: Sequence[str]) -> list[str]:
        w = self.w
        a = self.add(self._product(x, "W", w.w_ih, w.b_ih), self._product(state[0], "U", w.w_hh, w.b_hh))
        return [self.phi[0](self._clipped(a, self.options.clip))]

    def _gru_after(self, x: str, state: Sequence[str]) -> list[str]:
        w, clip = self.w, self.options.clip
        x_r, x_z, x_n = self._split(self._product(x, "W", w.w_ih, w.b_ih), 3)
        h_r, h_z, h_n = self._split(self._product(state[0], "U", w.w_hh, w.b_hh), 3)
        r, z = (self.phi[0](self._clipped(self.add(a, b), clip)) for a, b in ((x_r, h_r), (x_z, h_z)))
        n = self.phi[1](self._clipped(self.add(x_n, self.times(r, h_n)), clip))
        return [self.mixed(z, state[0], n)]

    def _gru_before(self, x: str, state: Sequence[str]) -> list[str]:
        w, clip, at = self.w, self.options.clip, 2 * self.w.w_hh.shape[1]
        b_rz, b_n = (None, None) if w.b_hh is None else (w.b_hh[:at], w.b_hh[at:])
        x_r, x_z, x_n = self._split(self._product(x, "W", w.w_ih, w.b_ih), 3)
        h_r, h_z = self._split(self._product(state[0], "U_rz", w.w_hh[:at], b_rz), 2)
        r, z = (self.phi[0](self._clipped(self.add(a, b), clip)) for a, b in ((x_r, h_r), (x_z, h_z)))
        h_n = self._product(self.times(r, state[0]), "U_n", w.w_hh[at:], b_n)
        return [self.mixed(z, state[0], self.phi[1](self._clipped(self.add(x_n, h_n), clip)))]

    def _lstm(self, x: str, state: Sequence[str]) -> list[str]:
        w, options, (sigma, tanh, tanh_c) = self.w, self.options, self.phi
        h, c = state
        i, f, g, o = self._split(self._gates(x, h), 4)
        i, f = sigma(self._ready(0, i, c)), sigma(self._ready(1, f, c))
        if options.coupling == "input":
            f = self._rest(i)
        elif options.coupling == "forget":
            i = self._rest(f)
        g = tanh(self._ready(2, g, None))
        c = self._clipped(self.add(self.times(f, c), self.times(i, g)), options.cell_clip, "cell_clip")
        o = sigma(self._ready(3, o, c))
        shown = self._normal(c, "norm_c", w.n_c, w.m_c) if options.layer_norm in _OF_TWO_SUMS else c
        h = self.times(o, tanh_c(shown))
        if w.w_hr is not None:
            h = self._clipped(self._product(h, "W_hr", w.w_hr), options.projection_clip, "projection_clip")
        return [h, shown if options.layer_norm == "fastrnns" else c]

    def _gates(self, x: str, h: str) -> str:
        w, norm = self.w, self.options.layer_norm
        if norm not in _OF_TWO_SUMS:
            biases = (w.b_ih, w.b_hh) if norm is None else (None, None)
            return self.add(self._product(x, "W", w.w_ih, biases[0]), self._product(h, "U", w.w_hh, biases[1]))
        sums = (self._product(x, "W", w.w_ih), "norm_x", w.n_ih), (self._product(h, "U", w.w_hh), "norm_h", w.n_hh)
        bias = None if w.b_ih is None else self.fixed("b", w.b_ih + w.b_hh)
        return self.add(*(self._normal(a, name, gain) for a, name, gain in sums), bias)

    def _ready(self, k: int, a: str, c: str | None) -> str:
        """What goes into the activation of gate k (i f g o)."""
        w, gate = self.w, "ifgo"[k]
        if w.w_p is not None and c is not None:
            p = np.split(w.w_p, 3)[min(k, 2)]
            a = self.add(a, self.times(self.fixed(f"p_{gate}", p), c))
        if self.options.layer_norm == "tflite":
            bias = None if w.b_ih is None else np.split(w.b_ih + w.b_hh, 4)[k]
            a = self._normal(a, f"norm_{gate}", np.split(w.n_ih, 4)[k], bias)
        return self._clipped(a, self.options.clip)
