"""Both forges say the same state, and what they say is read back or told to be doubtful."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.load import ticket_lifecycle
from shared.domain.lifecycle import IssueState, LifecycleState
from shared.domain.process import TYPES
from shared.domain.project import Process
from shared.policies.mirroring import mirrored, read_names, read_work_item, relabelled

LIFE = ticket_lifecycle()
S = LifecycleState
TYPED = sorted((process, name) for process, names in TYPES.items() for name in names)
others = st.lists(st.sampled_from(["bug", "P0", "category: bug", "state of things", "state:"]), max_size=4)


@given(st.sampled_from(S), others, st.lists(st.sampled_from(S), max_size=3))
def test_relabelling_leaves_one_state_and_all_that_is_others(state: S, names: list[str], before: list[S]) -> None:
    labels = relabelled(LIFE, [*names, *map(LIFE.name_of, before)], state)
    assert read_names(LIFE, labels).state is state
    assert [label for label in labels if label in names] == names
    assert relabelled(LIFE, labels, state) == labels


@given(st.sampled_from(S), st.sampled_from(TYPED), others)
def test_what_is_mirrored_to_a_board_is_read_back(state: S, typed: tuple[Process, str], names: list[str]) -> None:
    process, type_ = typed
    shown = mirrored(LIFE, state, process, type_)
    found = read_work_item(LIFE, process, type_.upper(), shown.board.lower(), [*names, shown.tag.upper()])
    assert (found.state, found.problem) == (state, "")


def test_issues_close_when_deployed_or_rejected() -> None:
    closed = {state: mirrored(LIFE, state).issue for state in S if mirrored(LIFE, state).issue is not IssueState.OPEN}
    assert closed == {S.DEPLOYED: IssueState.COMPLETED, S.REJECTED: IssueState.NOT_PLANNED}


@pytest.mark.parametrize(
    ("process", "type_", "states"),
    [
        (Process.AGILE, "User Story", {"New", "Active", "Resolved", "Closed", "Removed"}),
        (Process.SCRUM, "Product Backlog Item", {"New", "Approved", "Committed", "Done", "Removed"}),
        (Process.CMMI, "Requirement", {"Proposed", "Active", "Resolved", "Closed"}),
        (Process.BASIC, "Issue", {"To Do", "Doing", "Done"}),
    ],
)
def test_every_board_state_of_a_requirement_stands_for_something(
    process: Process, type_: str, states: set[str]
) -> None:
    assert {mirrored(LIFE, state, process, type_).board for state in S} == states


def test_without_a_board_there_is_a_tag_alone() -> None:
    assert mirrored(LIFE, S.TESTED, Process.AGILE, "Test Case").board == ""
    assert mirrored(LIFE, S.TESTED).board == ""
    assert read_work_item(LIFE, Process.AGILE, "Test Case", "Design", ["state: tested"]).state is S.TESTED


def test_no_state_and_two_states_are_told() -> None:
    none = read_names(LIFE, ["bug"])
    assert (none.state, none.candidates) == (None, ())
    assert "no label or tag begins with 'state:'" in none.problem
    two = read_names(LIFE, ["state: merged", "State:  In Review"])
    assert (two.state, two.candidates) == (None, (S.IN_REVIEW, S.MERGED))
    assert "state: in review, state: merged" in two.problem
    assert read_work_item(LIFE, Process.AGILE, "Bug", "New", ["state: merged", "state: tested"]).state is None


def test_without_a_tag_the_board_decides_where_it_leaves_no_choice() -> None:
    assert read_work_item(LIFE, Process.SCRUM, "Bug", "Approved", []).state is S.ACCEPTED
    assert read_work_item(LIFE, Process.AGILE, "User Story", "Closed", []).state is S.DEPLOYED
    several = read_work_item(LIFE, Process.AGILE, "User Story", "Resolved", [])
    assert (several.state, several.candidates) == (None, (S.IN_REVIEW, S.MERGED))
    unknown = read_work_item(LIFE, Process.AGILE, "User Story", "On hold", [])
    assert (unknown.state, unknown.candidates) == (None, ())
    assert "'On hold' stands for none" in unknown.problem


def test_a_card_moved_by_hand_is_told() -> None:
    found = read_work_item(LIFE, Process.AGILE, "User Story", "Closed", ["state: tested"])
    assert found.state is None
    assert found.candidates == (S.TESTED, S.DEPLOYED)
    assert "whose board state is 'Active'; the work item is 'Closed'" in found.problem
