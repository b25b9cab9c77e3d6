"""Steps of bootstrap.feature, played on the running stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from local.stack.seed import REQUESTS
from shared.domain.project import slug_of
from shared.projects.labels import labels
from tests.e2e.world import World, form

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
scenarios("bootstrap.feature")

STEPS = [
    "azure_devops.project",
    "azure_devops.repository",
    "azure_devops.scaffold",
    "azure_devops.branch_rules",
    "azure_devops.pipeline",
    "azure_devops.build_validation",
    "azure_devops.hook",
    "azure_devops.classification",
    "azure_devops.backlog",
    "azure_devops.wiki",
    "azure_devops.variable_group",
    "azure_devops.environments",
    "azure_devops.pipeline_permissions",
    "github.repository",
    "github.scaffold",
    "github.branch_rules",
    "github.build_validation",
    "github.hook",
    "github.labels",
    "github.topics",
    "github.security",
    "github.deployment_environments",
]


@pytest.fixture
def story() -> dict[str, Any]:
    """What the steps of one scenario tell each other."""
    return {}


@pytest.fixture(autouse=True)
def connection_as_it_was(world: World) -> Iterator[None]:
    """Scenarios that pause or change the connection leave it as they found it."""
    yield
    world.api.patch("/api/connections/acme", json={"paused": False, "mode": "enforced"})


@when(parsers.parse('Casey opens a request for "{name}" with the process "{process}"'))
def _opens(world: World, story: dict[str, Any], name: str, process: str) -> None:
    story["issue"] = world.open_issue("casey", form(name, Process=process))


@when(parsers.parse('Casey opens a request for "{name}" without an owner'))
def _opens_incomplete(world: World, story: dict[str, Any], name: str) -> None:
    story["issue"] = world.open_issue("casey", form(name, Owner=""))


@when(parsers.parse('Casey opens a request for "{name}" with the owner "{owner}"'))
def _opens_owned(world: World, story: dict[str, Any], name: str, owner: str) -> None:
    story["issue"] = world.open_issue("casey", form(name, Owner=owner))


@when(parsers.parse('a stranger opens a request for "{name}"'))
def _stranger(world: World, story: dict[str, Any], name: str) -> None:
    story["issue"] = world.open_issue("stranger", form(name))


@when(parsers.parse('Casey edits the request to "{name}"'))
def _edits(world: World, story: dict[str, Any], name: str) -> None:
    answer = world.github("casey").patch(f"/repos/{REQUESTS}/issues/{story['issue']}", json={"body": form(name)})
    assert answer.status_code == 200, answer.text


@then("the issue is answered within seconds with a link to the status page")
def _accepted(world: World, story: dict[str, Any]) -> None:
    answer = world.until("the first answer", lambda: world.answers(story["issue"]), 10)[0]
    link = re.search(r"\((http://[^)]+/api/view/[^)]+)\)", answer)
    assert link, answer
    page = world.api.get(link[1], headers={"accept": "text/html", "x-functions-key": ""})
    assert page.status_code == 200
    assert "<html" in page.text
    assert world.ready.function_key not in answer


@then(parsers.parse('the project "{name}" is made, every step read back'))
def _made(world: World, name: str) -> None:
    view = world.ended(slug_of(name))
    assert view["state"] == "completed", view["steps"]
    assert {step["state"] for step in view["steps"]} == {"applied"}
    state = world.state_of(name, slug_of(name))
    for one in ("projects", "azure repositories", "azure commits", "pipelines"):
        assert state[one] == 1, (one, state)
    assert (state["wikis"], state["variable groups"]) == (1, 1)
    assert len(state["wiki pages"]) == 4
    assert state["environments"] == ["production", "staging"]
    for one in ("github repositories", "github commits", "webhooks"):
        assert state[one] == 1, (one, state)
    assert state["protected"] is True
    assert {label.name for label in labels()} <= set(state["labels"])
    assert state["topics"] == ["doneright"]
    assert state["vulnerability alerts"] is True
    assert state["github environments"] == ["production", "staging"]
    assert state["work items"] >= 9


@then(parsers.parse("its backlog is a tree of {levels}"))
def _tree(world: World, story: dict[str, Any], levels: str) -> None:
    wanted = [level.strip() for level in levels.split(",")]
    name = _name_of(world, story)
    ids = [
        item["id"]
        for item in world.azure.post(
            f"/{name}/_apis/wit/wiql",
            json={"query": "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project"},
        ).json()["workItems"]
    ]
    answer = world.azure.get(
        "/_apis/wit/workitems", params={"ids": ",".join(map(str, ids)), "$expand": "relations", "api-version": "7.1"}
    )
    items = {item["id"]: item for item in answer.json()["value"]}
    kinds = {item["fields"]["System.WorkItemType"] for item in items.values()}
    assert kinds == set(wanted)
    for item in items.values():
        level = wanted.index(item["fields"]["System.WorkItemType"])
        parents = [
            int(relation["url"].rsplit("/", 1)[1])
            for relation in item.get("relations") or []
            if relation["rel"] == "System.LinkTypes.Hierarchy-Reverse"
        ]
        if level == 0:
            assert parents == []
        else:
            assert [items[p]["fields"]["System.WorkItemType"] for p in parents] == [wanted[level - 1]]


def _name_of(world: World, story: dict[str, Any]) -> str:
    issue = world.github("mona").get(f"/repos/{REQUESTS}/issues/{story['issue']}").json()
    return str(issue["body"].split("\n\n")[1])


@then("the issue is answered with what was made and the record's root")
def _concluded(world: World, story: dict[str, Any]) -> None:
    def look() -> str | None:
        return next((answer for answer in world.answers(story["issue"]) if "is ready" in answer), None)

    answer = world.until("the last answer", look, 20)
    assert answer is not None
    root = re.search(r"Merkle root `([0-9a-f]{64})`", answer)
    assert root, answer
    assert len(world.answers(story["issue"])) == 2


@then(parsers.parse('the issue is answered with the fields "{first}" and "{second}" and an example of each'))
def _fields(world: World, story: dict[str, Any], first: str, second: str) -> None:
    answer = world.until("the answer", lambda: world.answers(story["issue"]), 20)[0]
    rows = [line for line in answer.splitlines() if line.startswith("| ") and "What is wrong" not in line]
    assert [row.split("|")[1].strip() for row in rows] == [first, second]
    assert all(row.split("|")[3].strip() for row in rows)


@then(parsers.parse('the issue is answered with the fields "{only}" alone'))
def _field(world: World, story: dict[str, Any], only: str) -> None:
    answer = world.until("the answer", lambda: world.answers(story["issue"]), 20)[0]
    rows = [line for line in answer.splitlines() if line.startswith("| ") and "What is wrong" not in line]
    assert [row.split("|")[1].strip() for row in rows] == [only]
    assert "@" not in answer, "a refusal must not ping anybody"


@then("the issue is answered that the stranger is not on the list")
def _refused(world: World, story: dict[str, Any]) -> None:
    answer = world.until("the refusal", lambda: world.answers(story["issue"]), 20)[0]
    assert "not on the list" in answer
    assert "@stranger" not in answer, "a refusal must not ping anybody"


@then(parsers.parse('there is no project "{name}" on either forge'))
def _nothing(world: World, name: str) -> None:
    names = [project["name"] for project in world.azure.get("/_apis/projects").json()["value"]]
    assert name not in names
    assert world.github("mona").get(f"/repos/acme/{slug_of(name)}").status_code == 404


def _ask(world: World, name: str, **more: Any) -> dict[str, Any]:
    return {"connection": "acme", "name": name, "owner": "casey", "stack": "fastapi"} | more


@given(parsers.parse('the project "{name}" was made by a call'))
def _made_by_call(world: World, story: dict[str, Any], name: str) -> None:
    answer = world.api.post("/api/projects", json=_ask(world, name))
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].endswith(f"/api/projects/{slug_of(name)}")
    story["name"] = name
    assert world.ended(slug_of(name))["state"] == "completed"


FURTHER: list[dict[str, Any]] = [
    {"name": "web-shop", "stack": "react", "description": "Its pages."},
    {"name": "many-shops-notes", "forges": ["github"]},
]


@when(
    parsers.parse('the plan for "{name}" with a React repository "web-shop" and notes on GitHub alone is asked for'),
)
def _plan_further(world: World, story: dict[str, Any], name: str) -> None:
    world.forget()
    asked = _ask(world, name, repositories=FURTHER)
    story["answer"] = world.api.post("/api/projects?dry_run=true", json=asked)
    assert story["answer"].status_code == 200, story["answer"].text
    assert _writes(world) == []


@given(
    parsers.parse(
        'the project "{name}" with a React repository "web-shop" and notes on GitHub alone was made by a call'
    ),
)
def _made_further(world: World, story: dict[str, Any], name: str) -> None:
    story |= {"name": name, "more": {"repositories": FURTHER}}
    answer = world.api.post("/api/projects", json=_ask(world, name, **story["more"]))
    assert answer.status_code == 202, answer.text
    view = world.ended(slug_of(name))
    assert view["state"] == "completed", view["steps"]
    assert {step["state"] for step in view["steps"]} == {"applied"}


@then(parsers.parse('"{repository}" is a protected repository of "{name}" on both forges, of the same files'))
def _on_both(world: World, repository: str, name: str) -> None:
    github, project = world.github("mona"), quote(name)
    assert github.get(f"/repos/acme/{repository}/branches/main").json()["protected"] is True
    tree = github.get(f"/repos/acme/{repository}/git/trees/main", params={"recursive": 1}).json()["tree"]
    there = f"/{project}/_apis/git/repositories/{repository}"
    items = world.azure.get(f"{there}/items", params={"recursionLevel": "full", "scopePath": "/"}).json()["value"]
    on_github = {item["path"]: item["sha"] for item in tree if item["type"] == "blob"}
    assert {i["path"].removeprefix("/"): i["objectId"] for i in items if i["gitObjectType"] == "blob"} == on_github
    assert {"package.json", "azure-pipelines.yml", ".github/workflows/ci.yml"} <= set(on_github)
    number = world.azure.get(there).json()["id"]
    policies = world.azure.get(f"/{project}/_apis/policy/configurations").json()["value"]
    assert [p for p in policies if any(scope.get("repositoryId") == number for scope in p["settings"]["scope"])]
    pipelines = world.azure.get(f"/{project}/_apis/build/definitions").json()["value"]
    assert {pipeline["name"] for pipeline in pipelines} == {slug_of(name), repository}


@then(parsers.parse('"{repository}" is a protected repository on GitHub alone, with a README'))
def _on_github_alone(world: World, story: dict[str, Any], repository: str) -> None:
    github = world.github("mona")
    assert github.get(f"/repos/acme/{repository}/branches/main").json()["protected"] is True
    contents = github.get(f"/repos/acme/{repository}/contents/").json()
    assert [file["name"] for file in contents] == ["README.md"]
    there = world.azure.get(f"/{quote(story['name'])}/_apis/git/repositories").json()["value"]
    assert sorted(one["name"] for one in there) == [story["name"], "web-shop"]


@then(parsers.parse('each repository of "{name}" on GitHub calls Doneright once, and Azure DevOps once for each event'))
def _hooks(world: World, name: str) -> None:
    for repository in (slug_of(name), "web-shop", "many-shops-notes"):
        assert len(world.github("mona").get(f"/repos/acme/{repository}/hooks").json()) == 1
    events = world.state_of(name, slug_of(name))["subscriptions"]
    assert events
    assert len(set(events)) == len(events)


@when("the same call is made again")
def _again(world: World, story: dict[str, Any]) -> None:
    world.forget()
    answer = world.api.post("/api/projects", json=_ask(world, story["name"], **story.get("more", {})))
    assert answer.status_code == 202, answer.text
    world.ended(slug_of(story["name"]), run=2)


@then("every step is confirmed and neither forge saw a write")
def _confirmed(world: World, story: dict[str, Any]) -> None:
    view = world.project(slug_of(story["name"]))
    assert view is not None
    assert {step["state"] for step in view["steps"]} == {"confirmed"}
    assert _writes(world) == []


def _writes(world: World) -> list[dict[str, Any]]:
    return [
        request
        for forge in ("github", "azure_devops")
        for request in world.requests(forge)
        if request["method"] not in {"GET", "HEAD", "OPTIONS"}
        and not re.search(r"wiql|workitemsbatch", request["path"], re.IGNORECASE)
    ]


@when(parsers.parse('the plan for "{name}" is asked for'))
def _plan(world: World, story: dict[str, Any], name: str) -> None:
    world.forget()
    story["answer"] = world.api.post("/api/projects?dry_run=true", json=_ask(world, name))


@when(parsers.parse('the plan for "{name}" is asked for with the owner "{owner}"'))
def _plan_owned(world: World, story: dict[str, Any], name: str, owner: str) -> None:
    world.forget()
    story["answer"] = world.api.post("/api/projects?dry_run=true", json=_ask(world, name, owner=owner))


@then("the plan names the steps of both forges")
def _planned(story: dict[str, Any]) -> None:
    assert story["answer"].status_code == 200
    steps = [step["id"] for step in story["answer"].json()["plan"]["steps"]]
    assert steps == STEPS


@then("every step would make something")
def _would_make(story: dict[str, Any]) -> None:
    assert {change["change"] for change in story["answer"].json()["changes"]} == {"make"}
    assert story["answer"].json()["would_succeed"] is True


@then("no step would make anything and neither forge saw a write")
def _would_change_nothing(world: World, story: dict[str, Any]) -> None:
    changes = story["answer"].json()["changes"]
    assert {change["change"] for change in changes} <= {"none", "not_supported"}, changes
    assert _writes(world) == []


@when("Mona removes its webhook on GitHub")
def _removes_hook(world: World, story: dict[str, Any]) -> None:
    hooks = f"/repos/acme/{slug_of(story['name'])}/hooks"
    for hook in world.github("mona").get(hooks).json():
        assert world.github("mona").delete(f"{hooks}/{hook['id']}").status_code == 204
    world.forget()


@then(parsers.parse('a look at "{name}" finds that "{step}" has drifted'))
def _drifted(world: World, name: str, step: str) -> None:
    answer = world.api.post(f"/api/projects/{slug_of(name)}/reconcile?dry_run=true")
    assert answer.status_code == 200, answer.text
    changed = [s["id"] for s in answer.json()["steps"] if s["change"] not in {"none", "not_supported"}]
    assert changed == [step]
    assert _writes(world) == []


@when("Mona replaces the history of its main branch on GitHub")
def _replaces_history(world: World, story: dict[str, Any]) -> None:
    mona, repository = world.github("mona"), f"/repos/acme/{slug_of(story['name'])}"
    assert mona.delete(f"{repository}/branches/main/protection").status_code == 204
    story["lost"] = mona.get(f"{repository}/git/ref/heads/main").json()["object"]["sha"]
    files = {"tree": [{"path": "mine.txt", "mode": "100644", "type": "blob", "content": "x"}]}
    tree = mona.post(f"{repository}/git/trees", json=files).json()["sha"]
    commit = {"message": "Begin anew", "tree": tree, "parents": []}
    story["pushed"] = mona.post(f"{repository}/git/commits", json=commit).json()["sha"]
    moved = mona.patch(f"{repository}/git/refs/heads/main", json={"sha": story["pushed"], "force": True})
    assert moved.status_code == 200, moved.text
    world.forget()


@then(parsers.parse('a look at "{name}" says of "{step}" which commit is lost and how to get it back'))
def _lost(world: World, story: dict[str, Any], name: str, step: str) -> None:
    answer = world.api.post(f"/api/projects/{slug_of(name)}/reconcile?dry_run=true")
    assert answer.status_code == 200, answer.text
    (found,) = [s for s in answer.json()["steps"] if s["id"] == step]
    assert (answer.json()["drifted"], found["change"]) == (True, "conflict")
    assert story["lost"] in found["reason"]
    assert story["lost"] in found["remedy"]
    assert _writes(world) == []


@then("the history Mona pushed is as it was")
def _kept(world: World, story: dict[str, Any]) -> None:
    head = world.github("mona").get(f"/repos/acme/{slug_of(story['name'])}/git/ref/heads/main")
    assert head.json()["object"]["sha"] == story["pushed"]


@when(parsers.parse('"{name}" is reconciled'))
def _reconciled(world: World, name: str) -> None:
    assert world.api.post(f"/api/projects/{slug_of(name)}/reconcile").status_code == 202
    assert world.ended(slug_of(name), run=2)["state"] == "completed"


@then("its webhook is back and nothing else was written")
def _healed(world: World, story: dict[str, Any]) -> None:
    path = f"/repos/acme/{slug_of(story['name'])}/hooks"
    assert [(w["method"], w["path"]) for w in _writes(world)] == [("POST", path)]
    assert len(world.github("mona").get(path).json()) == 1


@given(parsers.parse('a repository "{name}" that Mona made'))
def _monas(world: World, story: dict[str, Any], name: str) -> None:
    made = world.github("mona").post("/orgs/acme/repos", json={"name": name, "description": "Mona's own"})
    assert made.status_code == 201, made.text
    story["monas"] = world.github("mona").get(f"/repos/acme/{name}").json()


@when(parsers.parse('a call asks for "{name}"'))
def _asks(world: World, story: dict[str, Any], name: str) -> None:
    assert world.api.post("/api/projects", json=_ask(world, name)).status_code == 202
    story["view"] = world.ended(slug_of(name))


@then(parsers.parse('the step "{step}" fails and says what to do'))
def _failed(story: dict[str, Any], step: str) -> None:
    assert story["view"]["state"] == "awaiting_decision"
    found = next(s for s in story["view"]["steps"] if s["id"] == step)
    assert found["state"] == "failed"
    assert "exists already" in found["reason"]
    assert found["remedy"]


@then("the steps after it on GitHub are skipped, and Azure DevOps is complete")
def _others(story: dict[str, Any]) -> None:
    states = {step["id"]: step["state"] for step in story["view"]["steps"]}
    assert {states[s] for s in states if s.startswith("github.") and s != "github.repository"} == {"skipped"}
    assert {states[s] for s in states if s.startswith("azure_devops.")} == {"applied"}


@then("Mona's repository is as it was")
def _untouched(world: World, story: dict[str, Any]) -> None:
    before = story["monas"]
    after = world.github("mona").get(f"/repos/{before['full_name']}").json()
    assert {k: after[k] for k in ("id", "description", "pushed_at")} == {
        k: before[k] for k in ("id", "description", "pushed_at")
    }
    assert world.github("mona").get(f"/repos/{before['full_name']}/hooks").json() == []


@given("the connection is paused")
def _paused(world: World) -> None:
    assert world.api.patch("/api/connections/acme", json={"paused": True}).json()["paused"] is True


@then("its delivery is held")
def _held(world: World) -> None:
    world.until("a held delivery", lambda: world.api.get("/api/deliveries?state=held").json()["deliveries"], 20)


@when("the connection is resumed")
def _resumed(world: World) -> None:
    assert world.api.patch("/api/connections/acme", json={"paused": False}).json()["paused"] is False


@given("the connection is in advisory mode")
def _advisory(world: World) -> None:
    assert world.api.patch("/api/connections/acme", json={"mode": "advisory"}).status_code == 200


@then("the issue is answered with the plan alone")
def _advised(world: World, story: dict[str, Any]) -> None:
    def look() -> str | None:
        return next((answer for answer in world.answers(story["issue"]) if "advisory mode" in answer), None)

    answer = world.until("the plan", look, 20)
    assert answer is not None
    assert answer.count("\n1. ") == len(STEPS)


@when("a call asks for a project with a wrong name, stack and reviewers")
def _wrong(world: World, story: dict[str, Any]) -> None:
    story["answer"] = world.api.post(
        "/api/projects", json=_ask(world, "a/b", stack="cobol", rules={"minimum_reviewers": 99})
    )


@then(parsers.parse('it is refused with a problem that names "{one}", "{two}" and "{three}"'))
def _problem(story: dict[str, Any], one: str, two: str, three: str) -> None:
    answer = story["answer"]
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert {error["field"] for error in answer.json()["errors"]} == {one, two, three}


@then(parsers.parse('it is refused with a problem that names "{only}" alone'))
def _problem_alone(story: dict[str, Any], only: str) -> None:
    assert story["answer"].status_code == 400
    assert [error["field"] for error in story["answer"].json()["errors"]] == [only]


@when("its record is read page by page")
def _read(world: World, story: dict[str, Any]) -> None:
    path, events = f"/api/audit/{slug_of(story['name'])}", []
    cursor: str | None = "0"
    while cursor is not None:
        page = world.api.get(path, params={"cursor": cursor, "limit": 5}).json()
        events += page["events"]
        cursor = page["next_cursor"]
    story["events"] = events
    story["proof"] = world.api.get(f"{path}/verify").json()


@then("it holds every step once, in order, and verifies")
def _proven(story: dict[str, Any]) -> None:
    events = story["events"]
    assert [event["sequence"] for event in events] == list(range(len(events)))
    steps = [event["step"] for event in events if event["tag"].endswith(":step:applied")]
    assert sorted(steps) == sorted(STEPS)
    assert events[0]["tag"] == "doneright:request:received"
    assert events[-1]["tag"] == "doneright:project:completed"
    assert story["proof"]["ok"] is True
    assert story["proof"]["size"] == len(events)
