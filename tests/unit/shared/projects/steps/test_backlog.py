"""The backlog step: each item once, under its parent; what people do with it later is theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, TransientError
from shared.projects.steps.backlog import AT_ONCE
from tests.fakes.forges import Fault

STEP = "azure_devops.backlog"


def board(bench):
    return bench.app.azure.items["order desk"]


def test_every_item_is_made_once_under_its_parent(bench):
    outcome = bench.attempt(STEP)
    planned = bench.plan.step(STEP).inputs["items"]
    assert outcome.state is StepState.APPLIED
    assert outcome.observed == {"items": len(planned)}
    # Those below one parent in their order, whatever is made beside them.
    keys = {item["key"]: item["title"] for item in planned}
    below = {title: [] for title in [None, *keys.values()]}
    for item in planned:
        below[keys.get(item["parent"])].append(item["title"])
    by_id = {item.id: item for item in board(bench)}
    depth = {"Epic": None, "Feature": "Epic", "User Story": "Feature", "Task": "User Story"}
    for title, children in below.items():
        shown = [one.title for one in board(bench) if (by_id[one.parent_id].title if one.parent_id else None) == title]
        assert shown == children
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


@pytest.fixture
def another_run(bench):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    return bench


def test_taken_back_children_go_before_their_parents(another_run, monkeypatch):
    another_run.made(STEP)
    azure, gone = another_run.app.azure, []
    delete = azure.delete_work_item
    monkeypatch.setattr(azure, "delete_work_item", lambda *asked: (gone.append(asked[1]), delete(*asked)))
    made = {item.id: item.parent_id for item in board(another_run)}
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert sorted(gone) == sorted(made)
    assert all(parent is None or gone.index(number) < gone.index(parent) for number, parent in made.items())


def test_no_two_items_are_made_at_once_below_one_parent(bench):
    rounds = []
    together = bench.app.ports.together

    def counted(works):
        before = len(board(bench))
        together(works)
        rounds.append([item.parent_id for item in board(bench)[before:]])

    bench.app.ports = replace(bench.app.ports, together=counted)
    bench.made(STEP)
    assert all(len(parents) == len(set(parents)) <= AT_ONCE for parents in rounds)
    assert max(map(len, rounds)) > 1
    assert sum(map(len, rounds)) == len(board(bench))


def test_items_below_one_that_nobody_planned_are_a_defect_of_the_plan(bench):
    items = [{"key": "a", "type": "Task", "title": "A", "parent": "nobody"}]
    with pytest.raises(DefectError, match="hang under nothing that is planned"):
        bench.attempt(STEP, items=items)


def test_taken_back_what_people_took_up_stays_with_all_above_it(another_run):
    another_run.made(STEP)
    items = board(another_run)
    place = max(n for n, item in enumerate(items) if item.type == "Task")
    items[place] = items[place].model_copy(update={"state": "Active"})
    above, parent = [items[place].id], items[place].parent_id
    while parent is not None:
        above.append(parent)
        parent = next(item.parent_id for item in items if item.id == parent)
    reversal = another_run.reversed(STEP)
    assert reversal.state is ReversalState.REMOVED
    assert "changed since, so kept" in reversal.reason
    assert sorted(item.id for item in board(another_run)) == sorted(above)
    again = another_run.attempt(STEP)
    assert again.state is StepState.APPLIED
    assert len(board(another_run)) == len(another_run.plan.step(STEP).inputs["items"])


def test_taken_back_a_backlog_that_people_took_up_whole_stays(another_run):
    another_run.made(STEP)
    items = board(another_run)
    items[:] = [item.model_copy(update={"title": f"Ours: {item.title}"}) for item in items]
    intents = another_run.intents()
    assert another_run.reversed(STEP).state is ReversalState.KEPT
    assert another_run.intents() == intents
    assert "delete_work_item" not in another_run.app.azure.calls


def test_taken_back_in_half_it_goes_on_where_it_was_cut_off(another_run):
    before = another_run.intents()
    another_run.made(STEP)
    azure = another_run.app.azure
    delete = azure.delete_work_item
    left = [3]

    def cut_off(project, item_id):
        if not left[0]:
            raise TransientError("cut off")
        left[0] -= 1
        delete(project, item_id)

    azure.delete_work_item = cut_off
    with pytest.raises(TransientError):
        another_run.reverse(STEP)
    assert board(another_run)
    azure.delete_work_item = delete
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert (board(another_run), another_run.intents()) == ([], before)


def test_of_a_project_that_somebody_removed_no_item_is_left(another_run):
    another_run.made(STEP)
    another_run.app.azure.projects.clear()
    assert another_run.reversed(STEP).state is ReversalState.REMOVED


def test_what_a_twin_of_this_try_makes_meanwhile_is_not_made_again(bench):
    # An activity that is delivered twice runs twice, and both have looked before either makes anything.
    bench.app.azure.after["classification"] = lambda: bench.made(STEP)
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert len(board(bench)) == len(bench.plan.step(STEP).inputs["items"])
