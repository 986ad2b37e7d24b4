"""The public door to the machine under the native kernels: its instruction set, and what it can do at most."""

from recurra.errors import BackendUnavailable
from recurra.kernels import _compiled


def instruction_set() -> str:
    """avx512, avx2, neon or baseline: what the native kernels run on.

    Raises:
        BackendUnavailable: if they are not built.
    """
    if _compiled.native is None:
        raise BackendUnavailable(_compiled.NOT_BUILT)
    name: str = _compiled.native.instruction_set()
    return name


def built_with() -> str:
    """The compiler that built the native kernels, with its version.

    Raises:
        BackendUnavailable: if they are not built.
    """
    if _compiled.native is None:
        raise BackendUnavailable(_compiled.NOT_BUILT)
    name: str = _compiled.native.built_with()
    return name


def peak_flops(threads: int, repeats: int = 1_000_000) -> float:
    """Operations per second of fused multiply-adds that never leave the registers, float32; each counts as two.

    One measurement: what other programs take from the machine is missing from it, so take the best of several.

    Args:
        threads: how many compute side by side.
        repeats: rounds of each thread, of 12 to 24 vectors; a million takes some milliseconds.

    Raises:
        BackendUnavailable: if the native kernels are not built.
        ValueError: if an argument is below one.
    """
    if _compiled.native is None:
        raise BackendUnavailable(_compiled.NOT_BUILT)
    rate: float = _compiled.native.peak(threads, repeats)
    return rate
