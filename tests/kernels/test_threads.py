"""Threads of the native kernels: how many, after a fork, at exit, and what is left of the floating-point mode."""

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import recurra.nn
from recurra.kernels import native_is_built

pytestmark = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")

RUNTIMES = ("openmp", "own")
"""PyTorch's own OpenMP threads where they are GNU's, and the pool of csrc/runtime.cpp."""

# A layer that is worth several threads, with outputs that PyTorch handles on one: GNU's OpenMP does not survive a fork.
SETTING = """
import multiprocessing, os, threading, warnings
import torch, recurra.nn
torch.manual_seed(0)
layer = recurra.nn.LSTM(16, 32, backend="native")
x = torch.randn(40, 16, 16)
def tasks():
    return len(os.listdir("/proc/self/task"))
def train():
    layer.zero_grad()
    y, _ = layer(x)
    y.square().mean().backward()
    return [p.grad.clone() for p in layer.parameters()]
"""


def run(code: str, runtime: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RECURRA_THREADS": runtime}
    return subprocess.run(
        [sys.executable, "-c", SETTING + code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def succeeds(code: str, runtime: str) -> None:
    done = run(code, runtime)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_there_are_as_many_threads_as_torch_says(runtime: str) -> None:
    """The calling thread is one of them, so n threads are n - 1 new ones; a smaller one makes none; ours stay."""
    code = """
torch.set_num_threads(1)
before = tasks()
with torch.no_grad():
    for threads, more in ((1, 0), (3, 2), (2, 2), (4, 3)):
        torch.set_num_threads(threads)
        layer(x)
        assert tasks() - before >= threads - 1, (threads, tasks() - before)  # GNU's OpenMP ends those it has no use for
        assert OWN is False or tasks() - before == more, (threads, tasks() - before)
        layer(x)
"""
    succeeds(code.replace("OWN", str(runtime == "own")), runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_forked_child_trains(runtime: str) -> None:
    """The parent has used threads, but run no backward pass: after one PyTorch refuses it in a forked child."""
    code = """
torch.set_num_threads(3)
with torch.no_grad():
    want = layer(x)[0]
def child(queue):
    with torch.no_grad():
        same = bool((layer(x)[0] == want).all())
    first, again = train(), train()
    same = same and all(bool((a == b).all()) for a, b in zip(first, again))
    queue.put((same, [g.tolist() for g in first]))
context = multiprocessing.get_context("fork")
warnings.simplefilter("ignore", DeprecationWarning)  # of Python: a process with threads forks
queue = context.SimpleQueue()
children = [context.Process(target=child, args=(queue,)) for _ in range(2)]
for one in children:
    one.start()
answers = [queue.get() for _ in children]
for one in children:
    one.join()
assert [one.exitcode for one in children] == [0, 0]
mine = [g.tolist() for g in train()]
assert all(same and theirs == mine for same, theirs in answers)
"""
    succeeds(code, runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_workers_of_a_data_loader_run_layers(runtime: str) -> None:
    code = """
torch.set_num_threads(3)
warnings.simplefilter("ignore", DeprecationWarning)
class Outputs(torch.utils.data.Dataset):
    def __len__(self):
        return 6
    def __getitem__(self, k):
        torch.set_num_threads(3)
        with torch.no_grad():
            return layer(x * k)[0]
with torch.no_grad():
    want = [layer(x * k)[0] for k in range(6)]
    loader = torch.utils.data.DataLoader(Outputs(), batch_size=None, num_workers=2, multiprocessing_context="fork")
    for _ in range(2):
        assert all(torch.equal(found, y) for found, y in zip(loader, want, strict=True))
"""
    succeeds(code, runtime)


@pytest.mark.conformance
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_interpreter_ends_right_after_a_call_on_another_thread(runtime: str) -> None:
    for code in (
        "torch.set_num_threads(3)\nt = threading.Thread(target=train)\nt.start()\nt.join()\n",
        "torch.set_num_threads(3)\nthreading.Thread(target=train).start()\n",
        "torch.set_num_threads(3)\nstepper = recurra.nn.Stepper(layer)\n"
        "threading.Thread(target=lambda: [stepper.step(x[0, 0]) for _ in range(100)]).start()\n",
    ):
        for _ in range(2):
            succeeds(code, runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_several_callers_at_once_get_the_right_numbers(runtime: str) -> None:
    """Bit by bit what one caller gets: who finds the threads taken divides the rows in the same way."""
    code = """
torch.set_num_threads(3)
with torch.no_grad():
    want = layer(x)[0]
    wrong = []
    def call():
        with torch.no_grad():
            wrong.extend(1 for _ in range(30) if not torch.equal(layer(x)[0], want))
    callers = [threading.Thread(target=call) for _ in range(4)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
assert not wrong
"""
    succeeds(code, runtime)


def step_and_train() -> None:
    layer = recurra.nn.GRU(16, 64, backend="native")
    layer(torch.randn(40, 16, 16))[0].sum().backward()
    recurra.nn.Stepper(layer).step(torch.zeros(16))


def test_denormal_numbers_are_what_they_were_after_a_call(four_threads: None) -> None:
    """In the calling thread, and in PyTorch's own threads, which worked for the kernels."""
    step_and_train()
    assert np.float32(1e-30) * np.float32(1e-10) > 0
    many = torch.full((1_000_000,), 1e-30)
    assert int((many * 1e-10).count_nonzero()) == 1_000_000


def test_flushing_that_was_on_stays_on() -> None:
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush denormal numbers")
    try:
        step_and_train()
        assert float(torch.tensor(1e-30) * 1e-10) == 0
    finally:
        torch.set_flush_denormal(False)
    step_and_train()
    assert float(torch.tensor(1e-30) * 1e-10) > 0


def test_the_kernels_themselves_flush() -> None:
    """An identity of 1e-40, which the equations keep."""
    for backend, kept in (("native", False), ("reference", True)):
        layer = recurra.nn.RNN(1, 1, nonlinearity="affine", bias=False, backend=backend)
        for part in layer.parameters():
            part.data.fill_(1)
        y, _ = layer(torch.full((1, 1, 1), 1e-40))
        assert bool(y.any()) is kept
