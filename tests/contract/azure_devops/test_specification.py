"""The calls of the official package pass the published specification, and what it does not know is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.azure_devops.contract import AzureDevOpsContract, contracts_folder, load
from local.sandbox.azure_devops.seed import apply
from local.sandbox.state import State
from tests.fakes.serving import served

pytestmark = pytest.mark.contract
ZERO = "0" * 40
AUTH = {"Authorization": "Basic " + base64.b64encode(b":t").decode()}


@pytest.fixture(scope="module")
def contract() -> AzureDevOpsContract:
    try:
        return load()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def base(contract: AzureDevOpsContract) -> Iterator[str]:
    state = State()
    user = {"name": "Ada", "mail": "ada@x.example", "token": "t", "permissions": ["collection_administrator"]}
    apply(state, {"organizations": [{"name": "strict", "users": [user], "projects": [{"name": "Shop"}]}]})

    def build(url: str) -> Starlette:
        return build_azure_devops(
            state, base_url=url, contract=contract, min_project_seconds=0, max_project_seconds=0, build_seconds=0.05
        )

    with served(build, log_level="warning") as (url, _):
        yield url


def test_what_the_product_asks_is_in_the_specification(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", str(tmp_path))
    from azure.devops.connection import Connection
    from msrest.authentication import BasicAuthentication

    clients = Connection(f"{base}/strict", BasicAuthentication("", "t")).clients_v7_1
    core, git = clients.get_core_client(), clients.get_git_client()
    template = {"templateTypeId": "27450541-8e31-4150-9947-dc59f998fc01"}
    wanted = {
        "name": "New",
        "capabilities": {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": template},
    }
    operation = core.queue_create_project(wanted)
    assert clients.get_operations_client().get_operation(operation.id).status == "succeeded"
    repository = git.get_repositories("New")[0]
    yaml = {
        "changeType": "add",
        "item": {"path": "/ci.yml"},
        "newContent": {"content": "steps: [{script: ls}]", "contentType": "rawtext"},
    }
    push = {
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": ZERO}],
        "commits": [{"comment": "x", "changes": [yaml]}],
    }
    git.create_push(push, repository.id, "New")
    scope = [{"repositoryId": repository.id, "refName": "refs/heads/main", "matchKind": "Exact"}]
    reviewers = {"minimumApproverCount": 1, "creatorVoteCounts": False, "scope": scope}
    kind = {"id": "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"}
    policy = {"isEnabled": True, "isBlocking": True, "type": kind, "settings": reviewers}
    assert clients.get_policy_client().create_policy_configuration(policy, "New").id
    definition = {
        "name": "ci",
        "type": "build",
        "process": {"type": 2, "yamlFilename": "ci.yml"},
        "repository": {"id": repository.id, "type": "TfsGit"},
        "queue": {"name": "Azure Pipelines"},
    }
    made = clients.get_build_client().create_definition(definition, "New")
    clients.get_build_client().queue_build({"definition": {"id": made.id}}, "New")
    tracker = clients.get_work_item_tracking_client()
    title = {"op": "add", "path": "/fields/System.Title", "value": "x"}
    epic = tracker.create_work_item([title], "New", "Epic")
    link = {
        "op": "add",
        "path": "/relations/-",
        "value": {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": epic.url},
    }
    tracker.create_work_item([title, link], "New", "Feature")
    assert len(tracker.query_by_wiql({"query": "SELECT [System.Id] FROM WorkItems"}).work_items) == 2
    hook = {
        "publisherId": "tfs",
        "eventType": "git.push",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": {"projectId": repository.project.id},
        "consumerInputs": {"url": "https://receiver.invalid/hook", "basicAuthPassword": "s"},
    }
    assert (
        clients.get_service_hooks_client().create_subscription(hook).consumer_inputs["basicAuthPassword"] == "********"
    )
    wiki = clients.get_wiki_client()
    wiki.create_wiki({"name": "docs", "type": "projectWiki", "projectId": repository.project.id}, "New")
    assert wiki.create_or_update_page({"content": "hello"}, "New", "docs", "/Home", None).eTag
    assert httpx.get(f"{base}/_violations").json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "violation"),
    [
        ("GET", "/strict/_apis/unheard/of?api-version=7.1", None, "path: "),
        ("PUT", "/strict/_apis/projects?api-version=7.1", {}, "method: PUT"),
        ("GET", "/strict/_apis/projects", None, "api-version: required"),
        ("POST", "/strict/_apis/projects?api-version=7.1", {"name": 7}, "body.name: string is expected"),
        (
            "POST",
            "/strict/_apis/projects?api-version=7.1",
            {"visibility": "secret"},
            "body.visibility: 'secret' is none of",
        ),
        (
            "POST",
            "/strict/Shop/_apis/wit/workitems/$Task?api-version=7.1",
            [],
            "content-type: application/json-patch+json",
        ),
        (
            "POST",
            "/strict/Shop/_apis/git/repositories/x/pushes?api-version=7.1",
            {"refUpdates": {}},
            "body.refUpdates: array",
        ),
    ],
)
def test_what_the_specification_does_not_allow_is_refused(
    base: str, method: str, path: str, body: Any, violation: str
) -> None:
    answer = httpx.request(method, base + path, json=body, headers=AUTH)
    assert answer.status_code == 501
    assert any(v.startswith(violation) for v in answer.json()["violations"]), answer.json()["violations"]


def test_a_last_segment_the_specification_lets_out_may_be_left_out(base: str) -> None:
    nodes = f"{base}/strict/Shop/_apis/wit/classificationNodes"
    for method, path, status in (
        ("GET", "iterations", 200),
        ("GET", "Areas/", 200),
        ("POST", "iterations", 201),
        ("POST", "iterations/Sprint%207", 201),
        ("GET", "iterations/Sprint%207/Sprint%207", 200),
    ):
        body = {"name": "Sprint 7"} if method == "POST" else None
        answer = httpx.request(method, f"{nodes}/{path}?api-version=7.1", json=body, headers=AUTH)
        assert answer.status_code == status, (path, answer.text)


def test_a_segment_the_specification_demands_may_not(base: str) -> None:
    answer = httpx.get(f"{base}/strict/Shop/_apis/pipelines/pipelinepermissions/environment", headers=AUTH)
    assert answer.status_code == 501


def test_locations_served_are_the_official_ones(contract: AzureDevOpsContract) -> None:
    import json

    from local.sandbox.azure_devops.locations import locations

    folder = contracts_folder() / "azure_devops"
    raw = json.loads((folder / "resource_locations.json").read_text())
    official = {x["id"]: x for x in (raw["value"] if isinstance(raw, dict) else raw)}
    official |= {x["id"]: x for x in json.loads((folder / "graph_locations.json").read_text())}
    checked = 0
    for location in locations():
        if location.id in official:
            assert location.as_json() == official[location.id]
            checked += 1
    assert checked > 100


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="DONERIGHT_CONTRACTS"):
        load(tmp_path)
