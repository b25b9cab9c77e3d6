"""Issues and work items are sorted once, linked to what they name, and left alone where a person has decided."""

from __future__ import annotations

import pytest

from shared.domain.audit import TENANT, AuditTag
from shared.domain.forge import RepositoryRef
from shared.domain.issue_category import IssueToSort, LabelState
from shared.errors import RefusedError, TransientError
from shared.planning import sorting
from shared.planning.linking import MARK
from shared.planning.ports import Asker
from tests.fakes.app import REQUESTS, a_connection
from tests.fakes.backlogs import entry
from tests.fakes.forges import Fault
from tests.fakes.planning import SHOP, PlanningApp

CRASH = "App crashes when saving: exception"


@pytest.fixture
def app():
    app = PlanningApp()
    app.connect_to()
    app.a_project()
    for name in ("order-desk", "requests", "other"):
        app.github.put_repository(RepositoryRef(owner="acme", name=name))
    return app


def asker(number=1):
    return Asker(f"categorise-{number}", "person-1")


def swept(app, number=1, *, dry=False):
    return sorting.sort_project(app.planning, "order-desk", asker(number), dry=dry)


def delivered(app, number, ref=SHOP, occasion=1):
    return sorting.sort_delivered(
        app.planning, IssueToSort(connection="acme", repository=str(ref), number=number), asker(occasion)
    )


def test_a_delivered_issue_gets_its_label_once(app):
    app.github.put_issue(1, CRASH, labels=("P1",))
    item = delivered(app, 1)
    assert (item.verdict.category, item.label, item.state) == ("bug", "category: bug", LabelState.SET)
    assert (item.belongs.project, item.belongs.reason) == ("order-desk", "acme/order-desk is its repository")
    assert app.github.issues_at(SHOP)[1].labels == ("P1", "category: bug")
    label = {one.name: one for one in app.github.labels(SHOP)}["category: bug"]
    assert "Set by Doneright" in label.description
    (event,) = app.events("order-desk")
    assert event.tag is AuditTag.GITHUB_ISSUE_CATEGORISED
    assert event.detail is not None
    assert "crashes" in str(event.detail["why"])
    before = list(app.github.changes())
    assert delivered(app, 1, occasion=2).state is LabelState.UNCHANGED
    assert app.github.changes() == before
    assert app.github.said[str(SHOP), 1] == []


def test_an_edited_issue_changes_our_label_alone(app):
    app.github.put_issue(1, CRASH, labels=("P1",))
    delivered(app, 1)
    app.github.put_issue(1, "Typo in the tutorial", labels=("P1", "category: bug"))
    assert delivered(app, 1, occasion=2).state is LabelState.CHANGED
    assert app.github.issues_at(SHOP)[1].labels == ("P1", "category: documentation")
    app.github.put_issue(1, "Lunch", labels=("P1", "category: documentation"))
    assert delivered(app, 1, occasion=3).state is LabelState.TAKEN_OFF
    assert app.github.issues_at(SHOP)[1].labels == ("P1",)
    app.github.put_issue(1, CRASH, labels=("P1",))
    assert delivered(app, 1, occasion=4).state is LabelState.SET


def test_a_person_s_contrary_label_wins_and_is_not_fought_over(app):
    app.github.put_issue(1, CRASH)
    delivered(app, 1)
    app.github.relabel(1, "category: bug", "question")
    assert delivered(app, 1, occasion=2).state is LabelState.TAKEN_OFF
    assert app.github.issues_at(SHOP)[1].labels == ("question",)
    app.github.relabel(1)
    app.github.put_issue(2, CRASH)
    delivered(app, 2)
    app.github.relabel(2)
    for occasion in (3, 4):
        assert delivered(app, 2, occasion=occasion).state is LabelState.LEFT_TO_PEOPLE
    assert app.github.issues_at(SHOP)[2].labels == ()


def test_an_answer_lost_on_the_way_is_not_taken_for_a_person(app):
    app.github.put_issue(1, CRASH)
    app.github.fail("add_issue_label", Fault.LOST)
    with pytest.raises(TransientError):
        delivered(app, 1)
    assert delivered(app, 1, occasion=2).state is LabelState.SET
    assert app.tags("order-desk") == [AuditTag.GITHUB_ISSUE_CATEGORISED]
    assert delivered(app, 1, occasion=3).state is LabelState.UNCHANGED


def test_a_label_that_is_not_seen_is_told(app):
    app.github.put_issue(1, CRASH)
    app.github.deaf_labels = True
    item = delivered(app, 1)
    assert item.state is LabelState.REFUSED
    assert "not seen" in item.reason
    assert app.events("order-desk") == []


def test_an_issue_of_another_repository_is_linked_to_the_project_it_names(app):
    app.a_project("Order Desk Archive")
    app.github.put_issue(3, "Order desk: it crashes with an exception", ref=REQUESTS)
    item = delivered(app, 3, REQUESTS)
    assert item.belongs.project == "order-desk"
    (comment,) = app.github.said["acme/requests", 3]
    assert "**Order Desk**" in comment.body
    delivered(app, 3, REQUESTS, 2)
    assert len(app.github.said["acme/requests", 3]) == 1
    app.github.put_issue(3, "The Order Desk Archive crashes with an exception", ref=REQUESTS, labels=("category: bug",))
    delivered(app, 3, REQUESTS, 3)
    (comment,) = app.github.said["acme/requests", 3]
    assert "**Order Desk Archive**" in comment.body
    app.github.put_issue(4, "Order Desk and order-desk-archive", ref=REQUESTS)
    assert delivered(app, 4, REQUESTS).belongs.reason.startswith("it names several projects")
    assert app.tags(TENANT) == []


def test_a_work_item_that_is_named_is_linked_both_ways_once(app):
    app.azure.put(entry(12, "User Story", "Secret plans", url="https://dev/12"), entry(13, "Task", project="Stranger"))
    app.github.put_issue(5, "Lunch", "For AB#12, ab#13 and AB#99, not `AB#14`.", ref=REQUESTS)
    item = delivered(app, 5, REQUESTS)
    assert (item.belongs.project, item.belongs.work_items, item.belongs.unknown) == ("order-desk", (12,), (13, 99))
    assert app.azure.linked == {12: ["https://github.example/acme/requests/issues/5"]}
    (comment,) = app.github.said["acme/requests", 5]
    assert "[work item 12](https://dev/12)" in comment.body
    assert "Secret plans" not in comment.body
    assert MARK in comment.body
    assert app.tags("order-desk") == [AuditTag.AZURE_DEVOPS_ITEM_LINKED, AuditTag.GITHUB_ISSUE_LINKED]
    delivered(app, 5, REQUESTS, 2)
    assert len(app.events("order-desk")) == 2


def test_who_may_not_write_links_no_work_item(app):
    app.azure.put(entry(12, "User Story"))
    app.github.put_issue(5, "Lunch", "AB#12", author="stranger")
    assert delivered(app, 5).belongs.work_items == ()
    assert app.azure.linked == {}


def test_work_items_of_several_projects_tell_none(app):
    app.a_project("Web Shop")
    app.azure.put(entry(12, "User Story"), entry(14, "User Story", project="Web Shop"))
    app.github.put_issue(5, "Lunch", "AB#12 AB#14", ref=REQUESTS)
    item = delivered(app, 5, REQUESTS)
    assert item.belongs.project == ""
    assert "several projects: order-desk, web-shop" in item.belongs.reason
    assert app.azure.linked.keys() == {12, 14}


def test_a_whole_project_is_sorted_on_both_forges(app):
    app.github.put_issue(1, CRASH)
    app.github.put_issue(2, "Lunch")
    app.github.put_issue(3, "New project", labels=("New-Project",))
    app.github.put_issue(4, "Unsorted", labels=("doneright:unsorted-epic",))
    app.github.put_issue(5, "Closed crash exception", state="closed")
    app.azure.put(
        entry(11, "User Story", "Typo in the tutorial", description="<p>See docs/x.md</p>", tags=("web",)),
        entry(12, "Bug", "Something odd"),
        entry(13, "Task", CRASH),
        entry(14, "Epic", CRASH),
        entry(15, "Test Case", CRASH),
        entry(16, "User Story", CRASH, tags=("doneright:seed",)),
        entry(17, "User Story", CRASH, state="Closed"),
    )
    dry = swept(app, dry=True)
    assert dry.counts == {"bug": 2, "documentation": 1, "uncategorised": 1}
    assert app.github.changes() == app.azure.changes() == []
    view = swept(app)
    assert {one.number: one.state for one in view.items} == {
        1: LabelState.SET, 2: LabelState.NONE, 11: LabelState.SET, 12: LabelState.SET,
    }  # fmt: skip
    assert app.azure.shown[11].tags == ("web", "category: documentation")
    assert app.azure.shown[12].tags == ("category: bug",)
    assert app.tags("order-desk").count(AuditTag.AZURE_DEVOPS_ITEM_CATEGORISED) == 2
    again = swept(app, 2)
    assert {one.state for one in again.items} == {LabelState.UNCHANGED, LabelState.NONE}
    assert len(app.events("order-desk")) == 3


def test_a_person_s_tag_wins_too(app):
    app.azure.put(entry(11, "User Story", CRASH))
    swept(app)
    app.azure.shown[11] = app.azure.shown[11].model_copy(update={"tags": ()})
    assert [one.state for one in swept(app, 2).items] == [LabelState.LEFT_TO_PEOPLE]
    assert [one.state for one in swept(app, 3).items] == [LabelState.LEFT_TO_PEOPLE]
    assert app.azure.shown[11].tags == ()


def test_what_changes_meanwhile_or_is_refused_is_told(app):
    app.azure.put(entry(11, "User Story", CRASH), entry(12, "User Story", CRASH))
    app.azure.after["backlog"] = lambda: app.azure.shown.update(
        {11: app.azure.shown[11].model_copy(update={"revision": 5})}
    )
    assert {one.number: one.state for one in swept(app).items} == {11: LabelState.REFUSED, 12: LabelState.SET}
    app.azure.fail("set_work_item_tags", Fault.REFUSED)
    assert {one.number: one.state for one in swept(app, 2).items}[11] is LabelState.REFUSED
    app.azure.fail("backlog", Fault.REFUSED)
    assert "refuses" in swept(app, 3).unavailable["azure_devops"]


def test_more_than_fits_in_a_call_waits_for_the_next(app, monkeypatch):
    monkeypatch.setattr(sorting, "MOST_CHANGES", 2)
    for number in (1, 2, 3):
        app.github.put_issue(number, CRASH)
    app.azure.put(entry(11, "User Story", CRASH))
    view = swept(app)
    assert view.left == 2
    assert swept(app, 2).left == 0
    assert {one.state for one in swept(app, 3).items} == {LabelState.UNCHANGED}


def test_impatience_of_a_forge_keeps_what_was_done(app):
    app.github.put_issue(1, CRASH)
    app.github.put_issue(2, CRASH)
    app.github.after["remove_issue_label"] = lambda: None
    app.azure.put(entry(11, "User Story", CRASH))
    app.github.fail("listed_issues", Fault.TRANSIENT, retry_after=9)
    view = swept(app)
    assert [one.number for one in view.items] == [11]
    assert view.retry_after == 9
    app.azure.fail("backlog", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        swept(app, 2)


def test_an_advisory_connection_changes_nothing(app):
    app.connect_to(a_connection(mode="advisory"))
    app.github.put_issue(1, CRASH)
    assert delivered(app, 1).state is LabelState.SET
    assert app.github.changes() == []
    with pytest.raises(RefusedError, match="advisory"):
        swept(app)
    assert swept(app, dry=True).counts == {"bug": 1}


def test_without_azure_devops_no_work_item_is_looked_for(app):
    app.connect_to(a_connection(azure_devops=None))
    app.github.put_issue(1, "Lunch", "AB#12")
    assert delivered(app, 1).belongs.unknown == (12,)


def test_an_unknown_repository_of_the_connection_has_no_project(app):
    other = RepositoryRef(owner="acme", name="other")
    app.github.put_issue(1, CRASH, ref=other)
    assert delivered(app, 1, other).belongs.reason == "it names no project"
    assert app.tags(TENANT) == [AuditTag.GITHUB_ISSUE_CATEGORISED]
