"""One observation through the stepper, NumPy and tensors, beside torch.nn's cell; one thread."""

import copy
from typing import Any

import numpy as np
import torch

import recurra.nn
from benchmarks._layers_cases import Options
from benchmarks._layers_check import compare
from benchmarks._layers_timing import in_turn
from benchmarks._record import Record

INPUTS, HIDDEN = 16, 64
AT_ONCE = 100
BARS = {"numpy_us": 4.0, "tensor_us": 8.0}
RATIO_BAR = 4.0


def step(record: Record, options: Options) -> None:
    """The three cells."""
    for kind in options.kinds:
        figures = record.run(
            f"step/{kind}", lambda k=kind: stepped(k, options.budget_s), again=options.again, kind=kind, mode="step"
        )
        print(
            f"step/{kind}: NumPy {figures['numpy_us']:.2f} us, tensors {figures['tensor_us']:.2f} us, "
            f"torch.nn.{kind}Cell {figures['torch_us']:.1f} us, ratio {figures['ratio']:.1f}",
            flush=True,
        )


def stepped(kind: str, budget_s: float) -> dict[str, Any]:
    """Check, then time a hundred steps at once, many times over.

    Raises:
        WrongKernelError: if the stepper does not compute what torch.nn's cell computes.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cell = getattr(torch.nn, f"{kind}Cell")(INPUTS, HIDDEN).eval()
    layer = getattr(recurra.nn, kind)(INPUTS, HIDDEN).eval()
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})
    errors = check_steps(kind, cell, layer)
    arrays, tensors = recurra.nn.Stepper(layer), recurra.nn.Stepper(layer)
    x = torch.randn(1, INPUTS)
    array = np.ascontiguousarray(x[0].numpy())
    with torch.inference_mode():
        state = cell(x)

        def theirs() -> None:
            for _ in range(AT_ONCE):
                cell(x, state)

        def numpy_steps() -> None:
            for _ in range(AT_ONCE):
                arrays.step(array)

        def tensor_steps() -> None:
            for _ in range(AT_ONCE):
                tensors.step(x)

        times = in_turn(theirs, numpy_steps, tensor_steps, budget_s=budget_s)
    torch_us, numpy_us, tensor_us = (round(ms * 1e3 / AT_ONCE, 3) for ms in times)
    figures = {"torch_us": torch_us, "numpy_us": numpy_us, "tensor_us": tensor_us}
    met = all(figures[name] <= bar for name, bar in BARS.items()) and torch_us / numpy_us >= RATIO_BAR
    return {
        **figures,
        **errors,
        "ratio": round(torch_us / numpy_us, 2),
        "tensor_ratio": round(torch_us / tensor_us, 2),
        "met": met,
    }


def check_steps(kind: str, cell: torch.nn.RNNCellBase, layer: torch.nn.Module) -> dict[str, float]:
    """Hold twenty steps of a stepper, by arrays and by tensors, against torch.nn's cell in float64.

    Raises:
        WrongKernelError: if they differ.
    """
    exact, state = copy.deepcopy(cell).double(), None
    arrays, tensors = recurra.nn.Stepper(layer), recurra.nn.Stepper(layer)
    truth, by_array, by_tensor = [], [], []
    for x in torch.randn(20, INPUTS):
        with torch.no_grad():
            state = exact(x.double()[None], state)
        truth.append(state[0][0] if kind == "LSTM" else state[0])
        by_array.append(torch.from_numpy(arrays.step(x.numpy())))
        by_tensor.append(tensors.step(x))
    right = {"outputs of arrays": torch.stack(truth), "outputs of tensors": torch.stack(truth)}
    found = {"outputs of arrays": torch.stack(by_array), "outputs of tensors": torch.stack(by_tensor)}
    return compare(f"step {kind}", found, right)
