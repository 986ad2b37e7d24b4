"""The head of a direct network and its quantiles, on arrays: the same numbers as the modules, in fewer steps."""

import numpy as np
import numpy.typing as npt

from recurra.models.forecast import DirectHead
from recurra.models.forecast.heads import MINIMUM_SPREAD

Array = npt.NDArray[np.float64]


class ArrayHead:
    """`DirectHead.forward` and `ordered_quantiles`, on arrays.

    Args:
        head: in float64; its weights are read once.
        middle: position of the middle level.
    """

    def __init__(self, head: DirectHead, middle: int) -> None:
        self._middle, self._shape = middle, (head.horizon, head.n_parameters)
        parts = {name: weight.detach().numpy() for name, weight in head.state_dict().items()}
        self._state, self._bias = parts["state.weight"].T, parts["state.bias"]
        self._future: Array | None = None
        if "mix.weight" in parts:
            self._embedding, self._offset = parts["embedding.weight"].T, parts["embedding.bias"]
            self._future, self._mix = np.ascontiguousarray(parts["future.weight"].T), parts["mix.weight"].T

    def quantiles(self, h: Array, known: Array) -> Array:
        """Quantiles of each step ahead, in units of the rule's error, [n, horizon, level].

        Args:
            h: states of the network, [n, hidden].
            known: what is known of the steps ahead, [n, horizon, K]; not read where the head has no use for it.
        """
        raw: Array = (h @ self._state + self._bias).reshape(-1, *self._shape)
        if self._future is not None:
            own = (h @ self._embedding + self._offset).reshape(len(h), self._shape[0], -1)
            raw = raw + np.tanh(own + known @ self._future) @ self._mix
        return _ordered(raw, self._middle)


def _ordered(raw: Array, m: int) -> Array:
    """`ordered_quantiles` of the numbers [..., level]."""
    if raw.shape[-1] == 1:
        return raw
    result: Array = np.logaddexp(raw, 0.0)
    result += MINIMUM_SPREAD
    np.negative(result[..., :m], out=result[..., :m])
    result[..., m] = raw[..., m]
    np.cumsum(result[..., m:], axis=-1, out=result[..., m:])
    result[..., m::-1] = np.cumsum(result[..., m::-1], axis=-1)
    return result
