"""Attention for encoders and decoders: additive (Bahdanau) and multiplicative (Luong), with masks."""

import math

import torch
from torch import Tensor
from torch.nn import Linear, Module

from recurra.errors import ConfigError, ShapeError
from recurra.nn._attending import ProjectedKeys, check_inputs, check_widths, hide, masked_softmax, read_mask
from recurra.nn._reading import Lengths
from recurra.shapes import Float

SCORES = ("general", "dot")


class Attention(Module):
    """A query looks at all keys and takes the mean of their values, weighted by how well each key fits.

    w = softmax over the keys k of score(q, k);  context = sum of w * v

    AdditiveAttention and MultiplicativeAttention say what the score is.

    Attributes:
        query_size: Q, width of a query: a decoder's output.
        key_size: K, width of a key: an encoder's output (D*P of a bidirectional one).
    """

    query_size: int
    key_size: int

    def project(
        self,
        keys: Tensor,
        values: Tensor | None = None,
        *,
        lengths: Lengths | None = None,
        mask: Tensor | None = None,
    ) -> ProjectedKeys:
        """Do once what depends on the keys alone, for a decoder that goes step by step.

        Args:
            keys: [B, Tk, K], an encoder's outputs, batch first.
            values: [B, Tk, V], what is averaged; the keys themselves if not given.
            lengths: [B], valid keys of each row, in any order, 0 allowed; None if all are valid.
            mask: [B, Tk], or [B, Tq, Tk] for each query by itself, True where a key may be seen.

        Returns:
            What a call takes in the place of the keys, with the same result.

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit each other.
        """
        values = keys if values is None else values
        name, like = type(self).__name__, self._like(keys)
        check_inputs(name, like, {"keys": (keys, self.key_size, (3,)), "values": (values, None, (3,))})
        if keys.shape[:2] != values.shape[:2]:
            raise ShapeError(
                f"{name}: expected one value for each key, got keys {list(keys.shape)} and values {list(values.shape)}"
            )
        seen = read_mask(keys, lengths, mask)
        hidden = hide(keys, seen)
        return ProjectedKeys(self._project(hidden), hidden if values is keys else hide(values, seen), seen)

    def forward(
        self,
        query: Tensor,
        keys: Tensor | ProjectedKeys,
        values: Tensor | None = None,
        *,
        lengths: Lengths | None = None,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Look at the keys.

        Args:
            query: [B, Q], or [B, Tq, Q] for the whole sequence of a decoder in one call.
            keys: [B, Tk, K], batch first, or what `project` returned, which holds values and mask already.
            values: as in `project`.
            lengths: as in `project`.
            mask: as in `project`.

        Returns:
            The context [B, V] or [B, Tq, V], and the weights [B, Tk] or [B, Tq, Tk], which add up to 1 over the keys.
            A query that may see no key has zeros for both. A key that no query may see reaches nothing, neither
            values nor gradients, whatever it holds, NaN too.

        Raises:
            ShapeError, DtypeError, DeviceError: if the tensors do not fit each other.
            ConfigError: if values, lengths or a mask come beside keys that are projected already.
        """
        if not isinstance(keys, ProjectedKeys):
            keys = self.project(keys, values, lengths=lengths, mask=mask)
        elif any(given is not None for given in (values, lengths, mask)):
            raise ConfigError("projected keys hold their values and mask; hand values, lengths and mask to project()")
        name = type(self).__name__
        check_inputs(name, self._like(keys.keys), {"query": (query, self.query_size, (2, 3))})
        if query.shape[0] != keys.keys.shape[0]:
            raise ShapeError(f"{name}: {query.shape[0]} rows of queries beside {keys.keys.shape[0]} rows of keys")
        queries = query[:, None] if query.dim() == 2 else query
        if keys.mask is not None and keys.mask.shape[1] != 1 and keys.mask.shape[1] != queries.shape[1]:
            raise ShapeError(f"{name}: a mask for {keys.mask.shape[1]} queries a row, got {queries.shape[1]}")
        weights = masked_softmax(self._score(queries, keys.keys), keys.mask)
        context = weights @ keys.values
        return (context[:, 0], weights[:, 0]) if query.dim() == 2 else (context, weights)

    def _like(self, keys: Tensor) -> Tensor:
        """The tensor whose type and device the inputs must have."""
        raise NotImplementedError

    def _project(self, keys: Float[Tensor, "batch keys key"]) -> Float[Tensor, "batch keys attention"]:
        raise NotImplementedError

    def _score(
        self, query: Float[Tensor, "batch queries query"], projected: Float[Tensor, "batch keys attention"]
    ) -> Float[Tensor, "batch queries keys"]:
        raise NotImplementedError


class AdditiveAttention(Attention):
    """Additive attention: a layer of neurons looks at query and key together.

    score(q, k) = v^T tanh(W q + U k),  and with a bias v^T tanh(W q + U k + b)

    W = `W.weight` [A, Q], U = `U.weight` [A, K], v = `v.weight` [1, A], b = `W.bias` [A]. Luong's "concat" is the same
    function with W and U side by side. A call with Tq queries holds B x Tq x Tk x A numbers.

    Args:
        query_size: Q, width of a query.
        key_size: K, width of a key.
        attention_size: A, neurons of the layer.
        bias: whether there is b; the paper has none.
        device, dtype: of the parameters.

    Raises:
        ConfigError: (a ValueError) if a size is not above zero.
        DtypeError: (a TypeError) if a size is not an int.

    Source: Bahdanau, Cho & Bengio 2015, section 3.1 and appendix A.1.2.

    >>> attention = AdditiveAttention(5, 6, 8)
    >>> context, weights = attention(torch.zeros(2, 5), torch.zeros(2, 4, 6), lengths=[4, 1])
    >>> context.shape, weights.tolist()
    (torch.Size([2, 6]), [[0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]])
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        attention_size: int,
        *,
        bias: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_widths(query_size=query_size, key_size=key_size, attention_size=attention_size)
        self.query_size = query_size
        self.key_size = key_size
        self.attention_size = attention_size
        self.W = Linear(query_size, attention_size, bias, device, dtype)
        self.U = Linear(key_size, attention_size, False, device, dtype)
        self.v = Linear(attention_size, 1, False, device, dtype)

    def _like(self, keys: Tensor) -> Tensor:  # noqa: ARG002
        return self.v.weight

    def _project(self, keys: Float[Tensor, "batch keys key"]) -> Float[Tensor, "batch keys attention"]:
        projected: Tensor = self.U(keys)
        return projected

    def _score(
        self, query: Float[Tensor, "batch queries query"], projected: Float[Tensor, "batch keys attention"]
    ) -> Float[Tensor, "batch queries keys"]:
        W, v = self.W, self.v
        scores: Tensor = v(torch.tanh(W(query)[:, :, None] + projected[:, None]))
        return scores.squeeze(-1)


class MultiplicativeAttention(Attention):
    """Multiplicative attention: the product of query and key, with a matrix between them or without.

    "general": score(q, k) = q^T W k;  "dot": score(q, k) = q^T k;  scaled: divided by sqrt(Q)

    W = `W.weight` [Q, K]; "dot" has no parameters and asks for K = Q.

    Args:
        query_size: Q, width of a query.
        key_size: K, width of a key; Q if not given.
        score: "general" or "dot".
        scaled: whether the score is divided by sqrt(Q), so that it does not grow with the width.
        device, dtype: of the parameters.

    Raises:
        ConfigError: (a ValueError) if a size is not above zero, the score unknown, or K is not Q for "dot".
        DtypeError: (a TypeError) if a size is not an int.

    Source: Luong, Pham & Manning 2015, section 3.1; the scale is that of Vaswani et al. 2017, equation 1.

    >>> attention = MultiplicativeAttention(2, score="dot")
    >>> keys = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    >>> attention(torch.tensor([[9.0, 0.0]]), keys)[0].round(decimals=3)
    tensor([[1., 0.]])
    """

    def __init__(
        self,
        query_size: int,
        key_size: int | None = None,
        *,
        score: str = "general",
        scaled: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        key_size = query_size if key_size is None else key_size
        check_widths(query_size=query_size, key_size=key_size)
        if score not in SCORES:
            raise ConfigError(f"score should be 'general' or 'dot', got: {score!r}")
        if score == "dot" and key_size != query_size:
            raise ConfigError(f"score='dot' needs queries and keys of one width, got {query_size} and {key_size}")
        self.query_size = query_size
        self.key_size = key_size
        self.score = score
        self.scaled = scaled
        self.W = Linear(key_size, query_size, False, device, dtype) if score == "general" else None

    def _like(self, keys: Tensor) -> Tensor:
        return keys if self.W is None else self.W.weight

    def _project(self, keys: Float[Tensor, "batch keys key"]) -> Float[Tensor, "batch keys attention"]:
        projected: Tensor = keys if self.W is None else self.W(keys)
        return projected

    def _score(
        self, query: Float[Tensor, "batch queries query"], projected: Float[Tensor, "batch keys attention"]
    ) -> Float[Tensor, "batch queries keys"]:
        product = query @ projected.mT
        return product / math.sqrt(self.query_size) if self.scaled else product

    def extra_repr(self) -> str:
        """What no submodule shows."""
        shown = [] if self.W is not None else [f"{self.query_size}, score='dot'"]
        return ", ".join(shown + (["scaled=True"] if self.scaled else []))
