"""The machine under the kernels: named, and its peak plausible; all refuse where nothing is built."""

import pytest

from recurra.errors import BackendUnavailable
from recurra.kernels import machine, native_is_built


@pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")
def test_the_machine_is_named_and_counts() -> None:
    assert machine.instruction_set() in ("avx512", "avx2", "neon", "baseline")
    assert machine.built_with().split()[0] in ("GCC", "Clang")
    # from one operation a microsecond to 1,000 a cycle at 10 GHz
    assert 1e6 < machine.peak_flops(1, 1000) < 1e13
    for threads, repeats in ((0, 10), (1, 0), (-1, 10)):
        with pytest.raises(ValueError, match="above zero"):
            machine.peak_flops(threads, repeats)


def test_without_the_kernels_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.kernels._compiled.native", None)
    for ask in (machine.instruction_set, machine.built_with, lambda: machine.peak_flops(1)):
        with pytest.raises(BackendUnavailable, match="not built"):
            ask()
