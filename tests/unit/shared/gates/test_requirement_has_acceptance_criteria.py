"""Scenarios and points of checklists count, in Markdown and in what Azure Boards stores."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, asked, evidence, item, judged

GATE = "requirement_has_acceptance_criteria"
TWO = """### Acceptance criteria

Scenario: it works
Given an order
When I export it
Then I get a file

Scenario: it refuses
Given no order
When I export it
Then I am told that there is none
"""
HTML = (
    "<div><b>Scenario: it works</b></div><div>Given an order</div><div>When I export it</div><div>Then I get a file</div>"
    "<div><br></div><ul><li>Given no order</li><li>When I export it</li><li>Then I am told</li></ul>"
)


def found(*items, **limits):
    return judged(GATE, evidence(items=items), asked(GATE, **limits))


@pytest.mark.parametrize("field", ["body", "acceptance"])
@pytest.mark.parametrize("text", [TWO, HTML])
def test_two_scenarios_are_enough_wherever_they_stand(field, text):
    one = found(item(**{field: text}))
    assert one.outcome is Outcome.MET
    assert one.measured == {"scenarios": 2}


def test_other_fields_count_and_comments_do_not():
    assert found(item(fields={"Custom.Checks": TWO})).outcome is Outcome.MET
    assert found(item(comments=(TWO,))).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("body", "## Acceptance criteria\n\n- [ ] The file opens in a spreadsheet\n- [ ] An empty list says so"),
        ("body", "Acceptance criteria:\n\n* The file opens\n* An empty list says so"),
        ("acceptance", "<ul><li>The file opens</li><li>An empty list says so</li></ul>"),
    ],
)
def test_a_checklist_does_as_well(field, text):
    assert found(item(**{field: text})).outcome is Outcome.MET


@pytest.mark.parametrize(
    "text", ["", "It should just work.", "## Tasks\n\n- [ ] one\n- [ ] two", "## Acceptance\n\n- [ ] TBD\n- ..."]
)
def test_without_criteria_it_is_not_met(text):
    one = found(item(body=text))
    assert one.outcome is Outcome.UNMET
    assert "has 0" in one.reason
    assert "#12" in one.remedy


def test_a_scenario_that_lacks_a_part_does_not_count_and_is_told():
    one = found(item(body="Scenario: half\nGiven an order\nWhen I export it\n"))
    assert one.outcome is Outcome.UNMET
    assert "'half' lacks Then" in one.reason
    assert found(item(body="Given\nWhen\nThen\n")).measured == {"scenarios": 0}


def test_the_same_scenario_twice_is_one():
    once = "Given a\nWhen b\nThen c\n"
    assert found(item(body=f"{once}\n{once}", acceptance=once)).measured == {"scenarios": 1}


@pytest.mark.parametrize(("wanted", "outcome"), [(1, Outcome.MET), (2, Outcome.MET), (3, Outcome.UNMET)])
def test_a_policy_may_ask_for_more(wanted, outcome):
    assert found(item(body=TWO), scenarios=wanted).outcome is outcome


def test_every_ticket_is_asked():
    one = found(item(12, body=TWO), item(13, "Bug"))
    assert one.outcome is Outcome.UNMET
    assert "#13" in one.reason
    assert "#12" not in one.reason


def test_of_a_task_the_requirement_above_is_asked():
    assert found(item(20, "Task", parents=(item(12, body=TWO),))).outcome is Outcome.MET
    one = found(item(20, "Task", body=TWO, parents=(item(12),)))
    assert one.outcome is Outcome.UNMET
    assert "User Story #12" in one.reason


def test_epics_and_tasks_of_nothing_are_not_asked_and_unknown_levels_are():
    assert found(item(1, "Epic"), item(2, "Task")).outcome is Outcome.NOT_APPLICABLE
    assert found().outcome is Outcome.NOT_APPLICABLE
    assert found(item(1, "Wish", kind=None)).outcome is Outcome.UNMET


def test_unknown_tickets_have_no_criteria_that_anybody_saw():
    assert judged(GATE, evidence(items=UNKNOWN), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


def test_an_issue_that_is_only_mentioned_is_not_asked():
    aside = item(40, fields={"doneright.link": "names"})
    assert found(item(12, body=TWO), aside).outcome is Outcome.MET
