"""Every transform of the table is right on our layers, by value; the table says what it measured."""

import pytest

import recurra.nn
from benchmarks._transforms_checks import CHECKS, case, outcome
from benchmarks.transforms import KINDS, report, word

pytestmark = pytest.mark.filterwarnings(r"ignore:.torch\.jit\.script. is deprecated:DeprecationWarning")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CHECKS)
def test_a_transform_gives_the_values_of_the_equations(name: str, kind: str) -> None:
    # expected: the equations in plain operations, in float64 (Case.truth)
    assert word(name, outcome(CHECKS[name], case(recurra.nn, kind))) == "right"


def test_the_table_shows_errors_and_wrong_values() -> None:
    # expected: by hand
    fine = {name: {"off": 0.0} for name in CHECKS}
    runs = {f"{package}/{kind}": {"outcomes": dict(fine)} for package in ("torch.nn", "recurra.nn") for kind in KINDS}
    runs["torch.nn/LSTM"]["outcomes"]["jvp"] = {"error": "RuntimeError", "message": "no rule"}
    for kind in KINDS:
        runs[f"torch.nn/{kind}"]["outcomes"]["hessian"] = {"off": 0.5}
    table = report(runs)
    assert "| jvp | RNN right; LSTM RuntimeError; GRU right | right |" in table
    assert "| hessian | WRONG, off by 0.5 | right |" in table
    assert f"torch.nn {len(CHECKS) * 3 - 4} of {len(CHECKS) * 3}, recurra.nn {len(CHECKS) * 3} of" in table
