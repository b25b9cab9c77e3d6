"""The backlog step: each item once, under its parent; what people do with it later is theirs."""

from __future__ import annotations

import pytest

from shared.domain.plan import StepState
from shared.errors import DefectError, TransientError
from tests.fakes.forges import Fault

STEP = "azure_devops.backlog"


def board(bench):
    return bench.app.azure.items["order desk"]


def test_every_item_is_made_once_under_its_parent(bench):
    outcome = bench.attempt(STEP)
    planned = bench.plan.step(STEP).inputs["items"]
    assert outcome.state is StepState.APPLIED
    assert outcome.observed == {"items": len(planned)}
    assert [item.title for item in board(bench)] == [item["title"] for item in planned]
    by_id = {item.id: item for item in board(bench)}
    depth = {"Epic": None, "Feature": "Epic", "User Story": "Feature", "Task": "User Story"}
    for item in board(bench):
        assert (by_id[item.parent_id].type if item.parent_id else None) == depth[item.type]
    assert "Take an order" in [item.title for item in board(bench)]


def test_the_second_time_it_is_confirmed(bench):
    assert bench.twice(STEP).state is StepState.CONFIRMED


def test_what_people_changed_since_stays_theirs(bench):
    bench.made(STEP)
    board(bench).pop()
    before = list(board(bench))
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.CONFIRMED
    assert f"{len(before)} of {len(before) + 1}" in outcome.reason
    assert board(bench) == before


@pytest.mark.parametrize("lost_at", [0, 1, 5])
def test_answers_lost_after_the_effect_leave_exactly_one_of_each(bench, lost_at):
    for number in range(lost_at + 1):
        del number
        bench.app.azure.fail("create_work_item", Fault.LOST)
    for _ in range(lost_at + 1):
        with pytest.raises(TransientError):
            bench.attempt(STEP)
    bench.made(STEP)
    titles = [item.title for item in board(bench)]
    assert len(titles) == len(set(titles)) == len(bench.plan.step(STEP).inputs["items"])


def test_items_that_do_not_show_yet_are_waited_for(bench):
    reads = []

    def late(items):
        reads.append(len(items))
        return items[:-1] if len(reads) == 2 else items

    bench.app.azure.items_as_read = late
    assert bench.attempt(STEP).state is StepState.WAITING
    assert bench.attempt(STEP).state is StepState.CONFIRMED
    assert len(board(bench)) == len(bench.plan.step(STEP).inputs["items"])


def test_items_that_hang_elsewhere_fail_with_the_remedy(bench):
    bench.app.azure.items_as_read = lambda items: [item.model_copy(update={"parent_id": 99}) for item in items]
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "hangs under 99" in outcome.reason
    assert outcome.remedy


def test_items_that_are_no_list_are_a_defect_of_the_plan(bench):
    with pytest.raises(DefectError, match="not a list"):
        bench.attempt(STEP, items="x")
