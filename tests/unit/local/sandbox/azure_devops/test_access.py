"""Access control lists, groups, identities, entitlements, teams and project properties say who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import AGILE, refused, wait_until

pytestmark = pytest.mark.stack
GIT = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"


def test_access_control_lists_are_set_merged_filtered_and_removed(clients: Any, raw: Any) -> None:
    security = clients.get_security_client()
    token, one, two = "repoV2/p", "vssgp.one", "vssgp.two"
    entries = [{"descriptor": one, "allow": 4, "deny": 0}, {"descriptor": two, "allow": 6, "deny": 1}]
    security.set_access_control_entries({"token": token, "merge": False, "accessControlEntries": entries}, GIT)
    merged = security.set_access_control_entries(
        {"token": token, "merge": True, "accessControlEntries": [{"descriptor": two, "allow": 1, "deny": 2}]}, GIT
    )
    # What is newly allowed is no longer denied, and the reverse.
    assert [(e.allow, e.deny) for e in merged] == [(5, 2)]
    security.set_access_control_entries(
        {"token": token + "/deep", "accessControlEntries": [{"descriptor": one, "allow": 8}]}, GIT
    )
    lists = security.query_access_control_lists(GIT, token=token, recurse=True, descriptors=one)
    assert {x.token: set(x.aces_dictionary) for x in lists} == {token: {one}, token + "/deep": {one}}
    assert len(security.query_access_control_lists(GIT, token=token)) == 1
    assert security.remove_access_control_entries(GIT, token=token, descriptors=two)
    assert not security.remove_access_control_entries(GIT, token=token, descriptors=two)
    value = [{"token": token, "inheritPermissions": True, "acesDictionary": {two: {"descriptor": two, "allow": 2}}}]
    # The package's method for whole lists cannot serialize what it is given.
    raw.ok("POST", f"/_apis/AccessControlLists/{GIT}", {"count": 1, "value": value})
    held = security.query_access_control_lists(GIT, token=token)
    assert {d: (e.allow, e.deny) for d, e in held[0].aces_dictionary.items()} == {two: (2, 0)}
    assert security.remove_access_control_lists(GIT, tokens=token + "," + token + "/deep")
    assert security.query_access_control_lists(GIT) == []
    refused(lambda: security.set_access_control_entries({"accessControlEntries": []}, GIT), "token")
    route = f"/_apis/AccessControlEntries/{GIT}"
    raw.no(400, "descriptor", "POST", route, {"token": "t", "accessControlEntries": [{}]})
    raw.no(400, "token", "POST", f"/_apis/AccessControlLists/{GIT}", {"value": [{}]})
    raw.no(403, "not authorized", "POST", route, {"token": "t"}, who="dev")
    refused(lambda: security.query_access_control_lists("33333333-3333-3333-3333-333333333333"), "TF400889")


def test_permissions_are_evaluated_for_the_caller(clients: Any, connect: Any, raw: Any) -> None:
    from azure.devops.v7_1.security.models import PermissionEvaluation, PermissionEvaluationBatch

    project = clients.get_core_client().get_project("Shop").id
    asked = [
        PermissionEvaluation(permissions=4, security_namespace_id=GIT, token=f"repoV2/{project}"),
        PermissionEvaluation(permissions=2048, security_namespace_id=GIT, token=f"repoV2/{project}"),
        PermissionEvaluation(permissions=1, security_namespace_id="33333333-3333-3333-3333-333333333333", token="x"),
    ]
    batch = PermissionEvaluationBatch(always_allow_administrators=False, evaluations=asked)
    answer = connect("dev").clients_v7_1.get_security_client().has_permissions_batch(batch)
    assert [e.value for e in answer.evaluations] == [True, False, False]
    assert len(clients.get_security_client().query_security_namespaces()) >= 6
    raw.no(400, "permissions", "GET", f"/_apis/Permissions/{GIT}/four", tokens="x")


def test_groups_are_made_once_and_hold_members(clients: Any, raw: Any, connect: Any) -> None:
    graph = clients.get_graph_client()
    project = clients.get_core_client().get_project("Simple")
    scope = graph.get_descriptor(project.id).value
    # The package's creation context knows neither name nor description.
    wanted = {"displayName": "Auditors", "description": "they look"}
    made = graph.get_group(raw.ok("POST", "/_apis/graph/groups", wanted, scopeDescriptor=scope)["descriptor"])
    assert (made.principal_name, made.description) == ("[Simple]\\Auditors", "they look")
    dana = next(u for u in graph.list_users().graph_users if u.display_name == "Dev Dana")
    refused(lambda: graph.get_membership(dana.descriptor, made.descriptor), "VS860034")
    graph.add_membership(dana.descriptor, made.descriptor)
    graph.add_membership(dana.descriptor, made.descriptor)
    assert graph.get_membership(dana.descriptor, made.descriptor).member_descriptor == dana.descriptor
    raw.no(400, "TF50219", "POST", "/_apis/graph/groups", {"displayName": "auditors"}, scopeDescriptor=scope)
    members = graph.list_memberships(made.descriptor, direction="down")
    assert [m.member_descriptor for m in members] == [dana.descriptor]
    assert made.descriptor in [m.container_descriptor for m in graph.list_memberships(dana.descriptor)]
    assert "Auditors" in [g.display_name for g in graph.list_groups(scope_descriptor=scope).graph_groups]
    assert graph.get_user(dana.descriptor).mail_address == "dana@fabrikam.example"
    key = graph.get_storage_key(dana.descriptor).value
    assert graph.get_descriptor(key).value == dana.descriptor
    refused(lambda: graph.add_membership(dana.descriptor, dana.descriptor), "VS860035")
    refused(lambda: graph.get_user("aad.nobody"), "VS860016")
    raw.no(400, "displayName", "POST", "/_apis/graph/groups", {}, scopeDescriptor=scope)
    other = connect("dev").clients_v7_1.get_graph_client()
    refused(lambda: other.remove_membership(dana.descriptor, made.descriptor), "not authorized")
    graph.remove_membership(dana.descriptor, made.descriptor)
    assert graph.list_memberships(made.descriptor, direction="down") == []


def test_members_of_the_administrators_group_administer(clients: Any, connect: Any) -> None:
    graph = clients.get_graph_client()
    groups = graph.list_groups().graph_groups
    administrators = next(g for g in groups if g.principal_name == "[Simple]\\Project Administrators")
    dana = next(u for u in graph.list_users().graph_users if u.display_name == "Dev Dana")
    git = connect("dev").clients_v7_1.get_git_client()
    refused(lambda: git.create_repository({"name": "by-dana"}, "Simple"), "TF401027")
    graph.add_membership(dana.descriptor, administrators.descriptor)
    assert git.create_repository({"name": "by-dana"}, "Simple").name == "by-dana"
    graph.remove_membership(dana.descriptor, administrators.descriptor)


def test_identities_and_entitlements(clients: Any, raw: Any) -> None:
    identity = clients.get_identity_client()
    dana = identity.read_identities(search_filter="General", filter_value="Dev Dana <dana@fabrikam.example>")
    assert [i.provider_display_name for i in dana] == ["Dev Dana"]
    assert identity.read_identity(dana[0].id).is_container is False
    assert identity.read_identities(search_filter="General", filter_value="nobody") == []
    assert identity.read_identities(search_filter="General", filter_value="") == []
    both = identity.read_identities(identity_ids=f"{dana[0].id},none")
    assert [i.id for i in both] == [dana[0].id]
    team = clients.get_core_client().get_project("Shop").default_team.id
    assert identity.read_identity(team).provider_display_name == "[Shop]\\Shop Team"
    refused(lambda: identity.read_identity("44444444-4444-4444-4444-444444444444"), "TF14045")
    listed = raw.ok("GET", "/_apis/UserEntitlements")
    assert listed["totalCount"] == len(listed["members"]) == 5
    client = clients.get_member_entitlement_management_client()
    assert client.get_user_entitlement(dana[0].id).access_level.license_display_name == "Basic"
    raw.no(404, "VS860016", "GET", "/_apis/UserEntitlements/nobody")
    raw.no(404, "VS800086", "GET", "/_apis/ResourceAreas/44444444-4444-4444-4444-444444444444")


def test_teams_are_renamed_listed_in_pages_and_deleted_but_the_default_one(clients: Any, connect: Any) -> None:
    core = clients.get_core_client()
    made = core.create_team({"name": "Night", "description": "late"}, "Sprint")
    assert core.update_team({"name": "Day"}, "Sprint", made.id).description == "late"
    refused(lambda: core.update_team({"name": "Contributors"}, "Sprint", made.id), "TF50219")
    refused(lambda: core.create_team({"name": " "}, "Sprint"), "team.name")
    assert [t.name for t in core.get_teams("Sprint")] == ["Sprint Team", "Day"]
    everyone = [t.id for t in core.get_all_teams()]
    assert [t.id for t in core.get_all_teams(top=2, skip=1)] == everyone[1:3]
    dev = connect("dev").clients_v7_1.get_core_client()
    refused(lambda: dev.delete_team("Sprint", made.id), "not authorized")
    core.delete_team("Sprint", made.id)
    refused(lambda: core.get_team("Sprint", "Day"), "does not exist")
    refused(lambda: core.delete_team("Sprint", "Sprint Team"), "TF400994")


def wanted(name: Any, **capabilities: Any) -> dict[str, Any]:
    held = {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": AGILE}}
    return {"name": name, "capabilities": held | capabilities}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (wanted("a/b"), "VS800029"),
        (wanted("con"), "VS800029"),
        (wanted("_x"), "VS800029"),
        (wanted("x" * 65), "VS800029"),
        (wanted("  "), "Parameter name: name"),
        (wanted("P", processTemplate={}), "TF200013"),
        (wanted("P", versioncontrol={}), "TF200014"),
        ({**wanted("P"), "visibility": "secret"}, "VS800090"),
        (wanted("P", processTemplate={"templateTypeId": "none"}), "VS402362"),
    ],
)
def test_projects_that_cannot_be_created(clients: Any, body: dict[str, Any], words: str) -> None:
    refused(lambda: clients.get_core_client().queue_create_project(body), words)


def test_a_project_is_renamed_with_all_that_carries_its_name_and_deleted_with_all_it_holds(
    clients: Any, connect: Any, raw: Any
) -> None:
    from azure.devops.v7_1.work.models import TeamContext

    core, tracker = clients.get_core_client(), clients.get_work_item_tracking_client()
    operation = core.queue_create_project(wanted("Old"))
    wait_until(lambda: clients.get_operations_client().get_operation(operation.id).status == "succeeded")
    project = core.get_project("Old")
    title = [{"op": "add", "path": "/fields/System.Title", "value": "x"}]
    item, binned = (tracker.create_work_item(title, "Old", "Task") for _ in range(2))
    link = {"rel": "System.LinkTypes.Related", "url": item.url}
    kept = tracker.create_work_item([*title, {"op": "add", "path": "/relations/-", "value": link}], "Shop", "Task")
    tracker.delete_work_item(binned.id)
    refused(lambda: core.update_project({"name": "Shop"}, project.id), "TF200019")
    refused(lambda: core.update_project({"visibility": "secret"}, project.id), "VS800090")
    core.update_project({"name": "New", "visibility": "public"}, project.id)
    assert tracker.get_work_item(item.id).fields["System.AreaPath"] == "New"
    assert clients.get_work_client().get_team_field_values(TeamContext(project="New")).default_value == "New"
    assert core.get_project("New").visibility == "public"
    hook = {
        "publisherId": "tfs",
        "eventType": "git.push",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": {"projectId": project.id},
        "consumerInputs": {"url": "http://127.0.0.1:9/x"},
    }
    subscription = clients.get_service_hooks_client().create_subscription(hook)
    refused(lambda: connect("dev").clients_v7_1.get_core_client().queue_delete_project(project.id), "TF50309")
    core.queue_delete_project(project.id)
    wait_until(lambda: "New" not in [p.name for p in core.get_projects("all")])
    for gone in (item, binned):
        refused(lambda gone=gone: tracker.get_work_item(gone.id), "TF401232")
    assert str(binned.id) not in [str(w["id"]) for w in raw.ok("GET", "/_apis/wit/recyclebin")["value"]]
    assert tracker.get_work_item(kept.id, expand="Relations").relations is None
    refused(lambda: clients.get_service_hooks_client().get_subscription(subscription.id), "VS800135")


def test_projects_come_in_pages_and_hold_properties(clients: Any, raw: Any) -> None:
    core = clients.get_core_client()
    first = raw("GET", "/_apis/projects", **{"$top": "2"})
    assert [p["name"] for p in first.json()["value"]] == ["Formal", "Shop"]
    rest = core.get_projects(top=2, continuation_token=first.headers["x-ms-continuationtoken"])
    assert [p.name for p in rest] == ["Simple", "Sprint"]
    project = core.get_project("Shop").id
    core.set_project_properties(project, [{"op": "add", "path": "/doneright", "value": "yes"}])
    assert [(p.name, p.value) for p in core.get_project_properties(project, keys=["doneright"])] == [
        ("doneright", "yes")
    ]
    core.set_project_properties(project, [{"op": "remove", "path": "/doneright"}])
    assert "doneright" not in [p.name for p in core.get_project_properties(project)]
    refused(lambda: clients.get_operations_client().get_operation("none"), "VS402849")
    assert [p.name for p in core.get_processes()][:1] != []
    assert core.get_process_by_id(AGILE).name == "Agile"
