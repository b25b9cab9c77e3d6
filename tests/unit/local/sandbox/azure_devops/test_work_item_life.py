"""Work items keep their history, discussion and links through edits, deletion and restoration."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import fields, refused

pytestmark = pytest.mark.stack
PARENT = "System.LinkTypes.Hierarchy-Reverse"


@pytest.fixture(scope="module")
def tracker(clients: Any) -> Any:
    return clients.get_work_item_tracking_client()


def make(tracker: Any, title: str = "t", kind: str = "Task", project: str = "Shop", *links: Any, **more: Any) -> Any:
    return tracker.create_work_item([*fields(System_Title=title, **more), *links], project, kind)


def link(url: str, rel: str = PARENT, **attributes: Any) -> dict[str, Any]:
    return {"op": "add", "path": "/relations/-", "value": {"rel": rel, "url": url, "attributes": attributes}}


def test_the_recycle_bin_gives_back_what_the_links_still_allow(tracker: Any, raw: Any, connect: Any) -> None:
    parent, other = make(tracker, "parent", "Epic"), make(tracker, "other")
    child = make(tracker, "child", "Feature", "Shop", link(parent.url), link(other.url, "System.LinkTypes.Related"))
    web = {"op": "add", "path": "/relations/-", "value": {"rel": "Hyperlink", "url": "https://x.example/"}}
    tracker.update_work_item([web], child.id)
    deleted = tracker.delete_work_item(child.id)
    assert (deleted.code, deleted.name) == (200, "child")
    assert tracker.get_work_item(parent.id, expand="Relations").relations is None
    assert child.id in [w["id"] for w in raw.ok("GET", "/Shop/_apis/wit/recyclebin")["value"]]
    assert child.id not in [w["id"] for w in raw.ok("GET", "/Formal/_apis/wit/recyclebin")["value"]]
    assert raw.ok("GET", f"/_apis/wit/recyclebin/{child.id}")["resource"]["fields"]["System.Title"] == "child"
    tracker.delete_work_item(other.id)
    raw.no(404, "TF401232", "GET", f"/Formal/_apis/wit/recyclebin/{child.id}")
    refused(lambda: tracker.restore_work_item({"isDeleted": True}, child.id), "isDeleted must be false")
    reader = connect("reader").clients_v7_1.get_work_item_tracking_client()
    refused(lambda: reader.restore_work_item({"isDeleted": False}, child.id), "TF237111")
    tracker.restore_work_item({"isDeleted": False}, child.id)
    back = tracker.get_work_item(child.id, expand="Relations").relations
    # The related item is in the bin itself by now.
    assert [(r.rel, r.attributes.get("name")) for r in back] == [(PARENT, "Parent"), ("Hyperlink", None)]
    refused(lambda: tracker.restore_work_item({"isDeleted": False}, child.id), "TF401232")
    refused(lambda: reader.destroy_work_item(other.id), "TF237111")
    tracker.destroy_work_item(other.id)
    refused(lambda: tracker.get_deleted_work_item(other.id), "TF401232")


def test_destroying_skips_the_bin(tracker: Any) -> None:
    parent = make(tracker, "p", "Epic")
    child = make(tracker, "c", "Feature", "Shop", link(parent.url))
    tracker.delete_work_item(child.id, destroy=True)
    refused(lambda: tracker.get_deleted_work_item(child.id), "TF401232")
    assert tracker.get_work_item(parent.id, expand="Relations").relations is None


def test_the_discussion_is_paged_edited_and_counted(tracker: Any) -> None:
    item = make(tracker)
    made = [tracker.add_comment({"text": f"n{n}"}, "Shop", item.id) for n in range(3)]
    page = tracker.get_comments("Shop", item.id, top=2)
    assert ([c.text for c in page.comments], page.total_count, page.continuation_token) == (["n2", "n1"], 3, "2")
    rest = tracker.get_comments("Shop", item.id, top=2, continuation_token="2")
    assert ([c.text for c in rest.comments], rest.continuation_token) == (["n0"], None)
    assert [c.text for c in tracker.get_comments("Shop", item.id, order="asc").comments] == ["n0", "n1", "n2"]
    edited = tracker.update_comment({"text": "edited"}, "Shop", item.id, made[0].id)
    assert (edited.text, edited.version) == ("edited", 2)
    tracker.delete_comment("Shop", item.id, made[1].id)
    refused(lambda: tracker.get_comment("Shop", item.id, made[1].id), "VS403668")
    assert len(tracker.get_comments("Shop", item.id, include_deleted=True).comments) == 3
    assert tracker.get_work_item(item.id).fields["System.CommentCount"] == 2
    refused(lambda: tracker.add_comment({"text": "  "}, "Shop", item.id), "text")
    changed = tracker.update_work_item(fields(System_History="by patch"), item.id)
    assert changed.fields["System.CommentCount"] == 3
    born = make(tracker, "talks", System_History="from the start")
    assert [c.text for c in tracker.get_comments("Shop", born.id).comments] == ["from the start"]


def test_revisions_updates_and_the_past(tracker: Any, raw: Any) -> None:
    item = make(tracker, "first")
    between = tracker.get_work_item(item.id).fields["System.ChangedDate"]
    time.sleep(0.01)
    tracker.update_work_item(fields(System_Title="second"), item.id)
    tracker.update_work_item([link("https://x.example", "Hyperlink", comment="see")], item.id)
    assert [r.fields["System.Title"] for r in tracker.get_revisions(item.id)] == ["first", "second"]
    assert tracker.get_revision(item.id, 1).fields["System.Title"] == "first"
    refused(lambda: tracker.get_revision(item.id, 9), "VS402331")
    updates = tracker.get_updates(item.id)
    assert updates[1].fields["System.Title"].new_value == "second"
    assert tracker.get_update(item.id, 3).relations.added[0].rel == "Hyperlink"
    refused(lambda: tracker.get_update(item.id, 9), "VS402331")
    assert [u.id for u in tracker.get_updates(item.id, top=1, skip=1)] == [2]
    past = raw.ok("GET", f"/_apis/wit/workItems/{item.id}", asOf=between)
    assert (past["fields"]["System.Title"], past["rev"]) == ("first", 1)
    raw.no(404, "TF401232", "GET", f"/_apis/wit/workItems/{item.id}", asOf="2001-01-01T00:00:00Z")
    edited = [{"op": "replace", "path": "/relations/0/attributes/comment", "value": "look"}]
    assert tracker.update_work_item(edited, item.id).relations[0].attributes["comment"] == "look"
    gone = tracker.update_work_item([{"op": "remove", "path": "/relations/0"}], item.id)
    assert gone.relations is None
    assert tracker.get_updates(item.id)[-1].relations.removed[0].url == "https://x.example"


def test_many_at_once(tracker: Any, raw: Any) -> None:
    one, two = make(tracker, "one"), make(tracker, "two", System_Tags="x; y, x")
    assert two.fields["System.Tags"] == "x; y"
    found = tracker.get_work_items([one.id, two.id], fields=["System.Id", "System.Title"])
    assert [w.fields for w in found] == [
        {"System.Id": one.id, "System.Title": "one"},
        {"System.Id": two.id, "System.Title": "two"},
    ]
    refused(lambda: tracker.get_work_items([one.id, 99_999]), "TF401232")
    lenient = tracker.get_work_items([one.id, 99_999], error_policy="omit")
    assert [w and w.id for w in lenient] == [one.id, None]
    batch = tracker.get_work_items_batch({"ids": [two.id], "fields": ["System.Title"]})
    assert batch[0].fields == {"System.Title": "two"}
    refused(lambda: tracker.get_work_items([one.id], fields=["System.Id"], expand="all"), "expand parameter")
    refused(lambda: tracker.get_work_items_batch({"ids": list(range(201))}), "VS403474")
    raw.no(400, "ids", "GET", "/_apis/wit/workItems")
    raw.no(404, "TF401232", "GET", "/_apis/wit/workItems", ids="²")
    raw.no(404, "TF401232", "GET", "/_apis/wit/workItems/²")
    raw.no(404, "TF401232", "GET", "/_apis/wit/workItems/" + "9" * 6000)
    full = tracker.get_work_item(two.id, expand="All")
    assert full._links.additional_properties["html"]["href"].endswith(f"/Shop/_workitems/edit/{two.id}")
    assert tracker.get_tag("Shop", "x").name == "x"
    refused(lambda: tracker.get_tag("Shop", "none"), "TF237103")
    template = raw.ok("GET", "/Shop/_apis/wit/workItems/$Bug")
    assert (template["id"], template["fields"]["Microsoft.VSTS.Common.Severity"]) == (None, "3 - Medium")


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ([{"op": "add", "path": "/fields/System.Title", "value": "x" * 256}], "InvalidTooLong"),
        (fields(System_Title=""), "Rule Error for field Title"),
        (fields(System_CreatedDate="2020-01-01"), "ReadOnly"),
        (fields(System_AssignedTo="nobody@nowhere.example"), "IdentityNotFound"),
        (fields(Microsoft_VSTS_Common_Priority=9), "InvalidListValue"),
        (fields(Microsoft_VSTS_Scheduling_StoryPoints="many"), "InvalidType"),
        (fields(Microsoft_VSTS_Scheduling_StoryPoints="inf"), "InvalidType"),
        (fields(Microsoft_VSTS_Common_BusinessValue=1e400), "InvalidType"),
        (fields(Microsoft_VSTS_Scheduling_DueDate="someday"), "InvalidType"),
        (fields(System_IterationPath="Nowhere"), "TF401347"),
        ([{"op": "move", "path": "/fields/System.Title", "value": "x"}], "VS403677"),
        ([{"op": "test", "path": "/fields/System.Title", "value": "other"}], "VS403351"),
        ([{"op": "add", "path": "/nowhere", "value": "x"}], "VS403678"),
        ([{"op": "add", "path": "/relations/-", "value": {"rel": "Hyperlink"}}], "VS403676"),
        ([{"op": "remove", "path": "/relations/first"}], "VS403675"),
        ([{"op": "remove", "path": "/relations/7"}], "VS402624"),
        ([{"op": "add", "path": "/relations/7/attributes/comment", "value": "x"}], "VS402624"),
        ([link("http://x/_apis/wit/workItems/1", "No.Such")], "TF201032"),
        ([link("http://x/elsewhere")], "VS402622"),
        ([link("http://x/_apis/wit/workItems/99999")], "TF401232"),
        (["not an operation"], "VS403679"),
    ],
)
def test_patches_that_are_refused_change_nothing(tracker: Any, raw: Any, operations: list[Any], words: str) -> None:
    item = make(tracker, "kept")
    answer = raw.client.patch(
        f"{raw.base}/_apis/wit/workItems/{item.id}?api-version=7.1",
        content=json.dumps(operations),
        headers={"Content-Type": "application/json-patch+json"},
        auth=("", "admin-token"),
    )
    assert 400 <= answer.status_code < 500, answer.text
    assert words in answer.json()["message"]
    after = tracker.get_work_item(item.id, expand="Relations")
    assert (after.rev, after.fields["System.Title"], after.relations) == (1, "kept", None)


def test_values_are_taken_as_the_service_takes_them(tracker: Any, raw: Any) -> None:
    item = make(tracker, "typed", "User Story")
    changed = tracker.update_work_item(
        fields(
            System_AssignedTo="Dev Dana <dana@fabrikam.example>",
            Microsoft_VSTS_Scheduling_StoryPoints="2.5",
            System_BoardColumnDone="true",
            Microsoft_VSTS_Scheduling_DueDate="2030-01-02T03:04:05Z",
        ),
        item.id,
    ).fields
    assert changed["System.AssignedTo"]["uniqueName"] == "dana@fabrikam.example"
    assert (changed["Microsoft.VSTS.Scheduling.StoryPoints"], changed["System.BoardColumnDone"]) == (2.5, True)
    back = tracker.update_work_item([{"op": "remove", "path": "/fields/System.AssignedTo"}], item.id)
    assert "System.AssignedTo" not in back.fields
    same = [
        {"op": "test", "path": "/fields/System.Title", "value": "typed"},
        {"op": "add", "path": "/id", "value": item.id},
    ]
    assert tracker.update_work_item(same, item.id).rev == 3
    states = {}
    for state in ("Active", "Resolved", "Closed", "New"):
        held = tracker.update_work_item(fields(System_State=state), item.id).fields
        states[state] = (held["System.Reason"], "Microsoft.VSTS.Common.ClosedDate" in held)
    assert states["Closed"] == ("Moved to state Closed", True)
    assert states["New"][1] is False
    tried = tracker.update_work_item(fields(System_Title="not kept"), item.id, validate_only=True)
    assert tried.fields["System.Title"] == "typed"
    assert make(tracker, "x").id == make(tracker, "y").id - 1
    unsaved = tracker.create_work_item(fields(System_Title="z"), "Shop", "Task", validate_only=True)
    refused(lambda: tracker.get_work_item(unsaved.id), "TF401232")
    stale = raw.client.patch(
        f"{raw.base}/_apis/wit/workItems/{item.id}?api-version=7.1",
        json=fields(System_Title="late"),
        headers={"Content-Type": "application/json-patch+json", "If-Match": "1"},
        auth=("", "admin-token"),
    )
    assert (stale.status_code, "TF26071" in stale.text) == (409, True)


def test_links_are_refused_in_circles_to_themselves_and_twice(tracker: Any) -> None:
    related, successor = "System.LinkTypes.Related", "System.LinkTypes.Dependency-Forward"
    a, b, c = (make(tracker, name) for name in "abc")
    refused(lambda: tracker.update_work_item([link(a.url, related)], a.id), "TF201039")
    tracker.update_work_item([link(b.url, related), link("https://x.example", "Hyperlink")], a.id)
    refused(lambda: tracker.update_work_item([link(b.url, related)], a.id), "VS402625")
    refused(lambda: tracker.update_work_item([link("https://x.example", "Hyperlink")], a.id), "VS402625")
    tracker.update_work_item([link(b.url, successor)], a.id)
    tracker.update_work_item([link(c.url, successor)], b.id)
    refused(lambda: tracker.update_work_item([link(a.url, successor)], c.id), "TF201035")
    # One wrong link takes the right one of the same patch with it, on both ends.
    refused(lambda: tracker.update_work_item([link(b.url, related), link(c.url, related)], c.id), "TF201039")
    assert tracker.get_work_item(c.id, expand="Relations").relations[0].rel == "System.LinkTypes.Dependency-Reverse"
    assert len(tracker.get_work_item(b.id, expand="Relations").relations) == 3
