"""Which preparations single rows can be taken of; tests/prediction/test_quick.py checks the numbers."""

from recurra.data.preparation import PreparationSpec
from recurra.data.preparation.single import serves


def test_models_with_covariates_are_not_served() -> None:
    plain = PreparationSpec(3, 7, "naive", "running", "D", calendar=("weekday",), show_missing=True)
    assert serves(plain)
    assert not serves(PreparationSpec(3, 7, "naive", "running", "D", past=("p",)))
    assert not serves(PreparationSpec(3, 7, "naive", "running", "D", future=("f",)))
