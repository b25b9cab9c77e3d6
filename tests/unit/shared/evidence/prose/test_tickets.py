"""Which tickets a change is for, what each is, and what it says."""

from __future__ import annotations

import pytest

from shared.domain.definition import WorkItemKind
from shared.evidence.prose.tickets import item_kind, meant, named, served, texts
from tests.fakes.changes import a_change, item

MENTIONED = {"fields": {"doneright.link": "names"}}


def test_a_ticket_that_is_only_mentioned_is_not_meant_beside_one_that_is_closed():
    closed, aside = item(5, fields={"doneright.link": "closes"}), item(40, **MENTIONED)
    change = a_change(source="export", title="Export orders")
    assert meant(change, (closed, aside)) == (closed,)
    assert meant(change, (aside,)) == (aside,)
    assert meant(change, ()) == ()


@pytest.mark.parametrize("said", [{"source": "feature/40-x"}, {"title": "Export (#40)"}])
def test_the_branch_and_the_title_mean_what_they_name(said):
    closed, named_ = item(5), item(40, **MENTIONED)
    assert meant(a_change(**{"source": "x", "title": "x"} | said), (closed, named_)) == (closed, named_)
    assert meant(a_change(source="x", title="x 140"), (closed, named_)) == (closed,)


@pytest.mark.parametrize(
    ("type_", "tags", "kind"),
    [
        ("Epic", (), WorkItemKind.EPIC),
        ("", ("good first issue", "type: user-story"), WorkItemKind.REQUIREMENT),
        ("", ("enhancement",), WorkItemKind.FEATURE),
        ("Wish", (), None),
        ("", (), None),
    ],
)
def test_a_level_is_named_by_type_or_label(type_, tags, kind):
    assert item_kind(item(1, type_, kind=None, tags=tags)) is kind


def test_a_level_that_the_process_gives_holds():
    assert item_kind(item(1, "Bug", kind=WorkItemKind.TASK)) is WorkItemKind.TASK


def test_a_task_serves_what_it_is_part_of_with_what_stands_above_that():
    feature = item(2, "Feature")
    story = item(5, "User Story")
    found = served(item(9, "Task", parents=(item(8, "Task"), story, feature)))
    assert found.id == 5
    assert [one.id for one in found.parents] == [2]
    alone = item(9, "Task")
    assert served(alone) == alone
    assert served(feature) == feature


def test_all_that_is_written_is_read_and_how_it_is_linked_is_not():
    one = item(5, body="a", acceptance="b", fields={"Custom.C": "c", "doneright.link": "closes"}, comments=("d", " "))
    assert list(texts(one)) == ["a", "b", "c", "d"]


def test_a_ticket_is_named_with_type_number_and_title():
    assert named(item(5, title="Export orders")) == "User Story #5 'Export orders'"
    assert named(item(5, "", title="Export orders")) == "ticket #5 'Export orders'"
