"""W_x, W_y, b and W of equation 15-2, the lecture's quantities, read from PyTorch's parameters."""

import torch

from recurra.kernels import Weights
from recurra.shapes import Float, Tensor


class EquationWeights:
    """W_x, W_y, b and W of `Y(t) = phi(X(t) W_x + Y(t-1) W_y + b) = phi([X(t) Y(t-1)] W + b)`.

    They are views or sums of the parameters, so gradients reach these.

    Source: Géron, Hands-On Machine Learning, equation 15-2.
    """

    def _first_weights(self) -> Weights:
        raise NotImplementedError

    @property
    def W_x(self) -> Float[Tensor, "input hidden"]:  # noqa: N802  the equation's symbol
        """Weights of the input, n_inputs x n_neurons (layer 0, forward)."""
        return self._first_weights().w_ih.t()

    @property
    def W_y(self) -> Float[Tensor, "hidden hidden"]:  # noqa: N802  the equation's symbol
        """Weights of the output of the step before, n_neurons x n_neurons (layer 0, forward)."""
        return self._first_weights().w_hh.t()

    @property
    def b(self) -> Float[Tensor, " hidden"]:
        """The bias of each neuron: the sum of PyTorch's two; zeros for a layer without biases."""
        w = self._first_weights()
        if w.b_ih is None or w.b_hh is None:
            return w.w_ih.new_zeros(w.w_ih.shape[0])
        return w.b_ih + w.b_hh

    @property
    def W(self) -> Float[Tensor, "input_and_hidden hidden"]:  # noqa: N802  the equation's symbol
        """W_x stacked over W_y, (n_inputs + n_neurons) x n_neurons."""
        return torch.cat([self.W_x, self.W_y])
