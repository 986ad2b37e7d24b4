"""One layer with options, its weights, input, state and masks: run by the native kernels and by the equations."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from recurra.kernels import Activation, Masks, Options, Stack, Weights, gru, lstm, rnn
from tests.tolerances import relative_error

KINDS: dict[str, ModuleType] = {"rnn": rnn, "lstm": lstm, "gru": gru, "reset before": gru}
GATES = {"rnn": 1, "lstm": 4, "gru": 3, "reset before": 3}
FORWARD = {torch.float32: 2e-6, torch.float64: 1e-12}
GRADIENT = {torch.float32: 2e-5, torch.float64: 1e-12}

Size = tuple[int, int, int, int]
"""B, T, I, H."""


def phis(kind: str, gate: Activation, candidate: Activation, output: Activation) -> tuple[Activation, ...]:
    """Activations in the order that a kind of layer takes them."""
    return {"rnn": (candidate,), "lstm": (gate, candidate, output)}.get(kind, (gate, candidate))


class Case:
    """Weights, input, state and masks of one layer or several, in float64.

    masks: letters d for recurrent dropout, z for zoneout while training, e for zoneout in evaluation.
    """

    def __init__(
        self,
        kind: str,
        options: dict[str, Any],
        size: Size,
        *,
        directions: int = 1,
        layers: int = 1,
        P: int = 0,
        peephole: bool = False,
        bias: bool = True,
        masks: str = "",
        ragged: bool = False,
        seed: int = 1,
    ) -> None:
        self.kind, self.size, self.P, self.layers, self.directions = kind, size, P, layers, directions
        self.options = Options(**options, **({"reset_after": False} if kind == "reset before" else {}))
        self.generator = torch.Generator().manual_seed(seed)
        B, T, inputs, H = size
        states, width = layers * directions, P or H
        self.flat = [
            part
            for k in range(states)
            for part in self._weights(inputs if k < directions else directions * width, peephole, bias)
        ]
        self.x = self._draw(T, B, inputs)
        self.state = [self._draw(states, B, width), self._draw(states, B, H)][: 2 if kind == "lstm" else 1]
        self.lengths = torch.arange(B) * 2 % (T + 1) if ragged else None
        self.masks = self._masks(masks)

    def _draw(self, *shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=self.generator)

    def _weights(self, inputs: int, peephole: bool, bias: bool) -> list[Tensor | None]:
        G, H, P, draw = GATES[self.kind], self.size[3], self.P, self._draw
        scale, form = max(1, H) ** -0.5, self.options.layer_norm
        apart = form in ("ba", "fastrnns")
        return [
            draw(G * H, inputs) * scale,
            draw(G * H, P or H) * scale,
            draw(G * H) * 0.3 if bias else None,
            draw(G * H) * 0.3 if bias else None,
            draw(P, H) * scale if P else None,
            draw(3 * H) * 0.5 if peephole else None,
            1 + 0.3 * draw(4 * H) if form else None,
            1 + 0.3 * draw(4 * H) if apart else None,
            1 + 0.3 * draw(H) if apart else None,
            draw(H) * 0.3 if apart else None,
        ]

    def _masks(self, wanted: str) -> Masks | None:
        B, T, _, H = self.size
        states, P, draw, has_cell = self.layers * self.directions, self.P or H, self._draw, self.kind == "lstm"
        masks = Masks()
        if "d" in wanted:
            masks = masks._replace(h_in=(draw(states, B, P) > 0).double() * 2)
        if "z" in wanted:
            keep_c = (draw(states, T, B, H) > 0.5).double() if has_cell else None
            masks = masks._replace(keep_h=(draw(states, T, B, P) > 0.5).double(), keep_c=keep_c)
        if "e" in wanted:
            masks = masks._replace(keep_h=0.15, keep_c=0.25 if has_cell else None)
        return masks if wanted else None

    def leaves(self, dtype: torch.dtype = torch.float64) -> list[Tensor | None]:
        """x, the state and the weights of every layer and direction, as leaves that ask for gradients."""
        parts = (self.x, *self.state, *self.flat)
        return [None if p is None else p.to(dtype).detach().requires_grad_() for p in parts]

    def run(
        self,
        backend: str,
        parts: Sequence[Tensor | None],
        x: Tensor | None = None,
        batch_sizes: Tensor | None = None,
        **stack: Any,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Outputs and last states; another x where the layout is another one: batch_first or batch_sizes."""
        first = parts[0] if x is None else x
        assert first is not None
        states, masks = len(self.state), self.masks
        if masks is not None:
            masks = Masks(*(m.to(first.dtype) if isinstance(m, Tensor) else m for m in masks))
        flat = parts[1 + states :]
        weights = [Weights(*flat[k : k + 10]) for k in range(0, len(flat), 10)]  # type: ignore[arg-type]
        layout = {"num_layers": self.layers, "bidirectional": self.directions == 2, "masks": masks, **stack}
        return KINDS[
            self.kind
        ].sequence(  # type: ignore[no-any-return]
            first,
            tuple(parts[1 : 1 + states]),
            weights,
            stack=Stack(**layout),
            lengths=self.lengths if batch_sizes is None else None,
            batch_sizes=batch_sizes,
            options=self.options,
            backend=backend,
        )


def gradients(result: tuple[Tensor, tuple[Tensor, ...]], parts: Sequence[Tensor | None]) -> list[Tensor]:
    """Of a function of outputs and states, for every part that is there; zeros where none arrives."""
    y, last = result
    loss = y.square().sum() + sum(((k + 2) * part).sin().sum() for k, part in enumerate(last))
    wanted = [part for part in parts if part is not None]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for g, p in zip(found, wanted, strict=True)]


def error(a: Tensor, b: Tensor) -> float:
    """By the norm of the whole or by the worst number, whichever is less; where the truth is zero, the sum."""
    assert a.shape == b.shape
    assert bool(a.isfinite().all())
    a, b = a.detach(), b.detach()
    return min(relative_error(a, b), float((a - b).abs().max())) if bool(b.any()) else float(a.abs().sum())


def results(case: Case, backend: str, dtype: torch.dtype, **stack: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs and last states, and all gradients."""
    parts = case.leaves(dtype)
    y, last = case.run(backend, parts, **stack)
    return [y, *last], gradients((y, last), parts)


def check(case: Case, dtypes: tuple[torch.dtype, ...] = (torch.float64, torch.float32), **stack: Any) -> None:
    """Values and every gradient of the native kernels against the equations in float64.

    Where a case makes much of rounding (a normalised state of few neurons), they may be as far from it as ten times the
    equations in their own type are.
    """
    want = results(case, "reference", torch.float64)
    for dtype in dtypes:
        found, theirs = results(case, "native", dtype, **stack), None
        for group, bounds in enumerate((FORWARD, GRADIENT)):
            for k, (a, b) in enumerate(zip(found[group], want[group], strict=True)):
                if error(a, b) < bounds[dtype]:
                    continue
                theirs = theirs or results(case, "reference", dtype)
                assert error(a, b) < 10 * error(theirs[group][k], b), f"{('value', 'gradient')[group]} {k} {dtype}"
        with torch.no_grad():
            y, last = case.run("native", case.leaves(dtype), **stack)
        if not stack.get("recompute"):
            assert all(torch.equal(a, b) for a, b in zip([y, *last], found[0], strict=True))
