from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from shared.adapters.azure_devops import AzureDevOpsForge, EntraIdentity, PersonalAccessToken
from shared.adapters.azure_devops.permissions import COLLECTION_NAMESPACE, GIT_NAMESPACE
from shared.domain.forge import OperationState
from shared.errors import RefusedError, TransientError
from tests.unit.shared.adapters.github.scripted import Answer, scripted

# area, resource, id, template: as the service lists them
LOCATIONS = (
    ("Location", "ResourceAreas", "e81700f7-3be2-46de-8624-2eb35882fcaa", "_apis/{resource}/{areaId}"),
    ("core", "projects", "603fe2ac-9723-48b9-88ad-09305aa6c6e1", "_apis/{resource}/{*projectId}"),
    ("core", "processes", "93878975-88c5-4e6a-8abb-7ddd77a8a7d8", "_apis/process/{resource}/{*processId}"),
    ("operations", "operations", "9a1b74b4-2ca8-4a9f-8470-c2f2e6fdc949", "_apis/{resource}/{operationId}"),
    (
        "Security",
        "Permissions",
        "dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d",
        "_apis/{resource}/{securityNamespaceId}/{permissions}",
    ),
    ("git", "repositories", "225f7195-f9c7-4d14-ab28-a83f7ff77e1f", "{project}/_apis/{area}/{resource}/{repositoryId}"),
    ("Build", "Definitions", "dbeaf647-6167-421a-bda9-c9327b25e2e6", "{project}/_apis/build/{resource}/{definitionId}"),
    ("wit", "workItems", "62d3d110-0047-428c-ad3c-4fe872c91c74", "{project}/_apis/{area}/{resource}/${type}"),
    (
        "distributedtask",
        "environments",
        "8572b1fc-2482-47fa-8f74-7e3ed53ee54b",
        "{project}/_apis/{area}/{resource}/{environmentId}",
    ),
    ("distributedtask", "variablegroups", "ef5b7057-ffc3-4c77-bbad-c10b4a4abcc7", "_apis/{area}/{resource}/{groupId}"),
    ("wiki", "wikis", "288d122c-dbd4-451d-aa5f-7dbbba070728", "{project}/_apis/{area}/{resource}/{wikiIdentifier}"),
    ("IMS", "Identities", "28010c54-d0c0-4c89-a5b0-1c9e188b9fb7", "_apis/{resource}/{identityId}"),
    (
        "graph",
        "memberships",
        "3fd2e6ca-fb30-443a-b579-95b19ed0934c",
        "_apis/{area}/{resource}/{subjectDescriptor}/{containerDescriptor}",
    ),
    (
        "git",
        "pullRequestStatuses",
        "b5f6bb4f-8d1e-4d79-8d11-4c9172c99c35",
        "{project}/_apis/git/repositories/{repositoryId}/pullRequests/{pullRequestId}/statuses/{statusId}",
    ),
    (
        "Security",
        "AccessControlLists",
        "18a2ad18-7571-46ae-bec7-0c7da1495885",
        "_apis/{resource}/{securityNamespaceId}",
    ),
    ("hooks", "subscriptions", "fc50d02a-849f-41fb-8af1-0a5216103269", "_apis/{area}/{resource}/{subscriptionId}"),
)
EVALUATION = f"/org/_apis/Permissions/{COLLECTION_NAMESPACE}/4"
INCOMPLETE = Answer(400, {"message": "Value cannot be null.", "typeKey": "ArgumentNullException"})
DENIED = Answer(403, {"message": "TF401027: You need the Git permission", "typeKey": "GitNeedsPermissionException"})
SCOPES = {
    "Code (read, write, and manage)": "/org/p/_apis/git/repositories",
    "Build (read and execute)": "/org/p/_apis/build/Definitions",
    "Work items (read and write)": "/org/p/_apis/wit/workItems/$Task",
    "Service hooks (read, write, and manage)": "/org/_apis/hooks/subscriptions",
    "Environment (read and manage)": "/org/p/_apis/distributedtask/environments",
    "Variable groups (read, create, and manage)": "/org/_apis/distributedtask/variablegroups",
    "Wiki (read and write)": "/org/p/_apis/wiki/wikis",
    "Code (status)": "/org/p/_apis/git/repositories/00000000-0000-0000-0000-000000000000/pullRequests/1/statuses",
}
LISTS = f"/org/_apis/AccessControlLists/{GIT_NAMESPACE}"
IDENTITIES, MEMBERSHIP = "/org/_apis/Identities", "/org/_apis/graph/memberships/aad.none/vssgp.none"
MANAGE = "Project and team (read, write, and manage)"
NO_PROJECT = "/org/_apis/projects/00000000-0000-0000-0000-000000000000"
ABSENT = Answer(404, {"message": "VS860016: no such subject", "typeKey": "GraphSubjectNotFoundException"})


class Noon:
    def now(self):
        return datetime(2026, 3, 1, 12, tzinfo=UTC)


class Provider:
    def get_token(self, *scopes):
        class Issued:
            token = "entra"
            expires_on = int(datetime(2026, 3, 1, 13, tzinfo=UTC).timestamp())

        return Issued()


def _listed(*values):
    return Answer(200, {"count": len(values), "value": list(values)})


@pytest.fixture
def server():
    with scripted() as script:
        locations = [
            {
                "id": id_,
                "area": area,
                "resourceName": resource,
                "routeTemplate": template,
                "resourceVersion": 7,
                "minVersion": "1.0",
                "maxVersion": "7.2",
                "releasedVersion": "7.1",
            }
            for area, resource, id_, template in LOCATIONS
        ]
        script.on("OPTIONS", "/org/_apis", _listed(*locations))
        script.on("GET", "/org/_apis/ResourceAreas", _listed())
        script.on("GET", "/org/_apis/projects", _listed({"id": "1", "name": "p", "state": "wellFormed"}))
        script.on("GET", EVALUATION, _listed(True))
        for path in SCOPES.values():
            script.on("POST", path, INCOMPLETE)
        script.on(
            "DELETE", NO_PROJECT, Answer(404, {"message": "VS800075: no", "typeKey": "ProjectDoesNotExistException"})
        )
        script.on("GET", IDENTITIES, _listed())
        script.on("GET", LISTS, _listed())
        script.on("PUT", MEMBERSHIP, ABSENT)
        yield script


def _forge(server, credentials=None):
    credentials = credentials or PersonalAccessToken(token=SecretStr("pat"))
    return AzureDevOpsForge(f"{server.url}/org", credentials, clock=Noon(), token_provider=Provider())


def _found(forge):
    return {finding.permission: finding for finding in forge.permissions()}


def test_everything_is_there(server):
    found = _found(_forge(server))
    assert len(found) == 14
    assert all(finding.present and not finding.remedy for finding in found.values())
    assert server.calls("GET", EVALUATION)[0].query == "tokens=NAMESPACE%3A"
    assert server.calls("POST", SCOPES["Work items (read and write)"])[0].query == "validateOnly=true"


def test_the_right_to_create_projects_is_missing(server):
    server.on("GET", EVALUATION, _listed(False))
    finding = _found(_forge(server))["Create new projects"]
    assert finding.present is False
    assert "Create new projects" in finding.remedy


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_that_is_missing_is_named(server, scope):
    server.on("POST", SCOPES[scope], Answer(401))
    found = _found(_forge(server))
    assert [name for name, finding in found.items() if not finding.present] == [scope]
    assert found[scope].present is False
    assert scope in found[scope].remedy


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", IDENTITIES, "Identity (read)"),
        ("PUT", MEMBERSHIP, "Graph (read and manage)"),
        ("GET", LISTS, "Security (manage)"),
    ],
)
def test_what_only_teams_approvers_and_commands_need_is_optional(server, method, path, scope):
    server.on(method, path, Answer(401))
    found = _found(_forge(server))
    assert [name for name, finding in found.items() if not finding.present] == [scope]
    assert found[scope].optional
    assert [name for name, finding in found.items() if finding.optional] == [
        "Identity (read)",
        "Graph (read and manage)",
        "Code (status)",
        "Security (manage)",
    ]


def test_a_token_that_may_not_manage_projects_could_not_take_one_back(server):
    server.on("DELETE", NO_PROJECT, Answer(401))
    found = _found(_forge(server))
    assert [name for name, finding in found.items() if not finding.present] == [MANAGE]
    assert not found[MANAGE].optional
    assert MANAGE in found[MANAGE].remedy


@pytest.mark.parametrize("answer", [DENIED, Answer(405, {"message": "no"})])
def test_a_lack_of_rights_in_a_project_of_others_tells_nothing(server, answer):
    server.on("POST", SCOPES["Code (read, write, and manage)"], answer)
    finding = _found(_forge(server))["Code (read, write, and manage)"]
    assert finding.present is None
    assert "Could not be tried" in finding.remedy


def test_an_empty_organization_leaves_open_what_needs_a_project(server):
    server.on("GET", "/org/_apis/projects", _listed())
    found = _found(_forge(server))
    undetermined = {name for name, finding in found.items() if finding.present is None}
    assert undetermined == SCOPES.keys() - {"Service hooks (read, write, and manage)"}
    assert found[MANAGE].present


def test_a_service_that_cannot_evaluate_leaves_it_open(server):
    server.on("GET", EVALUATION, Answer(405, {"message": "no"}))
    assert _found(_forge(server))["Create new projects"].present is None


def test_an_entra_identity_has_no_scopes_to_try(server):
    found = _found(_forge(server, EntraIdentity()))
    assert all(finding.present for finding in found.values())
    assert [asked for asked in server.asked if asked.method in {"DELETE", "POST", "PUT"}] == []


def test_an_outage_is_not_mistaken_for_a_missing_scope(server):
    server.on("POST", SCOPES["Build (read and execute)"], Answer(503, {"message": "down"}))
    with pytest.raises(TransientError):
        _forge(server).permissions()


def test_an_inherited_process_is_found_by_its_name(server):
    server.on(
        "GET",
        "/org/_apis/process/processes",
        _listed({"id": "abc", "name": "Our Agile"}, {"id": "def", "name": "Scrum"}),
    )
    server.on("POST", "/org/_apis/projects", Answer(202, {"id": "op", "status": "queued"}))
    forge = _forge(server)
    operation = forge.create_project("New", description="", process="our agile", private=True)
    assert (operation.id, operation.state) == ("op", OperationState.RUNNING)
    sent = server.calls("POST", "/org/_apis/projects")[0].body
    assert sent["capabilities"]["processTemplate"]["templateTypeId"] == "abc"
    with pytest.raises(RefusedError, match="no process nonsense") as caught:
        forge.create_project("New", description="", process="nonsense", private=True)
    assert "Our Agile, Scrum" in caught.value.remedy


def test_a_name_in_use_by_an_unseen_project_may_become_free(server):
    taken = {"message": "TF200019: The following project already exists", "typeKey": "ProjectAlreadyExistsException"}
    server.on("POST", "/org/_apis/projects", Answer(400, taken))
    with pytest.raises(TransientError) as caught:
        _forge(server).create_project("New", description="", process="agile", private=True)
    assert caught.value.retry_after == 5


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("notSet", OperationState.RUNNING),
        ("inProgress", OperationState.RUNNING),
        ("succeeded", OperationState.SUCCEEDED),
        ("failed", OperationState.FAILED),
        ("cancelled", OperationState.CANCELLED),
        ("somethingNew", OperationState.RUNNING),
    ],
)
def test_each_status_of_an_operation(server, status, state):
    server.on("GET", "/org/_apis/operations/op", Answer(200, {"id": "op", "status": status, "resultMessage": "why"}))
    operation = _forge(server).operation("op")
    assert (operation.state, operation.detail) == (state, "why")


def test_a_project_being_made_keeps_its_operation_running_and_one_being_deleted_is_gone(server):
    shown = {"id": "1", "name": "p", "visibility": "private", "state": "createPending"}
    server.on("GET", "/org/_apis/projects/p", Answer(200, shown), Answer(200, {**shown, "state": "deleting"}))
    server.on("GET", "/org/_apis/projects/1", Answer(200, shown), Answer(200, {**shown, "state": "wellFormed"}))
    forge = _forge(server)
    operation = forge.create_project("p", description="", process="agile", private=True)
    assert operation.state is OperationState.RUNNING
    assert forge.operation(operation.id).state is OperationState.RUNNING
    assert forge.operation(operation.id).state is OperationState.SUCCEEDED
    assert forge.project("p") is None
