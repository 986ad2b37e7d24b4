"""Weights to and from other frameworks: Keras' arrays, ONNX's operators.

    layer = recurra.nn.exchange.from_keras("GRU", keras_layer.get_weights())
    keras_layer.set_weights(recurra.nn.exchange.to_keras(layer)[0])
    recurra.nn.exchange.to_onnx(layer, "layer.onnx", lengths=True)
    layer = recurra.nn.exchange.from_onnx("layer.onnx")

With torch.nn nothing is needed: parameter names and shapes are the same, so `load_state_dict` does it.
"""

from recurra.nn.exchange.keras import from_keras, to_keras
from recurra.nn.exchange.onnx import from_onnx, to_onnx

__all__ = ["from_keras", "from_onnx", "to_keras", "to_onnx"]
