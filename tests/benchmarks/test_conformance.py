"""The counts are those that pytest prints, and every suite is there."""

from pathlib import Path

import pytest

from benchmarks.conformance import ROOT, SUITES, report, run


@pytest.mark.parametrize("place", SUITES.values())
def test_a_suite_is_where_the_table_says(place: str) -> None:
    assert (ROOT / place).is_file()


def test_outcomes_are_counted(tmp_path: Path) -> None:
    # expected: by hand, two that pass, one that fails, one that is skipped
    suite = tmp_path / "test_few.py"
    suite.write_text(
        "import pytest\n\n\n@pytest.mark.parametrize('k', [1, 2, 3])\ndef test_k(k):\n    assert k != 2\n\n\n"
        "@pytest.mark.skip(reason='shown')\ndef test_skipped():\n    assert True\n"
    )
    assert run(str(suite)) == {"outcomes": {"failed": 1, "passed": 2, "skipped": 1}}


def test_the_table_names_what_did_not_pass() -> None:
    name = next(iter(SUITES))
    table = report({name: {"outcomes": {"passed": 7, "failed": 1}}})
    assert f"| {name} | `{SUITES[name]}` | 7 | 1 failed |  |" in table
    assert f"Not run: {'; '.join(list(SUITES)[1:])}." in table
    counted = report({name: {"outcomes": {"passed": 1}, "checks": {"passed": 52, "skipped": 1}}})
    assert "| 1 | none | 52 passed, 1 skipped |" in counted


def test_checks_inside_a_test_are_those_it_counted(tmp_path: Path) -> None:
    # expected: by hand, the properties of both tests added up
    suite = tmp_path / "test_checks.py"
    suite.write_text(
        "import pytest\n\n\n@pytest.mark.parametrize('k', [1, 2])\ndef test_k(k, record_property):\n"
        "    record_property('checks passed', 50 + k)\n    record_property('checks skipped', 1)\n"
    )
    assert run(str(suite)) == {"outcomes": {"passed": 2}, "checks": {"passed": 103, "skipped": 2}}
