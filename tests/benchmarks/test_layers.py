"""The layer benchmark refuses to time a wrong kernel, counts what it says it counts, and shows what it recorded."""

import json
import subprocess
import sys

import pytest
import torch

from benchmarks._layers_cases import Shape, layers, operations
from benchmarks._layers_check import WrongKernelError, check, compare, results
from benchmarks._layers_grid import HIDDEN, ratios, shapes_of
from benchmarks._layers_peers import PYTHON, Scan
from benchmarks._layers_report import report
from benchmarks._layers_timing import in_turn

KINDS = ("LSTM", "GRU", "RNN")
SMALL = Shape(3, 5, 4, 7)
LENGTHS = torch.tensor([5, 1, 3])


@pytest.mark.parametrize("mode", ["train", "infer"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_right_kernel_passes_its_check(kind: str, mode: str) -> None:
    both = layers(kind, SMALL)
    for lengths in (None, LENGTHS):
        errors = check("case", both.torch, both.ours, both.x, mode, lengths)
        # expected: the bounds of the check
        assert errors["error"] <= 2e-6
        assert errors.get("gradient_error", 0.0) <= 2e-5


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_kernel_is_refused_by_name(kind: str) -> None:
    # one weight that differs by a hundredth stands for a kernel that computes something else
    both = layers(kind, SMALL)
    with torch.no_grad():
        both.ours.weight_hh_l0[0, 0] *= 1.01
    with pytest.raises(WrongKernelError, match=r"the case: output is off by"):
        check("the case", both.torch, both.ours, both.x, "infer")


def test_a_wrong_gradient_is_refused_by_name() -> None:
    right = {"output": torch.ones(3), "gradient of w": torch.ones(3)}
    with pytest.raises(WrongKernelError, match=r"the case: gradient of w is off by 1\.0e-04, allowed is 2e-05"):
        compare("the case", {**right, "gradient of w": torch.full((3,), 1.0001, dtype=torch.float64)}, right)
    with pytest.raises(WrongKernelError, match="the case: gradient of w is off by nan"):
        compare("the case", {**right, "gradient of w": torch.full((3,), torch.nan)}, right)
    with pytest.raises(WrongKernelError, match="the case: expected"):
        compare("the case", {"output": torch.ones(3)}, right)


def test_operations_are_those_of_the_products() -> None:
    # by hand: an LSTM has 4 gates; forward 2 * 4H * (I + H) a row and step, backward 2 * 4H * (H + I + H) more
    assert operations("infer", "LSTM", Shape(2, 3, 5, 7)) == 2 * 4 * 7 * 12 * 6
    assert operations("train", "LSTM", Shape(2, 3, 5, 7)) == 2 * 4 * 7 * (12 + 19) * 6
    assert operations("infer", "RNN", Shape(2, 3, 5, 7)) == 2 * 7 * 12 * 6


def test_the_grid_meets_every_value() -> None:
    # expected: the values that the claim names
    shapes = [shape for hidden in HIDDEN for shape in shapes_of(hidden)]
    assert {shape.hidden for shape in shapes} >= {8, 33, 50, 100, 200, 1024}
    assert {shape.batch for shape in shapes} >= {1, 256}
    assert {shape.steps for shape in shapes} == {1, 10, 100, 1000}
    assert {shape.inputs for shape in shapes if shape.hidden == 50} == {1, 16, 50}


def test_times_are_taken_in_turn() -> None:
    order: list[str] = []
    best = in_turn(lambda: order.append("a"), lambda: order.append("b"), budget_s=0.0, least=15)
    # two turns that do not count and fifteen that do
    assert order == ["a", "b"] * 17
    assert len(best) == 2
    assert min(best) >= 0.0


PAIR = {"torch_ms": 3.0, "ours_ms": 2.0, "ratio": 1.5, "backend": "native"}
RUNS = {
    "peak": {"gflops": {"1": 121.0, "2": 242.0}, "isa": "avx512"},
    "train/LSTM/1x100x16x64": {**PAIR, "bar": 2.0, "met": False, "gflops": 60.5, "share_of_peak": 0.25},
    "infer/GRU/64x100x128x256": {**PAIR, "bar": 1.5, "met": True, "gflops": 202.0, "share_of_peak": 0.835},
    "train/GRU/64x100x128x256": {**PAIR, "bar": 1.5, "met": True, "gflops": 194.0, "share_of_peak": 0.802},
    "ragged/RNN": {**PAIR, "bar": 1.0, "met": True, "backend": "torch"},
    "step/RNN": {
        "numpy_us": 2.5,
        "tensor_us": 5.0,
        "torch_us": 20.0,
        "ratio": 8.0,
        "tensor_ratio": 4.0,
        "met": True,
    },
    "memory/LSTM/32x2000x64x256": {
        "torch": {"first": 100.0, "steps": 110.0},
        "ours": {"first": 80.0, "steps": 90.0},
        "recompute": {"first": 20.0, "steps": 20.0},
        "ours_ms": 100.0,
        "recompute_ms": 130.0,
        "ratio": 0.8,
        "met": True,
    },
    "grid/train/RNN/8": {"shapes": {"1x10x1x8": "1.0 2.0", "1x1x16x8": "4 2"}, "skipped": ["256x1000x8x8"]},
    "jax/infer/RNN/1x100x16x64": {"jax_ms": 1.0, "torch_ms": 1.5, "ours_ms": 2.0, "ratio": 0.5},
}


@pytest.mark.parametrize(
    "row",
    [
        "measured (avx512): 121.0 GFLOP/s on 1 thread and 242.0 GFLOP/s on 2 threads.",
        "| LSTM | (1, 100, 16, 64) | 3.00 | 2.00 | 1.50 | 2 | short by 25 % | 60 | 25 % |",
        "| GRU | (64, 100, 128, 256) | 84 % | 80 % |",
        "| RNN | 3.00 | 2.00 | 1.50 | 1 | met (torch backend) |",
        "| RNN | 2.50 | 5.00 | 20.0 | 8.0 | 4.0 | met |",
        "| LSTM | (32, 2000, 64, 256) | 100.0 | 80.0 | 110.0 | 90.0 | 0.80 | met |",
        "| LSTM | (32, 2000, 64, 256) | 80.0 | 20.0 | 75 % | 100 | 130 | 1.30 |",
        "| train | RNN | 2 | 1 | 10 | 0.50 | 1 |",
        "| train | RNN | (1, 10, 1, 8) | 1.00 | 2.00 | 0.50 |",
        "Of 1 cases where torch.nn takes over 1 ms, ours is slower than JAX's scan in 1: infer RNN (1, 100, 16, 64).",
    ],
)
def test_the_report_shows_what_was_recorded(row: str) -> None:
    # expected: written out by hand from RUNS
    assert row in report(RUNS).splitlines() or row in report(RUNS)


def test_a_report_of_nothing_is_empty() -> None:
    assert report({}) == ""


def test_ratios_of_a_grid_run() -> None:
    assert ratios(RUNS["grid/train/RNN/8"]) == {"1x10x1x8": 0.5, "1x1x16x8": 2.0}


def test_a_process_of_its_own_tells_its_peak() -> None:
    # expected: a step keeps at least its outputs, 64 * 100 * 128 floats
    command = [sys.executable, "-m", "benchmarks._layers_memory", "ours", "RNN", "64x100x16x128"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peaks = json.loads(done.stdout)
    assert peaks["steps"] >= peaks["first"] >= 64 * 100 * 128 * 4 / 2**20


@pytest.mark.conformance
@pytest.mark.skipif(not PYTHON.exists(), reason="JAX is not installed: make peers")
@pytest.mark.parametrize("mode", ["train", "infer"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_scan_computes_the_same(kind: str, mode: str) -> None:
    # expected: what torch.nn computes in float64
    both = layers(kind, SMALL)
    with Scan(PYTHON, 2) as process:
        found = process.load(kind, mode, 1, both)
        assert process.seconds() > 0
    compare("scan", found, results(both.torch.double(), both.x.double(), mode))
