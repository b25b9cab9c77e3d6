"""Each process has its own levels; a ticket in the wrong place is told where it would stand."""

from __future__ import annotations

import pytest

from shared.domain.definition import WorkItemKind
from shared.domain.forge import ForgeName
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, evidence, item, judged

GATE = "work_item_hierarchy_is_valid"
REQUIREMENTS = {"agile": "User Story", "scrum": "Product Backlog Item", "cmmi": "Requirement"}


def chain(*types: str, **rest):
    """The first of ``types`` with the others above it."""
    above: tuple = ()
    for number, type_ in reversed(list(enumerate(types))):
        one = item(10 + number, type_, parents=above, **(rest if number == 0 else {}))
        above = (one, *above)
    return above[0]


def found(process, *items):
    return judged(GATE, evidence(items=items, process=process))


@pytest.mark.parametrize(("process", "requirement"), REQUIREMENTS.items())
def test_every_link_up_to_the_epic_is_as_the_process_has_it(process, requirement):
    assert found(process, chain("Task", requirement, "Feature", "Epic")).outcome is Outcome.MET


def test_basic_has_no_features():
    assert found("basic", chain("Task", "Issue", "Epic")).outcome is Outcome.MET
    one = found("basic", chain("Task", "Epic"))
    assert one.outcome is Outcome.UNMET
    assert "leaves out Issue" in one.reason
    assert "Epic > Issue > Task" in one.reason


@pytest.mark.parametrize(("process", "requirement"), REQUIREMENTS.items())
def test_a_left_out_level_is_named(process, requirement):
    one = found(process, chain("Task", "Feature", "Epic"))
    assert one.outcome is Outcome.UNMET
    assert f"leaves out {requirement}" in one.reason
    assert requirement in one.remedy
    assert [remark.path for remark in one.remarks] == [""]


@pytest.mark.parametrize(
    ("types", "words"),
    [
        (("Task", "Task", "User Story", "Feature", "Epic"), "same level"),
        (("Feature", "User Story", "Feature", "Epic"), "below it"),
        (("Epic", "Feature", "Epic"), "nothing: it is the top"),
        (("Task", "Impediment"), "outside of the hierarchy"),
        (("User Story", "Epic"), "leaves out Feature"),
    ],
)
def test_a_wrong_parent_is_explained(types, words):
    one = found("agile", chain(*types))
    assert one.outcome is Outcome.UNMET
    assert words in one.reason


def test_a_ticket_that_hangs_on_nothing_is_lost():
    one = found("scrum", item(12, "Task"))
    assert one.outcome is Outcome.UNMET
    assert "hangs on a Product Backlog Item" in one.reason
    assert found("scrum", item(12, "Epic")).outcome is Outcome.MET


def test_the_chain_is_followed_to_its_end():
    one = found("agile", chain("Task", "User Story"))
    assert one.outcome is Outcome.UNMET
    assert "User Story #11" in one.reason


@pytest.mark.parametrize("above", [("Feature", "Epic"), ("User Story", "Feature", "Epic"), ()])
def test_bugs_stand_beside_requirements_or_tasks_or_alone(above):
    assert found("agile", chain("Bug", *above)).outcome is Outcome.MET


def test_a_bug_below_a_task_is_wrong():
    assert found("agile", chain("Bug", "Task", "User Story", "Feature", "Epic")).outcome is Outcome.UNMET


def test_a_circle_and_a_removed_parent_are_told():
    twice = item(12, "Task", parents=(item(5, "User Story"), item(12, "Task")))
    assert "above itself" in found("agile", twice).reason
    gone = item(12, "Task", parents=(item(5, "User Story", state="Removed"),))
    assert "was removed" in found("agile", gone).reason


def test_one_ticket_in_the_wrong_place_is_enough():
    right = chain("Task", "User Story", "Feature", "Epic")
    assert found("agile", right, item(40, "Task")).outcome is Outcome.UNMET


def test_types_outside_of_the_hierarchy_are_not_asked_about():
    one = found("cmmi", item(12, "Risk", kind=None))
    assert one.outcome is Outcome.NOT_APPLICABLE
    assert "Epic > Feature > Requirement > Task" in one.reason


def test_a_type_of_an_own_process_counts_by_its_level():
    story = item(5, "Wish", kind=WorkItemKind.REQUIREMENT, parents=(item(2, "Feature"), item(1, "Epic")))
    task = item(12, "Job", kind=WorkItemKind.TASK, parents=(story, *story.parents))
    assert found("agile", task).outcome is Outcome.MET


def issue(number, *labels, parents=(), **rest):
    usual = {"forge": ForgeName.GITHUB, "project": "contoso/desk", "tags": labels, "kind": None}
    return item(number, "", parents=parents, **(usual | rest))


def test_an_issue_names_its_level_by_a_label():
    right = issue(7, "task", parents=(issue(5, "user story", parents=()), issue(3, "feature"), issue(1, "epic")))
    assert found("", right).outcome is Outcome.MET
    wrong = issue(7, "task", parents=(issue(1, "epic"),))
    assert found("agile", wrong).outcome is Outcome.UNMET


def test_an_issue_without_a_level_is_not_asked_and_one_alone_cannot_be_told():
    assert found("", issue(7)).outcome is Outcome.NOT_APPLICABLE
    assert found("agile", issue(7, "task")).outcome is Outcome.NOT_AVAILABLE


def test_without_the_process_nobody_knows_what_should_be_above():
    assert found("", item(12, "Task")).outcome is Outcome.NOT_AVAILABLE
    assert found("", chain("Task", "Epic")).outcome is Outcome.UNMET


def test_no_tickets_and_unknown_tickets_differ():
    assert found("agile").outcome is Outcome.NOT_APPLICABLE
    assert judged(GATE, evidence(items=UNKNOWN)).outcome is Outcome.NOT_AVAILABLE
    assert judged(GATE, evidence(items=UNSUPPORTED)).outcome is Outcome.NOT_SUPPORTED
