"""Areas and iterations move with what hangs on them, boards follow, and saved queries keep their places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import fields, refused

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def tracker(clients: Any) -> Any:
    return clients.get_work_item_tracking_client()


def area_of(tracker: Any, item: Any) -> str:
    return str(tracker.get_work_item(item.id).fields["System.AreaPath"])


def team(project: str) -> Any:
    from azure.devops.v7_1.work.models import TeamContext

    return TeamContext(project=project)


def test_renames_and_moves_take_work_items_and_teams_along(tracker: Any, clients: Any) -> None:
    work = clients.get_work_client()
    web = tracker.create_or_update_classification_node({"name": "Web"}, "Shop", "areas")
    tracker.create_or_update_classification_node({"name": "Cart"}, "Shop", "areas", path="Web")
    tracker.create_or_update_classification_node({"name": "Old"}, "Shop", "areas")
    item = tracker.create_work_item(fields(System_Title="x", System_AreaPath="shop\\web\\CART"), "Shop", "Task")
    assert area_of(tracker, item) == "Shop\\Web\\Cart"
    work.update_team_field_values(
        {"defaultValue": "Shop\\Web", "values": [{"value": "Shop\\Web", "includeChildren": True}]}, team("Shop")
    )
    renamed = tracker.update_classification_node({"name": "Front"}, "Shop", "areas", path="Web")
    assert (renamed.id, renamed.path) == (web.id, "\\Shop\\Area\\Front")
    assert area_of(tracker, item) == "Shop\\Front\\Cart"
    values = work.get_team_field_values(team("Shop"))
    assert (values.default_value, values.values[0].value) == ("Shop\\Front", "Shop\\Front")
    tracker.create_or_update_classification_node({"id": web.id}, "Shop", "areas", path="Old")
    assert area_of(tracker, item) == "Shop\\Old\\Front\\Cart"
    assert work.get_team_field_values(team("Shop")).default_value == "Shop\\Old\\Front"
    old = tracker.get_classification_node("Shop", "areas", path="Old", depth=2)
    assert old.children[0].children[0].name == "Cart"
    refused(
        lambda: tracker.create_or_update_classification_node({"id": old.id}, "Shop", "areas", path="Old/Front"),
        "TF237091",
    )
    refused(lambda: tracker.create_or_update_classification_node({"id": 99_999}, "Shop", "areas"), "TF237090")
    target = tracker.create_or_update_classification_node({"name": "Rest"}, "Shop", "areas")
    refused(lambda: tracker.delete_classification_node("Shop", "areas", path="Old", reclassify_id=web.id), "TF237094")
    tracker.delete_classification_node("Shop", "areas", path="Old", reclassify_id=target.id)
    assert area_of(tracker, item) == "Shop\\Rest"
    assert work.get_team_field_values(team("Shop")).default_value == "Shop\\Rest"
    refused(lambda: tracker.get_classification_node("Shop", "areas", path="Old"), "TF237090")
    tracker.delete_classification_node("Shop", "areas", path="Rest")
    assert area_of(tracker, item) == "Shop"


def test_nodes_that_cannot_be(tracker: Any, raw: Any) -> None:
    for name in ("A", "B"):
        tracker.create_or_update_classification_node({"name": name}, "Formal", "areas")
    refused(lambda: tracker.create_or_update_classification_node({"name": "a"}, "Formal", "areas"), "VS402371")
    refused(lambda: tracker.update_classification_node({"name": "A"}, "Formal", "areas", path="B"), "VS402371")
    refused(lambda: tracker.update_classification_node({"name": "B/C"}, "Formal", "areas", path="B"), "TF20016")
    refused(lambda: tracker.create_or_update_classification_node({"name": "x|y"}, "Formal", "areas"), "TF20016")
    refused(lambda: tracker.create_or_update_classification_node({}, "Formal", "areas"), "name")
    refused(lambda: tracker.update_classification_node({"name": "X"}, "Formal", "areas"), "TF237093")
    refused(lambda: tracker.delete_classification_node("Formal", "areas"), "TF237092")
    raw.no(400, "VS402484", "GET", "/Formal/_apis/wit/classificationnodes/moons")
    child = tracker.create_or_update_classification_node({"name": "B"}, "Formal", "areas", path="A")
    refused(lambda: tracker.create_or_update_classification_node({"id": child.id}, "Formal", "areas"), "VS402371")
    roots = tracker.get_root_nodes("Formal", depth=2)
    assert [(r.structure_type, r.has_children) for r in roots] == [("area", True), ("iteration", False)]
    assert [n.name for n in tracker.get_classification_nodes("Formal", [child.id])] == ["B"]
    raw.no(403, "TF237111", "POST", "/Formal/_apis/wit/classificationnodes/areas", {"name": "N"}, who="reader")


def test_iterations_have_dates_in_order_and_a_time_frame(tracker: Any, clients: Any) -> None:
    work = clients.get_work_client()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def sprint(name: str, start: int, finish: int) -> Any:
        dates = {
            "startDate": (today + timedelta(days=start)).isoformat(),
            "finishDate": (today + timedelta(days=finish)).isoformat(),
        }
        body = {"name": name, "attributes": dates}
        return tracker.create_or_update_classification_node(body, "Sprint", "iterations")

    made = {n: sprint(n, a, b) for n, a, b in (("Past", -20, -10), ("Now", -5, 0), ("Next", 5, 10))}
    refused(lambda: sprint("Odd", 5, 1), "VS402485")
    bad = {"name": "Bad", "attributes": {"startDate": "someday"}}
    refused(lambda: tracker.create_or_update_classification_node(bad, "Sprint", "iterations"), "VS402485")
    for node in made.values():
        work.post_team_iteration({"id": node.identifier}, team("Sprint"))
    frames = {i.name: i.attributes.time_frame for i in work.get_team_iterations(team("Sprint"))}
    # The last day still belongs to an iteration.
    assert frames == {"Past": "past", "Now": "current", "Next": "future"}
    assert [i.name for i in work.get_team_iterations(team("Sprint"), timeframe="current")] == ["Now"]
    assert work.get_team_iteration(team("Sprint"), made["Now"].identifier).path == "Sprint\\Now"
    moved = tracker.update_classification_node(
        {"attributes": {"startDate": (today + timedelta(days=6)).isoformat()}}, "Sprint", "iterations", path="Next"
    )
    assert set(moved.attributes) == {"startDate", "finishDate"}
    parent = tracker.create_work_item(
        fields(System_Title="p", System_IterationPath="Sprint\\Now"), "Sprint", "Product Backlog Item"
    )
    link = {
        "op": "add",
        "path": "/relations/-",
        "value": {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": parent.url},
    }
    child = tracker.create_work_item(
        [*fields(System_Title="c", System_IterationPath="Sprint\\Now"), link], "Sprint", "Task"
    )
    rows = work.get_iteration_work_items(team("Sprint"), made["Now"].identifier).work_item_relations
    assert [(r.source.id if r.source else None, r.target.id) for r in rows] == [
        (None, parent.id),
        (parent.id, child.id),
    ]
    work.delete_team_iteration(team("Sprint"), made["Past"].identifier)
    assert [i.name for i in work.get_team_iterations(team("Sprint"))] == ["Now", "Next"]
    refused(lambda: work.get_team_iteration(team("Sprint"), "none"), "does not exist")
    refused(lambda: work.post_team_iteration({"id": "none"}, team("Sprint")), "TF400497")


def test_a_team_without_a_backlog_iteration_takes_none(tracker: Any, clients: Any) -> None:
    from azure.devops.v7_1.work.models import TeamContext

    clients.get_core_client().create_team({"name": "Fresh"}, "Simple")
    fresh, work = TeamContext(project="Simple", team="Fresh"), clients.get_work_client()
    node = tracker.create_or_update_classification_node({"name": "I1"}, "Simple", "iterations")
    refused(lambda: work.post_team_iteration({"id": node.identifier}, fresh), "TF400497")
    refused(lambda: work.update_team_settings({"backlogIteration": "none"}, fresh), "TF400497")
    refused(lambda: work.update_team_settings({"bugsBehavior": "odd"}, fresh), "bugsBehavior")
    settings = work.update_team_settings(
        {"backlogIteration": node.identifier, "bugsBehavior": "asTasks", "workingDays": ["monday"]}, fresh
    )
    assert (settings.backlog_iteration.name, settings.bugs_behavior, settings.working_days) == (
        "I1",
        "asTasks",
        ["monday"],
    )
    assert work.post_team_iteration({"id": node.identifier}, fresh).name == "I1"
    refused(lambda: work.update_team_field_values({"values": []}, fresh), "DefaultValue")
    refused(lambda: work.update_team_field_values({"defaultValue": "Simple\\None"}, fresh), "TF400499")
    assert work.get_team_settings(team("Simple")).backlog_iteration.name == "Simple"


def test_boards_and_backlogs(tracker: Any, clients: Any) -> None:
    work = clients.get_work_client()
    assert [b.name for b in work.get_backlogs(team("Simple"))] == ["Epics", "Issues", "Tasks"]
    assert work.get_backlog(team("Simple"), "Microsoft.EpicCategory").type == "portfolio"
    refused(lambda: work.get_backlog(team("Simple"), "None"), "does not exist")
    configuration = work.get_backlog_configurations(team("Simple"))
    assert (configuration.task_backlog.name, configuration.requirement_backlog.name) == ("Tasks", "Issues")
    made = [tracker.create_work_item(fields(System_Title=t), "Simple", "Issue") for t in ("one", "two", "three")]
    done = tracker.create_work_item(fields(System_Title="done", System_State="Done"), "Simple", "Issue")

    def order() -> list[int]:
        listed = work.get_backlog_level_work_items(team("Simple"), "Microsoft.RequirementCategory").work_items
        return [w.target.id for w in listed]

    assert done.id not in order()
    work.reorder_backlog_work_items({"ids": [made[2].id], "previousId": 0, "nextId": 0, "parentId": 0}, team("Simple"))
    work.reorder_backlog_work_items(
        {"ids": [made[0].id, made[1].id], "previousId": made[2].id, "nextId": 0}, team("Simple")
    )
    assert order() == [made[2].id, made[0].id, made[1].id]
    work.reorder_backlog_work_items(
        {"ids": [made[1].id], "previousId": made[2].id, "nextId": made[0].id}, team("Simple")
    )
    assert order() == [made[2].id, made[1].id, made[0].id]
    columns = work.get_board_columns(team("Simple"), "Issues")
    assert [c.column_type for c in columns] == ["incoming", "inProgress", "outgoing"]
    changed = [{**c.serialize(), "name": c.name.upper()} for c in columns]
    assert [c.name for c in work.update_board_columns(changed, team("Simple"), "Issues")] == ["TO DO", "DOING", "DONE"]
    assert [c.name for c in work.get_board(team("Simple"), "Issues").columns] == ["TO DO", "DOING", "DONE"]
    refused(lambda: work.update_board_columns(changed[:1], team("Simple"), "Issues"), "VS403320")
    refused(lambda: work.get_board(team("Simple"), "None"), "does not exist")


TEXT = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.Title] CONTAINS 'needle'"


def test_saved_queries(tracker: Any, raw: Any, clients: Any) -> None:
    from azure.devops.v7_1.work_item_tracking.models import TeamContext

    folder = tracker.create_query({"name": "Ours", "isFolder": True}, "Formal", "Shared Queries")
    assert (folder.path, folder.is_folder, folder.is_public) == ("Shared Queries/Ours", True, True)
    saved = tracker.create_query({"name": "Needles", "wiql": TEXT}, "Formal", "Shared Queries/Ours")
    tree = "SELECT [System.Id] FROM WorkItemLinks WHERE [Source].[System.Id] > 0 MODE (Recursive)"
    other = tracker.create_query({"name": "Tree", "wiql": tree}, "Formal", folder.id)
    assert other.query_type == "tree"
    item = tracker.create_work_item(fields(System_Title="a needle"), "Formal", "Task")
    assert [w.id for w in tracker.query_by_id(saved.id, TeamContext(project="Formal")).work_items] == [item.id]
    refused(lambda: tracker.query_by_id(folder.id, TeamContext(project="Formal")), "TF401243")
    refused(lambda: tracker.create_query({"name": "needles", "wiql": TEXT}, "Formal", folder.id), "TF237018")
    refused(lambda: tracker.create_query({"name": "Bad", "wiql": "SELECT"}, "Formal", folder.id), "TF51006")
    refused(lambda: tracker.create_query({"wiql": TEXT}, "Formal", folder.id), "query.name")
    refused(lambda: tracker.create_query({"name": "In", "wiql": TEXT}, "Formal", saved.id), "TF401244")
    refused(lambda: tracker.update_query({"name": "Tree"}, "Formal", saved.id), "TF237018")
    refused(lambda: tracker.update_query({"wiql": "nonsense"}, "Formal", saved.id), "TF51006")
    refused(lambda: tracker.update_query({"wiql": TEXT}, "Formal", folder.id), "TF401244")
    renamed = tracker.update_query({"name": "Needle hunt", "wiql": TEXT + " ORDER BY [System.Id]"}, "Formal", saved.id)
    assert (renamed.name, "ORDER BY" in renamed.wiql) == ("Needle hunt", True)
    shown = tracker.get_queries("Formal", depth=2, expand="wiql")
    shared = next(q for q in shown if q.name == "Shared Queries")
    assert [q.name for q in shared.children[0].children] == ["Needle hunt", "Tree"]
    assert tracker.get_query("Formal", "Shared Queries/Ours/Tree").wiql is None
    found = raw.ok("GET", "/Formal/_apis/wit/queries", **{"$filter": "HUNT"})
    assert ([q["name"] for q in found["value"]], found["hasMore"]) == (["Needle hunt"], False)
    tracker.delete_query("Formal", folder.id)
    for gone in (folder, saved, other):
        refused(lambda gone=gone: tracker.get_query("Formal", gone.id), "TF401243")
