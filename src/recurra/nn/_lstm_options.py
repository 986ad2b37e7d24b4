"""Reads and refuses the options that an LSTM alone has, and says what parameters they bring."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from recurra.errors import ConfigError
from recurra.kernels import COUPLINGS, LAYER_NORMS
from recurra.nn._options import LayerOptions, bound

LSTM_DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "gate_activation": "sigmoid",
        "cell_activation": "tanh",
        "output_activation": "tanh",
        "peephole": False,
        "coupling": None,
        "cell_clip": None,
        "projection_clip": None,
        "layer_norm": None,
        "layer_norm_eps": 1e-5,
    }
)
"""The options that an LSTM has besides those of all layers, and what they are if not given."""


def lstm_options(given: Mapping[str, Any], proj_size: int = 0, forget_bias: float | None = None) -> dict[str, Any]:
    """The fields of `recurra.kernels.Options` that an LSTM alone has, or a refusal.

    Args:
        given: keyword -> what was given, of those in `LSTM_DEFAULTS`.
        proj_size: P, or 0 without a projection.
        forget_bias: as in the constructor.

    Raises:
        ConfigError: if a number is out of range, a name unknown, or a combination has no meaning; it is named.
    """
    coupling, layer_norm = given["coupling"], given["layer_norm"]
    for name, known in (("coupling", COUPLINGS), ("layer_norm", LAYER_NORMS)):
        if given[name] not in known:
            raise ConfigError(f"{name} should be one of {', '.join(map(repr, known))}, got: {given[name]!r}")
    bounds = {name: bound(name, given[name]) for name in ("cell_clip", "projection_clip", "layer_norm_eps")}
    if layer_norm in ("ba", "fastrnns"):
        if given["peephole"]:
            raise ConfigError(f"peephole=True does not go with layer_norm={layer_norm!r}; it goes with 'tflite'")
        if coupling is not None:
            raise ConfigError(
                f"coupling={coupling!r} does not go with layer_norm={layer_norm!r}, which normalises all four gates as "
                "one; it goes with 'tflite'"
            )
    if bounds["projection_clip"] is not None and not proj_size:
        raise ConfigError("projection_clip needs a projection: give proj_size")
    if coupling == "input" and forget_bias is not None:
        raise ConfigError("forget_bias does not go with coupling='input', where f = 1 - i has no bias of its own")
    if bounds["layer_norm_eps"] is None:
        raise ConfigError("layer_norm_eps should be a finite number above zero, got: None")
    if layer_norm is None and bounds["layer_norm_eps"] != LSTM_DEFAULTS["layer_norm_eps"]:
        raise ConfigError("layer_norm_eps needs layer_norm: 'ba', 'fastrnns' or 'tflite'")
    return {"coupling": coupling, "layer_norm": layer_norm, **bounds}


def lstm_shapes(hidden_size: int, options: LayerOptions) -> dict[str, tuple[int, ...] | None]:
    """The parameters that options bring -> their shapes, None if not used, in the order of the fields of Weights."""
    H, norm = hidden_size, options.kernel.layer_norm
    of_two_sums = norm in ("ba", "fastrnns")
    return {
        "weight_peephole": (3 * H,) if options.peephole else None,
        "weight_norm_ih": (4 * H,) if norm else None,
        "weight_norm_hh": (4 * H,) if of_two_sums else None,
        "weight_norm_c": (H,) if of_two_sums else None,
        "bias_norm_c": (H,) if of_two_sums else None,
    }
