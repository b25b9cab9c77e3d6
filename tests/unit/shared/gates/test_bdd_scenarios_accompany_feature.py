"""A feature comes with scenarios of its ordinary case and of an error."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, evidence, file, judged

GATE = "bdd_scenarios_accompany_feature"
CODE = file("src/a.py", None, "def a(): ...\n")
ORDINARY = "  Scenario: Orders are exported\n    When they are exported\n    Then a file is written\n"
ERROR = "  Scenario: Somebody else asks\n    When they ask\n    Then the export is refused\n"


def feature(*scenarios: str, before: str | None = None) -> object:
    return file("features/export.feature", before, "Feature: Export\n" + "".join(scenarios))


def test_both_scenarios_hold() -> None:
    found = judged(GATE, evidence(CODE, feature(ORDINARY, ERROR)))
    assert (found.outcome, found.measured) == (Outcome.MET, {"positive": 1, "negative": 1, "edge": 0})


@pytest.mark.parametrize(
    ("scenarios", "missing"),
    [((ORDINARY,), "an error"), ((ERROR,), "its ordinary case"), ((), "its ordinary case or an error")],
)
def test_a_scenario_that_is_missing_is_named(scenarios: tuple[str, ...], missing: str) -> None:
    found = judged(GATE, evidence(CODE, feature(*scenarios)))
    assert found.outcome is Outcome.UNMET
    assert found.reason.endswith(missing)


@pytest.mark.parametrize("idle", ["  @skip\n" + ERROR, "  Scenario: It is refused\n    Given a shop\n"])
def test_a_scenario_that_tells_nothing_is_told(idle: str) -> None:
    found = judged(GATE, evidence(CODE, feature(ORDINARY, idle)))
    assert found.outcome is Outcome.UNMET
    assert (found.remarks[0].path, found.remarks[0].rule) == ("features/export.feature", "idle_scenario")


def test_scenarios_that_were_there_before_do_not_accompany_it() -> None:
    before = "Feature: Export\n" + ORDINARY + ERROR
    assert (
        judged(GATE, evidence(CODE, file("features/export.feature", before, before + "\n# end\n"))).outcome
        is Outcome.UNMET
    )


def test_a_feature_file_that_could_not_be_had_leaves_it_open() -> None:
    lost = file("features/export.feature", "a\n", "b\n", content=None, patch=None)
    assert judged(GATE, evidence(CODE, lost)).outcome is Outcome.NOT_AVAILABLE


def test_a_change_without_code_is_not_asked() -> None:
    assert judged(GATE, evidence(feature(ORDINARY))).outcome is Outcome.NOT_APPLICABLE


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN})).outcome is Outcome.NOT_AVAILABLE
