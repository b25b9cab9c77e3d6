"""A number in the branch's name counts when it is that of a linked ticket."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_change, evidence, item, judged, person

GATE = "branch_names_its_ticket"


def named(branch: str, *items, **rest):
    return judged(GATE, evidence(change=a_change(source=branch, **rest), items=items))


@pytest.mark.parametrize(
    "branch",
    ["feature/12-export", "12", "users/mira/12", "fix_12_zeros", "AB#12-export", "issue12", "DESK-12", "v1.2/12"],
)
def test_the_number_of_a_linked_ticket_is_found(branch):
    found = named(branch, item(12))
    assert found.outcome is Outcome.MET
    assert found.measured == {"ticket": 12}


def test_the_requirement_above_a_task_counts_as_well():
    assert named("feature/5-export", item(12, "Task", parents=(item(5),))).outcome is Outcome.MET


@pytest.mark.parametrize(
    "branch", ["feature/export", "main", "release/1.12", "python-3.12", "fix-1a2b3c", "12th-attempt"]
)
def test_a_branch_without_a_number_of_its_own_names_nothing(branch):
    found = named(branch, item(12))
    assert found.outcome is Outcome.UNMET
    assert "no number" in found.reason


def test_the_number_of_another_ticket_is_not_enough_and_both_are_named():
    found = named("feature/99-export", item(12))
    assert found.outcome is Outcome.UNMET
    assert "#99" in found.reason
    assert "#12" in found.reason


def test_a_number_that_nothing_is_linked_to_proves_nothing():
    found = named("feature/12-export")
    assert found.outcome is Outcome.UNMET
    assert "Link ticket #12" in found.remedy


def test_without_the_tickets_nobody_can_tell():
    change = a_change(source="feature/12")
    assert judged(GATE, evidence(change=change, items=UNKNOWN)).outcome is Outcome.NOT_AVAILABLE
    assert judged(GATE, evidence(change=change, items=UNSUPPORTED)).outcome is Outcome.NOT_SUPPORTED


def test_that_there_is_no_number_is_seen_without_the_tickets():
    assert judged(GATE, evidence(change=a_change(source="export"), items=UNKNOWN)).outcome is Outcome.UNMET


def test_programs_name_their_branches_themselves():
    assert named("renovate/pytest-9.x", author=person("renovate", bot=True)).outcome is Outcome.NOT_APPLICABLE
