"""Each control of the threat model names a test that ran on the commit and passed."""

from __future__ import annotations

import pytest

from shared.domain.change import Reported
from shared.domain.evidence import CaseResult, EvidenceFormat
from shared.domain.evidence import Outcome as Ended
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_report, evidence, file, item, judged, reported

GATE = "security_tests_cover_controls"
HEAD = "## Threats\n\n| Threat | Control | Test |\n| --- | --- | --- |\n"


def model(*rows: tuple[str, str, str]) -> str:
    return HEAD + "".join(f"| {threat} | {control} | {test} |\n" for threat, control, test in rows)


SPOOFED = ("Somebody else's orders are read", "Orders are filtered by owner", "`test_orders_of_others_are_hidden`")


def results(*cases: CaseResult) -> Reported:
    return reported(a_report(EvidenceFormat.JUNIT, tests=cases), digest="sha256:1")


def ran(name: str, outcome: Ended = Ended.PASSED, suite: str = "tests.security.test_orders") -> CaseResult:
    return CaseResult(suite=suite, name=name, outcome=outcome, path="tests/security/test_orders.py")


PASSED = results(ran("test_orders_of_others_are_hidden"))


def test_a_control_whose_test_passed_holds() -> None:
    found = judged(GATE, evidence(items=(item(body=model(SPOOFED)),), reports=(PASSED,)))
    assert (found.outcome, found.measured, found.evidence) == (Outcome.MET, {"controls": 1, "tested": 1}, ("sha256:1",))


@pytest.mark.parametrize(
    "test",
    [
        "test_orders_of_others_are_hidden",
        "tests/security/test_orders.py::test_orders_of_others_are_hidden",
        "tests/security/test_orders.py",
        "see test_orders.py",
        "orders of others are hidden",
    ],
)
def test_a_test_may_be_named_in_many_ways(test: str) -> None:
    seen = evidence(items=(item(body=model((*SPOOFED[:2], test))),), reports=(PASSED,))
    assert judged(GATE, seen).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("-", "names no test"),
        ("none", "names no test"),
        ("test_something_else", "in no report"),
        ("tests/security/test_other.py", "in no report"),
        ("hidden", "in no report"),
    ],
)
def test_a_control_without_a_test_is_told(test: str, why: str) -> None:
    found = judged(GATE, evidence(items=(item(body=model((*SPOOFED[:2], test))),), reports=(PASSED,)))
    assert found.outcome is Outcome.UNMET
    assert why in found.reason


@pytest.mark.parametrize(
    ("ended", "why"), [(Ended.FAILED, "failed"), (Ended.ERRORED, "failed"), (Ended.SKIPPED, "skipped")]
)
def test_a_test_that_did_not_pass_shows_nothing(ended: Ended, why: str) -> None:
    seen = evidence(
        items=(item(body=model(SPOOFED)),), reports=(results(ran("test_orders_of_others_are_hidden[a]", ended)),)
    )
    found = judged(GATE, seen)
    assert found.outcome is Outcome.UNMET
    assert why in found.reason


def test_one_failure_outweighs_other_runs_that_passed() -> None:
    both = results(ran("test_orders_of_others_are_hidden"), ran("test_orders_of_others_are_hidden", Ended.FAILED))
    assert judged(GATE, evidence(items=(item(body=model(SPOOFED)),), reports=(both,))).outcome is Outcome.UNMET


def test_a_model_in_the_change_is_told_beside_its_line() -> None:
    document = file("docs/security/threats.md", None, model(("Tampering", "Signatures", "")))
    found = judged(GATE, evidence(document, reports=(PASSED,)))
    assert found.outcome is Outcome.UNMET
    assert (found.remarks[0].path, found.remarks[0].line) == ("docs/security/threats.md", 5)


def test_threats_without_a_control_are_another_gates_affair() -> None:
    assert judged(GATE, evidence(items=(item(body=model(("Tampering", "", ""))),))).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "rest",
    [
        {"reports": ()},
        {"reports": UNKNOWN},
        {"reports": (reported(a_report(EvidenceFormat.SARIF, tool="x")),)},
        {"items": UNKNOWN},
        {"files": UNKNOWN},
    ],
)
def test_without_results_nobody_can_tell(rest: dict) -> None:
    seen = evidence(items=(item(body=model(SPOOFED)),), reports=(PASSED,)).model_copy(update=rest)
    assert judged(GATE, seen).outcome is Outcome.NOT_AVAILABLE


def test_a_new_test_that_has_not_run_yet_leaves_it_open() -> None:
    new = file("tests/security/test_new.py", None, "def test_orders_of_others_are_hidden():\n    assert hidden()\n")
    seen = evidence(new, items=(item(body=model(SPOOFED)),), reports=(results(ran("test_other")),))
    found = judged(GATE, seen)
    assert found.outcome is Outcome.NOT_AVAILABLE
    assert "no report yet" in found.reason


def test_a_model_that_could_not_be_read_leaves_it_open() -> None:
    lost = file("docs/security/threats.md", "a\n", "b\n", content=None)
    assert judged(GATE, evidence(lost)).outcome is Outcome.NOT_AVAILABLE
    seen = evidence(lost, items=(item(body=model(SPOOFED)),), reports=(PASSED,))
    assert judged(GATE, seen).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize("items", [(), UNSUPPORTED, (item(),)])
def test_a_change_without_a_threat_model_is_not_asked(items: object) -> None:
    assert judged(GATE, evidence(items=items)).outcome is Outcome.NOT_APPLICABLE
