"""Weights to and from other frameworks: Keras' arrays.

    layer = recurra.nn.exchange.from_keras("GRU", keras_layer.get_weights())
    keras_layer.set_weights(recurra.nn.exchange.to_keras(layer)[0])

With torch.nn nothing is needed: parameter names and shapes are the same, so `load_state_dict` does it.
"""

from recurra.nn.exchange.keras import from_keras, to_keras

__all__ = ["from_keras", "to_keras"]
