"""Projects come as operations, people get what they may, and refusals carry the service's words."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.unit.local.sandbox.azure_devops.support import refused, wait_until

pytestmark = pytest.mark.stack
AGILE = "adcc42ab-9882-485e-a3ed-7678f01f66bc"


def wanted(name: str, process: str = AGILE) -> dict[str, Any]:
    return {
        "name": name,
        "capabilities": {
            "versioncontrol": {"sourceControlType": "Git"},
            "processTemplate": {"templateTypeId": process},
        },
    }


def basic(token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"any:{token}".encode()).decode()}


def test_a_project_is_pending_then_well_formed_with_a_repository_and_a_team(clients: Any) -> None:
    core = clients.get_core_client()
    operation = core.queue_create_project(wanted("Fresh"))
    assert operation.status == "notSet"
    assert core.get_project("fresh").state == "createPending"
    assert "Fresh" not in [p.name for p in core.get_projects()]
    wait_until(lambda: clients.get_operations_client().get_operation(operation.id).status == "succeeded")
    project = core.get_project("Fresh", include_capabilities=True)
    assert (project.state, project.default_team.name) == ("wellFormed", "Fresh Team")
    assert project.capabilities["processTemplate"]["templateName"] == "Agile"
    assert [r.name for r in clients.get_git_client().get_repositories("Fresh")] == ["Fresh"]
    assert (
        refused(lambda: core.queue_create_project(wanted("fresh")), "TF200019").type_key
        == "ProjectAlreadyExistsException"
    )
    core.update_project({"description": "changed"}, project.id)
    assert core.get_project("Fresh").description == "changed"
    core.queue_delete_project(project.id)
    wait_until(lambda: "Fresh" not in [p.name for p in core.get_projects("all")])
    refused(lambda: core.get_project("Fresh"), "TF200016")
    refused(lambda: core.get_project(project.id), "VS800075")


def test_only_administrators_create_projects_repositories_and_contributors_write(connect: Any) -> None:
    refused(lambda: connect("lead").clients_v7_1.get_core_client().queue_create_project(wanted("No")), "TF50309")
    refused(lambda: connect("dev").clients_v7_1.get_git_client().create_repository({"name": "no"}, "Shop"), "TF401027")
    tracker = connect("reader").clients_v7_1.get_work_item_tracking_client()
    refused(
        lambda: tracker.create_work_item([{"op": "add", "path": "/fields/System.Title", "value": "x"}], "Shop", "Task"),
        "TF237111",
    )


def test_wrong_credentials(simulator: Any, connect: Any) -> None:
    from msrest.exceptions import DeserializationError

    address = f"{simulator.organization_url}/_apis/projects"
    anonymous = httpx.get(address)
    assert (anonymous.status_code, "Basic realm=" in anonymous.headers["www-authenticate"]) == (401, True)
    for token in ("expired-token", "unknown"):
        page = httpx.get(address, headers=basic(token))
        assert (page.status_code, page.headers["content-type"].split(";")[0]) == (203, "text/html")
    with pytest.raises(DeserializationError):
        connect("expired-token").clients_v7_1.get_core_client()
    assert httpx.get(address, headers={"Authorization": "Bearer entra-good"}).status_code == 200
    assert httpx.get(address, headers={"Authorization": "Bearer entra-old"}).json()["message"].startswith("TF400813")


@pytest.mark.parametrize(
    ("method", "path", "accept", "status", "key"),
    [
        ("POST", "/_apis/projects", "application/json", 400, "VssVersionNotSpecifiedException"),
        ("GET", "/_apis/projects", "application/json;api-version=9.0", 400, "VssVersionOutOfRangeException"),
        ("GET", "/_apis/teams", "application/json;api-version=7.1", 400, "VssInvalidPreviewVersionException"),
        ("GET", "/_apis/unheard", "application/json", 404, "HttpException"),
        ("GET", "/Nowhere/_apis/git/repositories", "application/json", 404, "ProjectDoesNotExistWithNameException"),
        ("GET", "/Shop/_apis/git/repositories/none", "application/json", 404, "GitRepositoryNotFoundException"),
    ],
)
def test_refusals_are_worded(simulator: Any, method: str, path: str, accept: str, status: int, key: str) -> None:
    answer = httpx.request(method, simulator.organization_url + path, headers=basic("admin-token") | {"Accept": accept})
    assert (answer.status_code, answer.json()["typeKey"]) == (status, key)
    assert {"$id", "innerException", "message", "typeName", "errorCode", "eventId"} <= set(answer.json())


def test_both_client_generations_and_routing_without_regard_to_case(simulator: Any, connect: Any) -> None:
    assert {p.name for p in connect().clients.get_core_client().get_projects()} >= {"Shop", "Formal"}
    answer = httpx.get(f"{simulator.url}/FABRIKAM/_APIS/Projects/SHOP", headers=basic("admin-token"))
    assert answer.json()["name"] == "Shop"


def test_teams_groups_and_permissions(clients: Any, connect: Any) -> None:
    core, graph = clients.get_core_client(), clients.get_graph_client()
    team = core.create_team({"name": "Crew"}, "Shop")
    assert core.get_team("Shop", "crew").id == team.id
    assert [m.identity.display_name for m in core.get_team_members_with_extended_properties("Shop", team.id)] == [
        "Ada Admin"
    ]
    refused(lambda: core.create_team({"name": "crew"}, "Shop"), "TF50219")
    reader = next(u for u in graph.list_users().graph_users if u.display_name == "Rea Reader")
    group = next(g for g in graph.list_groups().graph_groups if g.principal_name == "[Sprint]\\Contributors")
    graph.add_membership(reader.descriptor, group.descriptor)
    tracker = connect("reader").clients_v7_1.get_work_item_tracking_client()
    assert tracker.create_work_item([{"op": "add", "path": "/fields/System.Title", "value": "x"}], "Sprint", "Task").id
    security = connect("lead").clients_v7_1.get_security_client()
    collection = "3e65f728-f8bc-4ecd-8764-7e378b19bfa7"
    assert security.has_permissions(collection, 4, "NAMESPACE") == [False]
    assert clients.get_security_client().has_permissions(collection, 4, "NAMESPACE") == [True]
    assert "CREATE_PROJECTS" in [a.name for n in security.query_security_namespaces(collection) for a in n.actions]


def test_inherited_process_takes_states_and_system_ones_do_not(clients: Any) -> None:
    processes = clients.get_work_item_tracking_process_client()
    made = processes.create_new_process({"name": "Ours", "parentProcessTypeId": AGILE})
    processes.create_process_work_item_type({"inheritsFrom": "Microsoft.VSTS.WorkItemTypes.Bug"}, made.type_id)
    processes.create_state_definition(
        {"name": "Triaged", "stateCategory": "Proposed"}, made.type_id, "Microsoft.VSTS.WorkItemTypes.Bug"
    )
    states = processes.get_state_definitions(made.type_id, "Microsoft.VSTS.WorkItemTypes.Bug")
    assert "Triaged" in [s.name for s in states]
    refused(
        lambda: processes.create_state_definition(
            {"name": "X", "stateCategory": "Proposed"}, AGILE, "Microsoft.VSTS.WorkItemTypes.Bug"
        ),
        "system process",
    )
