"""Whatever is sent to whichever route, the answer is the service's own refusal or a success, never a traceback."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from local.sandbox.azure_devops.call import OPERATIONS
from tests.unit.local.sandbox.azure_devops.support import ZERO, Raw, Simulator, change, fields

pytestmark = pytest.mark.stack
WRONG: tuple[Any, ...] = (
    None,
    7,
    -1,
    1e308,
    True,
    "x",
    "²",
    "",
    [],
    [1],
    ["x"],
    {},
    {"id": 7},
    {"id": None},
    [{}],
    [{"id": []}],
    [None],
)


@pytest.fixture(scope="module")
def furnished(simulator: Simulator, clients: Any, raw: Raw) -> dict[str, str]:
    """Route values that exist, so that requests get past the first lookup."""
    git = clients.get_git_client()
    repository = git.create_repository({"name": "fuzz"}, "Shop")
    body = {
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": ZERO}],
        "commits": [{"comment": "c", "changes": [change("add", "/ci.yml", "steps: [{script: a}]")]}],
    }
    tip = git.create_push(body, repository.id, "Shop").ref_updates[0].new_object_id
    git.update_refs([{"name": "refs/heads/t", "oldObjectId": ZERO, "newObjectId": tip}], repository.id)
    pull = git.create_pull_request(
        {"sourceRefName": "refs/heads/t", "targetRefName": "refs/heads/main", "title": "t"}, repository.id
    )
    thread = git.create_thread({"comments": [{"content": "c"}]}, repository.id, pull.pull_request_id)
    definition = clients.get_build_client().create_definition(
        {
            "name": "d",
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    run = clients.get_build_client().queue_build({"definition": {"id": definition.id}}, "Shop")
    tracker = clients.get_work_item_tracking_client()
    item = tracker.create_work_item(fields(System_Title="t"), "Shop", "Task")
    comment = tracker.add_comment({"text": "t"}, "Shop", item.id)
    environment = clients.get_task_agent_client().add_environment({"name": "e"}, "Shop")
    plan = clients.get_test_plan_client().create_test_plan({"name": "p"}, "Shop")
    process = raw.ok(
        "POST",
        "/_apis/work/processes",
        {"name": "fuzzed", "parentProcessTypeId": "adcc42ab-9882-485e-a3ed-7678f01f66bc"},
    )
    project = clients.get_core_client().get_project("Shop")
    wiki = raw.ok("POST", "/Shop/_apis/wiki/wikis", {"name": "w", "type": "projectWiki"})
    return {
        "repositoryId": repository.id,
        "pullRequestId": str(pull.pull_request_id),
        "threadId": str(thread.id),
        "definitionId": str(definition.id),
        "pipelineId": str(definition.id),
        "runId": str(run.id),
        "buildId": str(run.id),
        "commitId": tip,
        "workItemId": str(item.id),
        "commentId": str(comment.id),
        "type": "Task",
        "environmentId": str(environment.id),
        "planId": str(plan.id),
        "suiteId": str(plan.root_suite.id),
        "processId": process["typeId"],
        "processTypeId": process["typeId"],
        "witRefName": "Microsoft.VSTS.WorkItemTypes.Bug",
        "projectId": project.id,
        "securityNamespaceId": "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87",
        "structureGroup": "areas",
        "wikiIdentifier": wiki["id"],
        "board": "Stories",
        "resourceType": "environment",
        "resourceId": str(environment.id),
        "query": "Shared Queries",
        "iterationId": "1",
    }


def address(route: str, known: dict[str, str], *, own_id: bool) -> str:
    parts = []
    for part in route.split("/"):
        if "{" not in part:
            parts.append(part)
            continue
        head, name = part.rstrip("}").split("{")
        value = known.get(name.lstrip("*"), known["workItemId"] if name == "id" and "workItems" in route else "1")
        if part is route.rsplit("/", maxsplit=1)[-1] and not own_id and name not in {"type", "structureGroup"}:
            continue
        parts.append(head + value)
    scope = (
        "/Shop"
        if route.split("/", maxsplit=1)[0].lower() not in {"projects", "graph", "hooks", "process"}
        and not route.startswith("work/processes")
        else ""
    )
    return f"{scope}/_apis/{'/'.join(parts)}"


def bodies(rng: random.Random) -> list[Any]:
    """Wrong values alone, and under every name handlers read."""
    names = [
        "name",
        "title",
        "description",
        "comments",
        "commentType",
        "status",
        "vote",
        "reviewers",
        "labels",
        "changes",
        "commits",
        "refUpdates",
        "variables",
        "process",
        "repository",
        "settings",
        "type",
        "scope",
        "resource",
        "configuration",
        "resources",
        "query",
        "wiql",
        "attributes",
        "path",
        "value",
        "fields",
        "ids",
        "publisherInputs",
        "consumerInputs",
        "completionOptions",
        "autoCompleteSetBy",
        "revision",
        "definition",
        "parameters",
        "context",
        "state",
        "content",
        "text",
        "isRequired",
        "steps",
        "templateParameters",
        "accessControlEntries",
        "token",
        "evaluations",
        "permissions",
        "approvers",
        "pipelines",
        "allPipelines",
        "parentSuite",
        "requirementId",
        "workItem",
        "displayName",
        "op",
        "from",
        "rel",
        "url",
        "eventType",
        "publisherId",
        "consumerId",
        "consumerActionId",
        "details",
        "capabilities",
        "visibility",
        "previousId",
        "nextId",
        "top",
        "project",
        "id",
    ]
    made: list[Any] = list(WRONG)
    for _ in range(6):
        made.append({name: rng.choice(WRONG) for name in rng.sample(names, 40)})
        made.append([{name: rng.choice(WRONG) for name in rng.sample(names, 20)}])
    return made


CHANGING = sorted({(m, r) for m, r in OPERATIONS if m in {"POST", "PUT", "PATCH"} and r != "projects/{*projectId}"})


@pytest.mark.parametrize("slice_", range(4))
def test_bodies_of_any_shape_are_answered_in_words(raw: Raw, furnished: dict[str, str], slice_: int) -> None:
    rng = random.Random(slice_)
    broken = []
    for method, route in CHANGING[slice_::4]:
        for body, own in itertools.product(rng.sample(bodies(rng), 10), (True, False)):
            path = address(route, furnished, own_id=own)
            answer = raw(method, path, body)
            worded = answer.status_code < 400 or answer.status_code == 405 or "message" in answer.json()
            if answer.status_code >= 500 or not worded:
                broken.append((method, path, body, answer.status_code))
    assert broken == []


def test_addresses_and_queries_of_any_shape_are_answered_in_words(raw: Raw, furnished: dict[str, str]) -> None:
    rng = random.Random(0)
    texts = ("x", "-1", "²", "9" * 30, "..", "%00", "a,b", "null", "'")
    keys = (
        "$top",
        "$skip",
        "ids",
        "$depth",
        "continuationToken",
        "version",
        "searchCriteria.fromDate",
        "asOf",
        "top",
        "skip",
        "fields",
    )
    broken = []
    for method, route in sorted(OPERATIONS):
        if method != "GET":
            continue
        for known in (furnished, {name: rng.choice(texts) for name in furnished}):
            query = {key: rng.choice(texts) for key in rng.sample(keys, 4)}
            path = address(route, known, own_id=rng.random() < 0.6)
            answer = raw("GET", path, **query)
            if answer.status_code >= 500:
                broken.append((path, query, answer.status_code))
    assert broken == []


def test_pages_still_stand_after_all_that(raw: Raw, simulator: Simulator, furnished: dict[str, str]) -> None:
    for section in (
        "",
        "/_git",
        "/_git/fuzz",
        "/_boards",
        "/_backlogs",
        "/_build",
        "/_environments",
        "/_wiki",
        "/_settings",
    ):
        page = raw.client.get(f"{simulator.organization_url}/Shop{section}", headers={"Accept": "text/html"})
        assert page.status_code == 200, section
    assert furnished


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not valid JSON"),
        (b"", "Parameter name: body"),
        (b"[" * 100_000, "could not be read"),
        (b"\xff", "not valid JSON"),
    ],
)
def test_bodies_that_are_no_json(raw: Raw, content: bytes, words: str) -> None:
    answer = raw.client.post(
        f"{raw.base}/Shop/_apis/wit/wiql?api-version=7.1", content=content, auth=("", "admin-token")
    )
    assert (answer.status_code, words in answer.json()["message"]) == (400, True), answer.text


def test_versions_and_credentials_that_are_wrong(raw: Raw, simulator: Simulator) -> None:
    raw.no(400, "could not be parsed", "GET", "/_apis/projects", version="new")
    raw.no(405, "does not support", "DELETE", "/_apis/teams")
    raw.no(404, "does not exist", "GET", "/../elsewhere/_apis/projects")
    raw.no(400, "not valid for $top", "GET", "/Shop/_apis/policy/configurations", **{"$top": "many"})
    client, base = raw.client, f"{simulator.organization_url}/_apis/projects"
    assert client.get(base, headers={"Authorization": "Basic !!"}).status_code == 203
    assert client.get(base, headers={"Authorization": "Bearer none"}).status_code == 401
    assert client.get(base, headers={"Authorization": "Basic " + "Og=="}).status_code == 203
    assert client.options(f"{simulator.url}/_apis").json() == {"count": 0, "value": []}
    quoted = {"Accept": 'application/json;api-version="7.1"'}
    assert client.get(base, headers=quoted, auth=("", "admin-token")).status_code == 200
