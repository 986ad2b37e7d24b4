"""Random combinations of options, as the layers take them and as `options_by_hand` does; for hypothesis."""

from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st

import recurra.nn
from recurra.nn import Activation
from tests.nn.options_by_hand import Choice, Phi, sigmoid

IN, H, P = 3, 4, 2

ACTIVATIONS: list[tuple[Any, Phi]] = [
    ("tanh", np.tanh),
    ("Sigmoid", sigmoid),
    (Activation("HardSigmoid", alpha=0.3, beta=0.4), lambda a: np.clip(0.3 * a + 0.4, 0, 1)),
    (Activation("scaled_tanh", alpha=0.7, beta=0.6), lambda a: 0.7 * np.tanh(0.6 * a)),
    (Activation("leaky_relu", alpha=0.2), lambda a: np.where(a >= 0, a, 0.2 * a)),
    (Activation("thresholded_relu", alpha=0.1), lambda a: np.where(a > 0.1, a, 0.0)),
    (Activation("affine", alpha=0.5, beta=0.1), lambda a: 0.5 * a + 0.1),
    (Activation("elu", alpha=0.7), lambda a: np.where(a >= 0, a, 0.7 * (np.exp(np.minimum(a, 0)) - 1))),
    ("softsign", lambda a: a / (1 + np.abs(a))),
    ("softplus", lambda a: np.log1p(np.exp(a))),
    (torch.sin, np.sin),
]


class Drawn(NamedTuple):
    """A layer's class, its keywords, and the same by hand."""

    kind: str
    options: dict[str, Any]
    choice: Choice

    def layer(self, **more: Any) -> Any:
        """The layer in float64, every parameter at random, in evaluation."""
        torch.manual_seed(0)
        layer = getattr(recurra.nn, self.kind)(IN, H, dtype=torch.float64, **self.options, **more)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.normal_(0, 0.7)
        return layer.eval()


BOUNDED = [ACTIVATIONS[k] for k in (0, 1, 2, 3, 8, 10)]
"""Those that a gate may have: with another one a state can grow beyond all numbers."""

NAMES = {
    "RNN": {"nonlinearity": "candidate"},
    "GRU": {"gate_activation": "gate", "candidate_activation": "candidate"},
    "LSTM": {"gate_activation": "gate", "cell_activation": "candidate", "output_activation": "output"},
}

bounds = st.none() | st.sampled_from([0.3, 0.8, 2.0])


def _lstm(draw: Any) -> dict[str, Any]:
    options = {
        "layer_norm": draw(st.sampled_from([None, "ba", "fastrnns", "tflite"])),
        "cell_clip": draw(bounds),
        "proj_size": draw(st.sampled_from([0, P])),
    }
    if options["layer_norm"] not in ("ba", "fastrnns"):
        options |= {
            "peephole": draw(st.booleans()),
            "coupling": draw(st.sampled_from([None, "input", "forget"])),
        }
    if options["proj_size"]:
        options["projection_clip"] = draw(bounds)
    if options["layer_norm"] is not None:
        options["layer_norm_eps"] = draw(st.sampled_from([1e-5, 1e-2]))
    return options


@st.composite
def drawn_options(draw: Any, kinds: tuple[str, ...] = ("RNN", "GRU", "LSTM")) -> Drawn:
    """Anything that a layer computes and a call does not change: no masks, no learned state, no direction."""
    kind = draw(st.sampled_from(kinds))
    options: dict[str, Any] = {"clip": draw(bounds)}
    functions: dict[str, Any] = {}
    for keyword, field in NAMES[kind].items():
        if draw(st.booleans()):
            options[keyword], functions[field] = draw(st.sampled_from(BOUNDED if field == "gate" else ACTIVATIONS))
    if kind == "GRU":
        options["reset_after"] = draw(st.booleans())
    if kind == "LSTM":
        options |= _lstm(draw)
    known = {field.name for field in fields(Choice)}
    return Drawn(kind, options, Choice(**functions, **{name: v for name, v in options.items() if name in known}))
