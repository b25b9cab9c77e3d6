"""Formatter, linter and type checker have nothing to say, and touched functions are typed; silence is not cleanliness."""

from __future__ import annotations

import pytest

from shared.domain.change import CheckState
from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_report, asked, check, evidence, file, judged, reported

GATE = "lint_and_types_are_clean"
CODE = file("src/a.py", None, "a = 1\n")
CRITERIA = {
    "code_style_is_kept": ("black", "format"),
    "lint_is_clean": ("ruff", "lint"),
    "types_are_clean": ("mypy", "types"),
}


def sarif(tool: str, *findings: Finding, **rest: object) -> object:
    return reported(a_report(EvidenceFormat.SARIF, tool=tool, findings=findings, **rest), digest="sha256:1")


def error(severity: Severity = Severity.HIGH) -> Finding:
    return Finding(rule="E501", severity=severity, message="Too long.", path="src/a.py", line=1)


@pytest.mark.parametrize(("criterion", "tool"), [(criterion, tool) for criterion, (tool, _) in CRITERIA.items()])
def test_a_report_decides(criterion: str, tool: str) -> None:
    clean = judged(GATE, evidence(CODE, reports=(sarif(tool),)), asked(criterion))
    assert (clean.outcome, clean.evidence) == (Outcome.MET, ("sha256:1",))
    found = judged(GATE, evidence(CODE, reports=(sarif(tool, error()),)), asked(criterion))
    assert found.outcome is Outcome.UNMET
    assert (found.remarks[0].path, found.remarks[0].line) == ("src/a.py", 1)


@pytest.mark.parametrize(
    ("criterion", "tool", "severity", "outcome"),
    [
        ("lint_is_clean", "eslint", Severity.MEDIUM, Outcome.MET),
        ("types_are_clean", "mypy", Severity.LOW, Outcome.MET),
        ("types_are_clean", "pyright", Severity.MEDIUM, Outcome.UNMET),
        ("code_style_is_kept", "prettier", Severity.INFO, Outcome.UNMET),
    ],
)
def test_warnings_of_linters_and_notes_of_checkers_are_no_errors(
    criterion: str, tool: str, severity: Severity, outcome: Outcome
) -> None:
    assert judged(GATE, evidence(CODE, reports=(sarif(tool, error(severity)),)), asked(criterion)).outcome is outcome


@pytest.mark.parametrize(("criterion", "name"), [(criterion, name) for criterion, (_, name) in CRITERIA.items()])
@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (CheckState.PASSED, Outcome.MET),
        (CheckState.FAILED, Outcome.UNMET),
        (CheckState.PENDING, Outcome.NOT_AVAILABLE),
        (CheckState.SKIPPED, Outcome.NOT_AVAILABLE),
        (CheckState.NEUTRAL, Outcome.NOT_AVAILABLE),
    ],
)
def test_without_a_report_a_check_of_that_name_decides(
    criterion: str, name: str, state: CheckState, outcome: Outcome
) -> None:
    assert judged(GATE, evidence(CODE, checks=(check(f"ci / {name}", state),)), asked(criterion)).outcome is outcome


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (CheckState.PASSED, Outcome.MET),
        (CheckState.FAILED, Outcome.NOT_AVAILABLE),
        (CheckState.PENDING, Outcome.NOT_AVAILABLE),
    ],
)
def test_a_stage_of_a_run_that_passed_passed(state: CheckState, outcome: Outcome) -> None:
    seen = evidence(CODE, checks=(check("build", state, stages=("lint", "test")),))
    assert judged(GATE, seen, asked("lint_is_clean")).outcome is outcome


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"checks": UNKNOWN},
        {"reports": UNKNOWN},
        {"checks": (check("tests"),)},
        {"checks": (check("lint", ours=True),)},
        {"reports": (sarif("CodeQL"),)},
        {"reports": (sarif("ruff", incomplete="ruff broke off"),)},
        {"files": UNKNOWN},
    ],
)
def test_what_nobody_looked_at_is_not_clean(rest: dict) -> None:
    files = rest.pop("files", None)
    seen = evidence(CODE, **rest)
    seen = seen.model_copy(update={"files": files}) if files else seen
    assert judged(GATE, seen, asked("lint_is_clean")).outcome is Outcome.NOT_AVAILABLE


def test_documentation_is_not_linted() -> None:
    assert (
        judged(GATE, evidence(file("docs/a.md", None, "a")), asked("lint_is_clean")).outcome is Outcome.NOT_APPLICABLE
    )


class TestTypes:
    ASKED = asked("functions_have_types")

    @pytest.mark.parametrize(
        "source",
        [
            "def one(a: int, *rest: str, **more: int) -> None: ...\n",
            "class A:\n    def __init__(self, a: int): ...\n    @staticmethod\n    def b(a: int) -> int: ...\n",
            "x = lambda a: a\n",
        ],
    )
    def test_functions_with_types_hold(self, source: str) -> None:
        assert judged(GATE, evidence(file("src/a.py", None, source)), self.ASKED).outcome is Outcome.MET

    @pytest.mark.parametrize(
        ("source", "lacking"),
        [
            ("def one(a) -> None: ...\n", "a"),
            ("def one(a: int): ...\n", "its result"),
            ("def one(): ...\n", "its result"),
            ("class A:\n    @staticmethod\n    def b(a) -> int: ...\n", "a"),
            ("async def one(*rest) -> None: ...\n", "rest"),
        ],
    )
    def test_a_function_without_is_told(self, source: str, lacking: str) -> None:
        found = judged(GATE, evidence(file("src/a.py", None, source)), self.ASKED)
        assert found.outcome is Outcome.UNMET
        (remark,) = found.remarks
        assert remark.message.endswith(f"the type of {lacking}.")
        assert (remark.path, remark.line) == ("src/a.py", source[: source.index("def ")].count("\n") + 1)

    def test_functions_that_the_change_leaves_alone_are_left_alone(self) -> None:
        before = "def old(a): ...\n"
        assert judged(GATE, evidence(file("src/a.py", before, before + "x = 1\n")), self.ASKED).outcome is Outcome.MET

    def test_tests_need_no_types(self) -> None:
        seen = evidence(file("tests/test_a.py", None, "def test_a(b): ...\n"))
        assert judged(GATE, seen, self.ASKED).outcome is Outcome.NOT_APPLICABLE

    def test_a_file_that_does_not_parse_leaves_it_open(self) -> None:
        found = judged(GATE, evidence(file("src/a.py", None, "def one(:\n")), self.ASKED)
        assert found.outcome is Outcome.NOT_AVAILABLE
        assert "does not parse" in found.reason

    def test_other_languages_are_not_asked(self) -> None:
        assert judged(GATE, evidence(file("src/a.ts", None, "let a\n")), self.ASKED).outcome is Outcome.NOT_APPLICABLE


def test_all_may_be_asked_at_once() -> None:
    checks = tuple(check(name) for name in ("format", "lint", "types"))
    assert judged(GATE, evidence(CODE, checks=checks)).outcome is Outcome.MET
