"""Variable groups, environments, endpoints and permissions keep secrets to themselves and refuse doubles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import refused

pytestmark = pytest.mark.stack


@pytest.fixture
def agent(clients: Any) -> Any:
    return clients.get_task_agent_client()


def group(clients: Any, name: str, project: str = "Shop", **variables: Any) -> dict[str, Any]:
    found = clients.get_core_client().get_project(project)
    reference = {"projectReference": {"id": found.id, "name": found.name}, "name": name}
    return {"name": name, "type": "Vsts", "variables": variables, "variableGroupProjectReferences": [reference]}


def test_a_variable_group_hides_secrets_and_keeps_them_through_an_update(
    simulator: Any, agent: Any, clients: Any
) -> None:
    secret = {"value": "hush", "isSecret": True}
    made = agent.add_variable_group(group(clients, "live", url={"value": "https://x"}, key=secret))
    assert (made.variables["key"].value, made.variables["url"].value) == (None, "https://x")
    wanted = group(clients, "live", url={"value": "https://y"}, key={"value": None, "isSecret": True})
    changed = agent.update_variable_group(wanted, made.id)
    assert (changed.variables["url"].value, changed.variables["key"].is_secret) == ("https://y", True)
    held = next(p for p in simulator.org["projects"].values() if p["name"] == "Shop")["variable_groups"][str(made.id)]
    assert held["variables"]["key"]["value"] == "hush"
    assert agent.get_variable_group("Shop", made.id).name == "live"
    other = agent.add_variable_group(group(clients, "lively", a={"value": "1"}))
    assert [g.id for g in agent.get_variable_groups("Shop", group_name="live*")] == [other.id, made.id]
    ascending = agent.get_variable_groups("Shop", query_order="idAscending")
    assert [g.id for g in ascending] == [made.id, other.id]
    assert [g.name for g in agent.get_variable_groups_by_id("Shop", [other.id])] == ["lively"]
    agent.delete_variable_group(other.id, [clients.get_core_client().get_project("Shop").id])
    refused(lambda: agent.get_variable_group("Shop", other.id), "not found")


def test_variable_groups_that_cannot_be(raw: Any, agent: Any, clients: Any, connect: Any) -> None:
    made = agent.add_variable_group(group(clients, "single", a={"value": "1"}))
    refused(lambda: agent.add_variable_group(group(clients, "SINGLE", a={"value": "1"})), "already exists")
    refused(lambda: agent.add_variable_group(group(clients, "empty")), "at least one variable")
    refused(lambda: agent.add_variable_group(group(clients, "", a={"value": "1"})), "group.Name")
    reader = connect("reader").clients_v7_1.get_task_agent_client()
    refused(lambda: reader.add_variable_group(group(clients, "no", a={"value": "1"})), "not authorized")
    refused(lambda: agent.update_variable_group(group(clients, "x", a={"value": "1"}), 99_999), "not found")
    # Without a project in the path, too, only those who contribute to the group's own project may change it.
    refused(lambda: reader.delete_variable_group(made.id, ["any"]), "not authorized")
    raw.no(
        400,
        "VssRequestContentException",
        "POST",
        "/Shop/_apis/distributedtask/variablegroups",
        {"name": "x", "variables": 7},
    )


def test_environments_are_created_renamed_and_deleted_with_their_checks(raw: Any, agent: Any) -> None:
    made = agent.add_environment({"name": "stage", "description": "before live"}, "Shop")
    agent.add_environment({"name": "other"}, "Shop")
    assert [e.name for e in agent.get_environments("Shop", name="STAGE")] == ["stage"]
    refused(lambda: agent.add_environment({"name": "Stage"}, "Shop"), "already exists")
    refused(lambda: agent.add_environment({"description": "x"}, "Shop"), "environmentCreateParameter.Name")
    refused(lambda: agent.update_environment({"name": "Other"}, "Shop", made.id), "already exists")
    changed = agent.update_environment({"name": "staging", "description": "d"}, "Shop", made.id)
    assert (changed.name, agent.get_environment_by_id("Shop", made.id).description) == ("staging", "d")
    lock = {
        "type": {"id": "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563"},
        "resource": {"type": "environment", "id": str(made.id)},
    }
    raw.ok("POST", "/Shop/_apis/pipelines/checks/configurations", lock)
    agent.delete_environment("Shop", made.id)
    listed = raw.ok(
        "GET", "/Shop/_apis/pipelines/checks/configurations", resourceType="environment", resourceId=str(made.id)
    )
    assert listed["value"] == []
    refused(lambda: agent.get_environment_by_id("Shop", made.id), "not found")
    assert (
        agent.get_environment_deployment_execution_records("Shop", agent.get_environments("Shop", name="other")[0].id)
        == []
    )


def test_queues_and_pools_are_the_hosted_ones(agent: Any) -> None:
    queue = agent.get_agent_queues("Shop")[0]
    assert (queue.name, queue.pool.is_hosted) == ("Azure Pipelines", True)
    assert agent.get_agent_queue(queue.id, "Shop").id == queue.id
    assert [q.id for q in agent.get_agent_queues_by_names(["azure pipelines"], "Shop")] == [queue.id]
    assert agent.get_agent_queues("Shop", queue_name="Mine") == []
    refused(lambda: agent.get_agent_queue(999, "Shop"), "Queue with ID 999")
    assert [p.name for p in agent.get_agent_pools()] == ["Azure Pipelines"]
    assert agent.get_agent_pools(pool_name="Mine") == []
    assert agent.get_agent_pool(9).pool_type == "automation"
    refused(lambda: agent.get_agent_pool(8), "Pool with ID 8")


def test_service_endpoints_keep_their_secrets(simulator: Any, raw: Any, clients: Any, connect: Any) -> None:
    project = clients.get_core_client().get_project("Shop")
    service = clients.get_service_endpoint_client()
    wanted = {
        "name": "cloud",
        "type": "azurerm",
        "url": "https://management.azure.com/",
        "authorization": {"scheme": "ServicePrincipal", "parameters": {"tenantid": "t", "serviceprincipalkey": "hush"}},
        "serviceEndpointProjectReferences": [{"projectReference": {"id": project.id}, "name": "cloud"}],
    }
    made = service.create_service_endpoint(wanted)
    assert made.authorization.parameters == {"tenantid": "t", "serviceprincipalkey": None}
    assert service.get_service_endpoint_details("Shop", made.id).name == "cloud"
    assert [e.id for e in service.get_service_endpoints("Shop", type="AzureRM", endpoint_ids=[made.id])] == [made.id]
    assert service.get_service_endpoints("Shop", type="github") == []
    assert [e.id for e in service.get_service_endpoints_by_names("Shop", ["Cloud"])] == [made.id]
    refused(lambda: service.create_service_endpoint(wanted), "already exists")
    refused(lambda: service.create_service_endpoint({**wanted, "url": ""}), "endpoint.url")
    dev = connect("dev").clients_v7_1.get_service_endpoint_client()
    refused(lambda: dev.create_service_endpoint({**wanted, "name": "mine"}), "not authorized")
    second = service.create_service_endpoint({**wanted, "name": "second"})
    refused(lambda: service.update_service_endpoint({**wanted, "name": "Cloud"}, second.id), "already exists")
    kept = {"scheme": "ServicePrincipal", "parameters": {"tenantid": "u", "serviceprincipalkey": None}}
    changed = service.update_service_endpoint({**wanted, "url": "https://other/", "authorization": kept}, made.id)
    assert (changed.url, changed.authorization.parameters["tenantid"]) == ("https://other/", "u")
    held = simulator.org["projects"][project.id]["endpoints"][made.id]
    assert held["authorization"]["parameters"]["serviceprincipalkey"] == "hush"
    foreign = clients.get_core_client().get_project("Formal").id
    refused(lambda: service.delete_service_endpoint(made.id, [foreign]), "VS800075")
    service.delete_service_endpoint(made.id, [project.id])
    refused(lambda: service.update_service_endpoint(wanted, made.id), "could not be found")
    assert {t.name for t in service.get_service_endpoint_types()} >= {"azurerm", "github"}
    assert [t["name"] for t in raw.ok("GET", "/_apis/serviceendpoint/types", type="generic")["value"]] == ["generic"]


def test_which_pipelines_may_use_a_resource(clients: Any, raw: Any) -> None:
    permissions = clients.get_pipeline_permissions_client()
    assert permissions.get_pipeline_permissions_for_resource("Shop", "queue", "10").pipelines == []
    one = {"pipelines": [{"id": 4, "authorized": True}, {"id": 5, "authorized": True}]}
    permissions.update_pipeline_permisions_for_resource(one, "Shop", "queue", "10")
    answer = permissions.update_pipeline_permisions_for_resource(
        {"pipelines": [{"id": 4, "authorized": False}], "allPipelines": {"authorized": True}}, "Shop", "queue", "10"
    )
    assert ([p.id for p in answer.pipelines], answer.all_pipelines.authorized) == ([5], True)
    many = [{"resource": {"type": "endpoint", "id": "e"}, "allPipelines": {"authorized": True}}]
    listed = permissions.update_pipeline_permisions_for_resources(many, "Shop")
    assert [(p.resource.type, p.all_pipelines.authorized) for p in listed] == [("endpoint", True)]
    raw.no(400, "pipelines.id", "PATCH", "/Shop/_apis/pipelines/pipelinePermissions/queue/10", {"pipelines": [{}]})
    raw.no(403, "not authorized", "PATCH", "/Shop/_apis/pipelines/pipelinePermissions/queue/10", one, who="dev")
    build = clients.get_build_client()
    assert {(r.type, r.id) for r in build.get_project_resources("Shop")} == {("queue", "10"), ("endpoint", "e")}
    build.authorize_project_resources([{"type": "queue", "id": "10", "authorized": False}], "Shop")
    assert build.get_project_resources("Shop", type="queue") == []
    assert [r.id for r in build.get_project_resources("Shop", type="endpoint", id="e")] == ["e"]


def test_checks_guard_resources_that_exist(clients: Any, raw: Any, connect: Any) -> None:
    environment = clients.get_task_agent_client().add_environment({"name": "checked"}, "Shop")
    route = "/Shop/_apis/pipelines/checks/configurations"
    lead = connect("lead").clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
    approval = {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d"}
    resource = {"type": "environment", "id": str(environment.id)}
    made = raw.ok("POST", route, {"type": approval, "settings": {"approvers": [{"id": lead}]}, "resource": resource})
    assert (made["type"]["name"], made["resource"]["name"]) == ("Approval", "checked")
    checks = clients.get_pipelines_checks_client()
    assert checks.get_check_configuration("Shop", made["id"]).timeout == 43200
    assert "settings" not in raw.ok("GET", f"{route}/{made['id']}")
    assert raw.ok("GET", f"{route}/{made['id']}", **{"$expand": "settings"})["settings"]["approvers"][0]["id"] == lead
    changed = raw.ok("PATCH", f"{route}/{made['id']}", {"timeout": 60})
    assert (changed["version"], changed["timeout"], changed["settings"]["approvers"][0]["id"]) == (2, 60, lead)
    found = checks.query_check_configurations_on_resources([resource], "Shop")
    assert [c.id for c in found] == [made["id"]]
    raw.no(400, "at least one approver", "POST", route, {"type": approval, "resource": resource})
    nobody = {"type": approval, "settings": {"approvers": [{"id": "nobody"}]}, "resource": resource}
    raw.no(400, "nobody could not be found", "POST", route, nobody)
    raw.no(400, "is not known", "POST", route, {"type": {"id": "x"}, "resource": resource})
    lock = {"type": {"id": "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563"}}
    raw.no(400, "checkConfiguration.resource", "POST", route, lock)
    raw.no(404, "could not be found", "POST", route, {**lock, "resource": {"type": "environment", "id": "9999"}})
    raw.no(404, "could not be found", "POST", route, {**lock, "resource": {"type": "moon", "id": str(environment.id)}})
    checks.delete_check_configuration("Shop", made["id"])
    raw.no(404, "could not be found", "GET", f"{route}/{made['id']}")
