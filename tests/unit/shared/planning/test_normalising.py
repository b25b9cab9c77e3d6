"""Exactly the fixes that were asked for are applied, to items as they were judged, read back, once."""

from __future__ import annotations

import pytest

from shared.domain.audit import AuditTag
from shared.domain.backlog import FindingKind, FixState
from shared.errors import RefusedError
from shared.planning import normalising, reading
from shared.planning.ports import Asker
from tests.fakes.app import a_connection
from tests.fakes.backlogs import entry
from tests.fakes.forges import Fault
from tests.fakes.planning import SHOP, PlanningApp

ASKER = Asker("backlog-1", "person-1")


@pytest.fixture
def app():
    app = PlanningApp()
    app.connect_to()
    app.a_project()
    app.azure.put(
        entry(1, "Epic", "Shop"),
        entry(2, "Feature", "Payments", 1),
        entry(3, "Feature", "Shipping of parcels", 1),
        entry(4, "User Story", "Label parcels for shipping"),
        entry(5, "User Story", "Take a card", 1, tags=("cards",)),
        entry(6, "Task", "Nobody knows where"),
        entry(7, "User Story", "Something else", 2),
    )
    return app


def asked(app, *chosen, containers=False, everything=False, asker=ASKER):
    return normalising.normalise(
        app.planning, "order-desk", None if everything else chosen, asker, containers=containers
    )


def states(view):
    return {one.fix: one.state for one in view.outcomes}


def test_the_view_tells_both_forges_and_counts_the_calls(app):
    app.github.put_issue(1, "Shop", labels=("epic",))
    app.github.put_issue(2, "Pay", labels=("type: feature",))
    azure, github = reading.view(app.planning, "order-desk").backlogs
    assert (azure.place, azure.items, azure.calls) == ("Order Desk", 7, 2)
    assert azure.hierarchy == "Epic > Feature > User Story > Task"
    assert {one.kind for one in azure.findings} == {FindingKind.ORPHAN, FindingKind.LEVEL_SKIPPED}
    assert (github.place, github.hierarchy, github.calls) == ("acme/order-desk", "Epic > Feature", 1)
    assert [one.fix.id for one in github.findings if one.fix] == ["github:2-under-1"]
    assert [node.id for node in azure.tree] == [1, 4, 6]


def test_a_forge_that_refuses_hides_no_other(app):
    app.azure.fail("backlog", Fault.REFUSED)
    azure, github = reading.view(app.planning, "order-desk").backlogs
    assert "refuses" in azure.unavailable
    assert github.unavailable == ""


def test_a_plan_is_data_and_changes_nothing(app):
    view = normalising.plan(app.planning, "order-desk", None, containers=False)
    assert view.dry_run
    assert [fix.id for fix in view.fixes] == ["azure_devops:4-under-3"]
    assert app.azure.changes() == app.github.changes() == []
    some = normalising.plan(app.planning, "order-desk", ["azure_devops:6-under-unsorted"], containers=False)
    assert [(fix.item, fix.container) for fix in some.fixes] == [(6, "User Story")]


def test_what_is_asked_is_applied_read_back_and_recorded_once(app):
    view = asked(app, "azure_devops:4-under-3")
    assert states(view) == {"azure_devops:4-under-3": FixState.APPLIED}
    assert app.azure.shown[4].parent == 3
    assert app.azure.shown[5].parent == 1
    (event,) = app.events("order-desk")
    assert (event.tag, event.actor) == (AuditTag.AZURE_DEVOPS_ITEM_MOVED, "person-1")
    assert event.detail is not None
    assert (event.detail["before"], event.detail["parent"], event.detail["read_back"]) == (None, 3, True)
    again = asked(app, "azure_devops:4-under-3", asker=Asker("backlog-2", "person-1"))
    assert states(again) == {"azure_devops:4-under-3": FixState.ALREADY}
    assert len(app.events("order-desk")) == 1


def test_all_with_containers_leaves_nothing_and_asked_again_changes_nothing(app):
    view = asked(app, everything=True, containers=True)
    assert set(states(view).values()) == {FixState.APPLIED}
    (azure, _) = reading.view(app.planning, "order-desk").backlogs
    assert azure.findings == ()
    box = app.azure.shown[app.azure.shown[6].parent]
    assert (box.type, box.title) == ("User Story", "Unsorted")
    assert app.azure.shown[box.parent].type == "Feature"
    before = dict(app.azure.shown)
    assert asked(app, everything=True, containers=True).outcomes == ()
    assert app.azure.shown == before
    assert states(asked(app, "azure_devops:6-under-unsorted")) == {"azure_devops:6-under-unsorted": FixState.ALREADY}


def test_what_is_not_proposed_any_more_is_stale(app):
    view = asked(app, "azure_devops:5-under-3", "azure_devops:99-alone", "azure_devops:7-alone")
    assert set(states(view).values()) == {FixState.STALE}
    assert app.azure.changes() == []
    assert states(asked(app, "azure_devops:1-alone")) == {"azure_devops:1-alone": FixState.ALREADY}


def test_somebody_else_s_change_in_between_wins(app):
    def meddle():
        app.azure.shown[4] = app.azure.shown[4].model_copy(update={"revision": 9})

    app.azure.after["backlog"] = meddle
    (outcome,) = asked(app, "azure_devops:4-under-3").outcomes
    assert outcome.state is FixState.CONFLICT
    assert app.azure.shown[4].parent is None
    assert app.events("order-desk") == []


def test_what_is_not_seen_there_was_not_done(app):
    app.azure.deaf_parents = True
    (outcome,) = asked(app, "azure_devops:4-under-3").outcomes
    assert outcome.state is FixState.CONFLICT
    assert "not seen there" in outcome.reason
    assert app.events("order-desk") == []


def test_a_refusal_stops_no_other_and_impatience_all(app):
    app.azure.fail("set_work_item_parent", Fault.REFUSED)
    view = asked(app, everything=True, containers=True)
    assert sorted(one.state for one in view.outcomes) == ["applied", "applied", "refused"]
    app.azure.fail("set_work_item_parent", Fault.LOST, retry_after=7)
    waiting = asked(app, everything=True, containers=True)
    assert set(states(waiting).values()) == {FixState.WAITING}
    assert waiting.retry_after == 7
    done = asked(app, everything=True, containers=True)
    assert FixState.WAITING not in states(done).values()
    assert reading.view(app.planning, "order-desk").backlogs[0].findings == ()


def test_what_could_not_be_read_back_is_recorded_so_and_waits(app):
    app.azure.after["set_work_item_parent"] = lambda: app.azure.fail("backlog", Fault.TRANSIENT)
    view = asked(app, "azure_devops:4-under-3")
    assert states(view) == {"azure_devops:4-under-3": FixState.WAITING}
    assert view.retry_after == 5
    (event,) = app.events("order-desk")
    assert event.detail is not None
    assert event.detail["read_back"] is False


def test_more_than_fits_in_a_call_waits_for_the_next(app, monkeypatch):
    monkeypatch.setattr(normalising, "MOST_FIXES", 1)
    view = asked(app, everything=True, containers=True)
    assert (len(view.outcomes), view.left) == (1, 2)
    for _ in range(4):
        view = asked(app, everything=True, containers=True)
    assert view.outcomes == ()
    assert view.left == 0


def test_issues_of_github_are_mended_the_same_way(app):
    app.azure.shown.clear()
    app.github.put_issue(1, "Shop", labels=("epic",))
    app.github.put_issue(2, "Payments", labels=("Feature",), parent="acme/order-desk#1")
    app.github.put_issue(3, "Take a card", labels=("user-story",), parent="acme/order-desk#1")
    app.github.put_issue(4, "Nothing to do with it")
    app.github.put_issue(5, "Old", labels=("feature",), state="closed")
    view = asked(app, everything=True)
    assert states(view) == {"github:3-under-2": FixState.APPLIED}
    assert app.github.issues_at(SHOP)[3].parent == "acme/order-desk#2"
    assert app.tags("order-desk") == [AuditTag.GITHUB_ITEM_MOVED]
    assert asked(app, everything=True).outcomes == ()


def test_a_container_of_github_carries_the_repository_s_own_label(app):
    app.azure.shown.clear()
    app.github.put_issue(1, "Shop", labels=("type/epic",))
    app.github.put_issue(2, "Office", labels=("type/epic",))
    app.github.put_issue(3, "Payments", labels=("feature",))
    view = asked(app, everything=True, containers=True)
    assert states(view) == {"github:3-under-unsorted": FixState.APPLIED}
    made = app.github.issues_at(SHOP)[4]
    assert (made.title, made.labels) == ("Unsorted", ("type/epic", "doneright:unsorted-epic"))
    assert app.github.issues_at(SHOP)[3].parent == "acme/order-desk#4"


def test_parents_that_are_closed_or_elsewhere_are_looked_up(app):
    app.azure.shown.clear()
    other = SHOP.model_copy(update={"name": "portfolio"})
    app.github.put_issue(1, "Shop", labels=("epic",), state="closed")
    app.github.put_issue(9, "Group", labels=("epic",), ref=other)
    app.github.put_issue(2, "Payments", labels=("feature",), parent="acme/order-desk#1")
    app.github.put_issue(3, "Shipping", labels=("feature",), parent="acme/portfolio#9")
    app.github.put_issue(4, "Returns", labels=("feature",), parent="acme/secret#5")
    app.github.put_issue(5, "Other", labels=("epic",))
    github = reading.view(app.planning, "order-desk").backlogs[1]
    told = {one.item: one for one in github.findings}
    assert told[2].kind is FindingKind.PARENT_CLOSED
    assert told[3].kind is told[4].kind is FindingKind.PARENT_ELSEWHERE
    assert "acme/portfolio" in told[3].explanation
    assert github.calls == 4


def test_a_connection_that_may_change_nothing_refuses(app):
    app.connect_to(a_connection(paused=True))
    with pytest.raises(RefusedError, match="is paused"):
        asked(app, everything=True)
    app.connect_to(a_connection(mode="advisory"))
    with pytest.raises(RefusedError, match="advisory"):
        asked(app, everything=True)
    assert normalising.plan(app.planning, "order-desk", None, containers=False).fixes
    with pytest.raises(RefusedError, match="no project"):
        normalising.plan(app.planning, "nothing", None, containers=False)
