"""Tickets that are about different things are counted; what belongs together is one."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_change, asked, commit, evidence, item, judged

GATE = "change_concerns_one_ticket"


def test_one_ticket_is_one():
    found = judged(GATE, evidence(items=(item(12),), commits=(commit("feat: x (#12)"),)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert found.measured == {"tickets": 1}


def test_two_are_too_many_and_both_are_named():
    found = judged(GATE, evidence(items=(item(12), item(13))), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "#12" in found.reason
    assert "#13" in found.reason


def test_a_task_and_what_it_is_part_of_are_one():
    story = item(5, "User Story", parents=(item(2, "Feature"),))
    task = item(12, "Task", parents=(story, *story.parents))
    assert judged(GATE, evidence(items=(story, task, item(2, "Feature"))), asked(GATE)).measured == {"tickets": 1}


@pytest.mark.parametrize(
    "copy",
    [
        {"title": "Export orders"},
        {"title": "Other", "body": "Tracked as AB#12."},
        {"title": "Other", "comments": ("https://x/12",)},
    ],
)
def test_the_other_forges_copy_of_a_ticket_is_the_same_ticket(copy):
    work_item = item(12, title="Export orders", url="https://x/12")
    issue = item(4, type="", forge=ForgeName.GITHUB, project="contoso/desk", **copy)
    found = judged(GATE, evidence(change=a_change(body=""), items=(work_item, issue)), asked(GATE))
    assert found.measured == {"tickets": 1}


@pytest.mark.parametrize("said", ["fix: x\n\nCloses #40", "Fixes #40 and #41", "resolved: #40", "closes AB#40"])
def test_what_a_commit_closes_besides_is_counted(said):
    found = judged(GATE, evidence(items=(item(12),), commits=(commit(said),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "#40" in found.reason


def test_a_mere_mention_closes_nothing():
    seen = evidence(items=(item(12),), commits=(commit("fix: as in #40"), commit("docs: see #41, fixed in #42")))
    assert judged(GATE, seen, asked(GATE)).outcome is Outcome.MET


def test_a_policy_may_allow_more():
    assert judged(GATE, evidence(items=(item(12), item(13))), asked(GATE, tickets=2)).outcome is Outcome.MET


def test_without_a_ticket_there_is_nothing_to_go_beyond():
    assert judged(GATE, evidence(change=a_change(body="")), asked(GATE)).outcome is Outcome.NOT_APPLICABLE


def test_what_could_not_be_had_may_name_more():
    assert judged(GATE, evidence(items=UNKNOWN), asked(GATE)).outcome is Outcome.NOT_AVAILABLE
    assert judged(GATE, evidence(items=(item(12),), commits=UNKNOWN), asked(GATE)).outcome is Outcome.NOT_AVAILABLE
    assert (
        judged(GATE, evidence(change=a_change(body=""), commits=UNKNOWN), asked(GATE)).outcome is Outcome.NOT_AVAILABLE
    )


def test_too_many_are_too_many_whatever_else_is_unknown():
    assert judged(GATE, evidence(items=(item(12), item(13)), commits=UNKNOWN), asked(GATE)).outcome is Outcome.UNMET


def test_an_issue_that_is_only_mentioned_is_no_second_ticket():
    aside = item(40, type="", forge=ForgeName.GITHUB, project="contoso/desk", fields={"doneright.link": "names"})
    assert judged(GATE, evidence(items=(item(12), aside)), asked(GATE)).measured == {"tickets": 1}
