"""New code comes with tests of what works, what is refused and what lies at the limit; tests that show nothing do not count."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, asked, evidence, file, judged

GATE = "tests_accompany_code"
CODE = file("src/a.py", None, "def total(x):\n    if x < 0:\n        raise ValueError\n    return x\n")
POSITIVE = "def test_total():\n    assert total(3) == 3\n"
NEGATIVE = "def test_refused():\n    with pytest.raises(ValueError):\n        total(-3)\n"
EDGE = "def test_zero():\n    assert total(0) == 0\n"
ALL = POSITIVE + NEGATIVE + EDGE
UNIT, FUNCTIONAL, INTEGRATION = (
    asked(f"{layer}_tests_accompany_code") for layer in ("unit", "functional", "integration")
)


def unit(source: str, path: str = "tests/unit/test_a.py") -> object:
    return file(path, None, source)


def test_code_with_a_test_of_each_kind_holds() -> None:
    found = judged(GATE, evidence(CODE, unit(ALL)), UNIT)
    assert found.outcome is Outcome.MET
    assert found.measured == {"unit_cases": {"positive": 1, "negative": 1, "edge": 1}}


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        (NEGATIVE + EDGE, "positive"),
        (POSITIVE + EDGE, "negative"),
        (POSITIVE + NEGATIVE, "edge"),
        (NEGATIVE + EDGE + "def test_total():\n    pass\n", "positive"),
        (NEGATIVE + EDGE + "@pytest.mark.skip\n" + POSITIVE, "positive"),
    ],
)
def test_a_kind_that_is_missing_is_named(source: str, missing: str) -> None:
    found = judged(GATE, evidence(CODE, unit(source)), UNIT)
    assert found.outcome is Outcome.UNMET
    assert f"no {missing} unit test" in found.reason


def test_code_without_any_test_is_told_function_by_function() -> None:
    found = judged(GATE, evidence(CODE), UNIT)
    assert found.outcome is Outcome.UNMET
    (remark,) = found.remarks
    assert (remark.path, remark.line, remark.rule) == ("src/a.py", 1, "untested_function")
    assert "raises ValueError" in remark.message
    assert "1 branch" in remark.message


def test_functions_beyond_the_most_that_are_told_are_told_together() -> None:
    source = "".join(f"def f{number}():\n    return {number}\n" for number in range(13))
    found = judged(GATE, evidence(file("src/a.py", None, source)), UNIT)
    assert len(found.remarks) == 11


def test_idle_tests_are_told() -> None:
    found = judged(GATE, evidence(CODE, unit("def test_total():\n    total(1)\n")), UNIT)
    assert [(remark.rule, remark.line) for remark in found.remarks] == [("idle_test", 1)]


@pytest.mark.parametrize(
    ("path", "wanted", "outcome"),
    [
        ("tests/unit/test_a.py", FUNCTIONAL, Outcome.UNMET),
        ("tests/functional/test_a.py", FUNCTIONAL, Outcome.MET),
        ("tests/e2e/test_a.py", FUNCTIONAL, Outcome.MET),
        ("tests/functional/test_a.py", UNIT, Outcome.UNMET),
        ("tests/security/test_a.py", UNIT, Outcome.UNMET),
    ],
)
def test_each_layer_is_asked_for_by_itself(path: str, wanted: object, outcome: Outcome) -> None:
    assert judged(GATE, evidence(CODE, unit(ALL, path)), wanted).outcome is outcome


def test_scenarios_are_functional_tests() -> None:
    feature = (
        "Feature: Total\n  Scenario: Adds\n    When a\n    Then b\n  Scenario: Refused\n    When a\n    Then b\n"
        "  Scenario: Empty\n    When a\n    Then b\n"
    )
    assert (
        judged(GATE, evidence(CODE, file("features/total.feature", None, feature)), FUNCTIONAL).outcome is Outcome.MET
    )


class TestIntegration:
    TALKS = file("src/store.py", None, "import httpx\n\ndef get():\n    return httpx.get('/')\n")

    @pytest.mark.parametrize(
        ("source", "outcome"), [(POSITIVE, Outcome.MET), ("", Outcome.UNMET), ("def test_a(): ...\n", Outcome.UNMET)]
    )
    def test_code_that_talks_to_the_outside_has_one(self, source: str, outcome: Outcome) -> None:
        found = judged(GATE, evidence(self.TALKS, unit(source, "tests/integration/test_a.py")), INTEGRATION)
        assert found.outcome is outcome

    def test_code_that_keeps_to_itself_is_not_asked(self) -> None:
        assert judged(GATE, evidence(CODE), INTEGRATION).outcome is Outcome.NOT_APPLICABLE

    @pytest.mark.parametrize(
        "other",
        [
            file("src/adapters/a.py", None, "def a():\n    return 1\n"),
            file("src/a.ts", None, "import axios from 'axios';\nexport const a = () => axios.get('/');\n"),
        ],
    )
    def test_paths_and_other_languages_tell_it_too(self, other: object) -> None:
        assert judged(GATE, evidence(other), INTEGRATION).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    "changed",
    [
        file("docs/a.md", None, "a"),
        file("src/a.py", "def a():\n    return 1\n", None),
        file("src/a.py", "def a():\n    return 1\n\ndef b(): pass\n", "def a():\n    return 1\n"),
        file("src/a.py", "def a():\n    return 1\n", 'def a():\n    """Says one."""\n    return 1  # always\n'),
        file("src/a.py", None, "import b\nTIMEOUT = 3\n"),
        file("tests/test_a.py", None, POSITIVE),
    ],
)
def test_a_change_without_new_behaviour_is_not_asked(changed: object) -> None:
    assert judged(GATE, evidence(changed), UNIT).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ((CODE, unit("def test_x(:\n")), "does not parse"),
        ((CODE, file("tests/a_test.go", None, "package a\n")), ".go"),
        ((file("src/a.go", None, "package a\n"),), "not read"),
        ((CODE, file("tests/unit/test_a.py", "a\n", ALL, patch=None)), "could not be had"),
    ],
)
def test_tests_that_cannot_be_read_may_be_the_missing_ones(files: tuple, why: str) -> None:
    found = judged(GATE, evidence(*files), UNIT)
    assert found.outcome is Outcome.NOT_AVAILABLE
    assert why in found.reason


def test_tests_that_cannot_be_read_do_not_matter_where_enough_are_there() -> None:
    assert judged(GATE, evidence(CODE, unit(ALL), unit("def x(:\n", "tests/test_b.py")), UNIT).outcome is Outcome.MET


def test_code_that_does_not_parse_is_asked_all_the_same() -> None:
    assert judged(GATE, evidence(file("src/a.py", None, "def a(:\n")), UNIT).outcome is Outcome.UNMET


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN}), UNIT).outcome is Outcome.NOT_AVAILABLE
