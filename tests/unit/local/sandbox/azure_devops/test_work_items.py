"""Work items follow their process, links stay the same from both ends, and queries find them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import refused

pytestmark = pytest.mark.stack


def title(text: str, **fields: Any) -> list[dict[str, Any]]:
    values = {"System.Title": text} | {k.replace("_", "."): v for k, v in fields.items()}
    return [{"op": "add", "path": f"/fields/{k}", "value": v} for k, v in values.items()]


def link(item: Any, rel: str = "System.LinkTypes.Hierarchy-Reverse") -> dict[str, Any]:
    return {"op": "add", "path": "/relations/-", "value": {"rel": rel, "url": item.url}}


@pytest.fixture
def tracker(clients: Any) -> Any:
    return clients.get_work_item_tracking_client()


@pytest.mark.parametrize(
    ("project", "types"),
    [
        ("Formal", {"Epic", "Feature", "Requirement", "Task", "Bug", "Change Request", "Issue", "Review", "Risk"}),
        ("Shop", {"Epic", "Feature", "User Story", "Task", "Bug", "Issue"}),
        ("Sprint", {"Epic", "Feature", "Product Backlog Item", "Task", "Bug", "Impediment"}),
        ("Simple", {"Epic", "Issue", "Task"}),
    ],
)
def test_each_process_has_its_types(tracker: Any, project: str, types: set[str]) -> None:
    found = {t.name: t for t in tracker.get_work_item_types(project)}
    assert {n for n in found if not n.startswith(("Test ", "Shared "))} == types
    for name in types:
        item = tracker.create_work_item(title(name), project, name)
        assert item.fields["System.State"] == tracker.get_work_item_type_states(project, name)[0].name


def test_rules_refuse_in_the_services_words(tracker: Any) -> None:
    refused(lambda: tracker.create_work_item([], "Shop", "Task"), "TF401320: Rule Error for field Title")
    refused(lambda: tracker.create_work_item(title("x"), "Shop", "Saga"), "VS402323")
    refused(lambda: tracker.create_work_item(title("x", System_State="Odd"), "Shop", "Task"), "InvalidListValue")
    refused(lambda: tracker.create_work_item(title("x", System_AreaPath="Shop\\None"), "Shop", "Task"), "TF401347")
    refused(
        lambda: tracker.create_work_item(
            [*title("x"), {"op": "add", "path": "/fields/No.Such", "value": 1}], "Shop", "Task"
        ),
        "TF51535",
    )
    refused(lambda: tracker.get_work_item(999_999), "TF401232")
    item = tracker.create_work_item(title("x"), "Shop", "Task")
    stale = [{"op": "test", "path": "/rev", "value": 7}, *title("y")]
    assert (
        refused(lambda: tracker.update_work_item(stale, item.id), "VS403351").type_key
        == "TestPatchOperationFailedException"
    )


def test_hierarchy_is_kept_from_both_ends(tracker: Any) -> None:
    epic = tracker.create_work_item(title("epic"), "Shop", "Epic")
    other = tracker.create_work_item(title("other"), "Shop", "Epic")
    feature = tracker.create_work_item([*title("feature"), link(epic)], "Shop", "Feature")
    parent = tracker.get_work_item(epic.id, expand="Relations")
    assert [(r.rel, r.url) for r in parent.relations] == [("System.LinkTypes.Hierarchy-Forward", feature.url)]
    assert tracker.get_work_item(feature.id).fields["System.Parent"] == epic.id
    refused(lambda: tracker.update_work_item([link(other)], feature.id), "TF201036")
    refused(lambda: tracker.update_work_item([link(feature)], epic.id), "TF201035")
    tracker.update_work_item([{"op": "remove", "path": "/relations/0"}], feature.id)
    assert tracker.get_work_item(epic.id, expand="Relations").relations is None


def test_update_comment_delete_restore(tracker: Any) -> None:
    item = tracker.create_work_item(title("life", System_Tags="a; b"), "Shop", "Bug")
    changed = tracker.update_work_item(
        title("life 2", System_State="Active", System_AssignedTo="dana@fabrikam.example"), item.id
    )
    assert (changed.rev, changed.fields["System.AssignedTo"]["displayName"]) == (2, "Dev Dana")
    comment = tracker.add_comment({"text": "note"}, "Shop", item.id)
    assert tracker.get_comment("Shop", item.id, comment.id).text == "note"
    assert [u.rev for u in tracker.get_updates(item.id)] == [1, 2, 3]
    tracker.delete_work_item(item.id)
    refused(lambda: tracker.get_work_item(item.id), "TF401232")
    tracker.restore_work_item({"isDeleted": False}, item.id)
    assert tracker.get_work_item(item.id).fields["System.Title"] == "life 2"
    assert {t.name for t in tracker.get_tags("Shop")} >= {"a", "b"}


def test_queries(tracker: Any) -> None:
    from azure.devops.v7_1.work_item_tracking.models import TeamContext

    team = TeamContext(project="Sprint")
    epic = tracker.create_work_item(title("alpha epic"), "Sprint", "Epic")
    feature = tracker.create_work_item([*title("alpha feature"), link(epic)], "Sprint", "Feature")
    text = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.Title] CONTAINS 'alpha' AND [System.WorkItemType] IN ('Epic','Feature') AND [System.State] <> 'Done' ORDER BY [System.Id] DESC"
    assert [w.id for w in tracker.query_by_wiql({"query": text}, team).work_items] == [feature.id, epic.id]
    tree = "SELECT [System.Id] FROM WorkItemLinks WHERE [Source].[System.Title] CONTAINS 'alpha' AND [System.Links.LinkType] = 'System.LinkTypes.Hierarchy-Forward' MODE (Recursive)"
    rows = tracker.query_by_wiql({"query": tree}, team).work_item_relations
    assert [(r.source.id if r.source else None, r.target.id) for r in rows] == [(None, epic.id), (epic.id, feature.id)]
    refused(lambda: tracker.query_by_wiql({"query": "SELECT [System.Id] FROM Nowhere"}), "TF51006")
    refused(
        lambda: tracker.query_by_wiql({"query": "SELECT [System.Id] FROM WorkItems WHERE [No.Field] = 1"}), "TF51005"
    )


def test_areas_iterations_boards_and_settings(tracker: Any, clients: Any) -> None:
    tracker.create_or_update_classification_node({"name": "Web"}, "Formal", "areas")
    assert (
        tracker.create_work_item(title("x", System_AreaPath="Formal\\Web"), "Formal", "Task").fields["System.AreaPath"]
        == "Formal\\Web"
    )
    sprint = tracker.create_or_update_classification_node({"name": "S1"}, "Formal", "iterations")
    assert [c.name for c in tracker.get_classification_node("Formal", "areas", depth=1).children] == ["Web"]
    from azure.devops.v7_1.work.models import TeamContext

    work, team = clients.get_work_client(), TeamContext(project="Formal")
    work.post_team_iteration({"id": sprint.identifier}, team)
    assert [i.name for i in work.get_team_iterations(team)] == ["S1"]
    assert [b.name for b in work.get_boards(team)] == ["Epics", "Features", "Requirements"]
    assert [c.name for c in work.get_board(team, "Features").columns] == ["Proposed", "Active", "Resolved", "Closed"]


def test_plans_and_wikis(clients: Any) -> None:
    plans = clients.get_test_plan_client()
    plan = plans.create_test_plan({"name": "Plan"}, "Shop")
    assert plan.root_suite.name == "Plan"
    wiki = clients.get_wiki_client()
    wiki.create_wiki({"name": "docs", "type": "projectWiki", "projectId": plan.project.id}, "Shop")
    made = wiki.create_or_update_page({"content": "# Hi"}, "Shop", "docs", "/Home", None)
    refused(lambda: wiki.create_or_update_page({"content": "again"}, "Shop", "docs", "/Home", None), "already exists")
    refused(lambda: wiki.create_or_update_page({"content": "again"}, "Shop", "docs", "/Home", '"0"'), "ETag")
    wiki.create_or_update_page({"content": "again"}, "Shop", "docs", "/Home", made.eTag)
    assert wiki.get_page("Shop", "docs", "/Home", include_content=True).page.content == "again"
    refused(lambda: wiki.get_page("Shop", "docs", "/None"), "could not be found")
