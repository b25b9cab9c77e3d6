"""Tickets are counted as the forge links them."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName
from shared.domain.review import Outcome
from shared.gates import Asked
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_change, asked, at_least, evidence, item, judged

GATE = "change_is_linked_to_work_item"


def test_one_linked_ticket_is_enough():
    found = judged(GATE, evidence(items=(item(12),)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert "#12" in found.reason
    assert found.measured == {"links": 1}


def test_none_is_not_and_the_remedy_names_the_number_of_the_branch():
    found = judged(GATE, evidence(change=a_change(source="feature/31-x", title="Export")), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "Closes #31" in found.remedy
    azure = a_change(ForgeName.AZURE_DEVOPS, source="export", title="Export")
    assert "work item" in judged(GATE, evidence(change=azure), asked(GATE)).remedy


@pytest.mark.parametrize(("wanted", "outcome"), [(2, Outcome.MET), (3, Outcome.UNMET)])
def test_a_policy_may_ask_for_more(wanted, outcome):
    seen = evidence(items=(item(12), item(13)))
    assert judged(GATE, seen, Asked(GATE, {"links": at_least(wanted)})).outcome is outcome


def test_a_removed_ticket_is_no_ticket():
    found = judged(GATE, evidence(items=(item(12, state="Removed"),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "removed" in found.reason


@pytest.mark.parametrize(("part", "outcome"), [(UNKNOWN, Outcome.NOT_AVAILABLE), (UNSUPPORTED, Outcome.NOT_SUPPORTED)])
def test_unknown_links_are_not_taken_for_links(part, outcome):
    assert judged(GATE, evidence(items=part), asked(GATE)).outcome is outcome
