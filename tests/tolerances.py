"""The one table of tolerances, and the one way to hold two results against each other."""

from typing import NamedTuple

import torch


class Tolerance(NamedTuple):
    """|actual - expected| <= absolute + relative * |expected|, element by element."""

    relative: float
    absolute: float


SAME_FUNCTION_F64 = Tolerance(1e-12, 1e-12)
"""Two ways of computing one recurrence in float64: outputs, states, gradients."""

HIGHER_DERIVATIVE_F64 = Tolerance(1e-9, 1e-10)
"""Second and third derivatives in float64."""

OUTPUT_F32 = Tolerance(2e-6, 2e-6)
"""Outputs and states in float32 against float64."""

GRADIENT_F32 = Tolerance(2e-5, 2e-5)
"""Gradients in float32 against float64, against the norm of the whole."""

EXACT = Tolerance(0.0, 0.0)
"""The same operations in the same order."""


def assert_agrees(actual: object, expected: object, tolerance: Tolerance, what: str = "") -> None:
    """Hold tensors, or nested tuples of them, against each other; shapes and types must agree too."""
    if isinstance(expected, torch.Tensor):
        assert isinstance(actual, torch.Tensor), what
        torch.testing.assert_close(
            actual,
            expected,
            rtol=tolerance.relative,
            atol=tolerance.absolute,
            msg=lambda text: f"{what}: {text}",
        )
        return
    assert isinstance(expected, list | tuple), what
    assert isinstance(actual, list | tuple), what
    assert len(actual) == len(expected), what
    for k, (a, b) in enumerate(zip(actual, expected, strict=True)):
        assert_agrees(a, b, tolerance, f"{what}[{k}]")


def relative_error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """norm(actual - expected) / norm(expected), in float64."""
    difference = actual.detach().double() - expected.detach().double()
    return float(difference.norm() / expected.detach().double().norm())
