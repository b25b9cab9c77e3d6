"""Steps of portfolio.feature, played on the running stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from pytest_bdd import given, parsers, scenarios, then, when

from shared.domain.project import slug_of
from tests.e2e.world import World

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
scenarios("portfolio.feature")

READS = {"GET", "HEAD", "OPTIONS"}
DEFAULTS = {"owner": "casey", "stack": "fastapi", "process": "basic"}


@pytest.fixture
def story() -> dict[str, Any]:
    """What the steps of one scenario tell each other."""
    return {}


def a_file(*names: str, **changes: Any) -> dict[str, Any]:
    projects = [{"name": name} for name in names]
    return {"name": names[0], "connection": "acme", "defaults": DEFAULTS, "projects": projects} | changes


def _send(world: World, story: dict[str, Any], **params: str) -> Any:
    return world.api.post(
        "/api/portfolios",
        content=yaml.safe_dump(story["file"]),
        headers={"content-type": "application/yaml"},
        params=params,
    )


def _view(world: World, story: dict[str, Any]) -> dict[str, Any]:
    answer = world.api.get(story["location"], headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


def _states(view: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["state"] for row in view["projects"]}


def _writes(world: World) -> list[str]:
    """Calls that changed a forge; queries of Azure DevOps are sent as POST."""
    asked = ("wiql", "workitemsbatch", "pagesbatch", "access_tokens", "identities", "subjectquery")
    return [
        f"{call['method']} {call['path']}"
        for forge in ("github", "azure_devops")
        for call in world.requests(forge)
        if call["method"] not in READS and not any(word in call["path"].lower() for word in asked)
    ]


@given(parsers.parse('"{name}" is taken on GitHub'))
def _taken(world: World, name: str) -> None:
    made = world.github("mona").post("/orgs/acme/repos", json={"name": slug_of(name), "description": "Mona's own"})
    assert made.status_code == 201, made.text


@when(parsers.parse('somebody sends a file with "{a}", "{b}" and "{c}" and an epic across "{d}" and "{e}"'))
def _sends(world: World, story: dict[str, Any], a: str, b: str, c: str, d: str, e: str) -> None:
    epic = {
        "title": "One sign-in everywhere",
        "description": "People sign in once.",
        "acceptance": ["Signing out ends every session"],
        "projects": [d, e],
        "features": {d: ["Accept the shared token"]},
    }
    story["file"] = a_file(a, b, c, id="fleet", name="Fleet", epics=[epic])
    _sent(world, story)


def _sent(world: World, story: dict[str, Any]) -> None:
    answer = _send(world, story)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].endswith("/api/portfolios/fleet")
    story |= {"location": "/api/portfolios/fleet", "instance": answer.json()["instance"]}


@then(parsers.parse('the portfolio shows "{name}" waiting for a decision while the others are completed'))
def _waits(world: World, story: dict[str, Any], name: str) -> None:
    def look() -> dict[str, Any] | None:
        view = _view(world, story)
        others = {state for other, state in _states(view).items() if other != name}
        return view if _states(view)[name] == "awaiting_decision" and others == {"completed"} else None

    view = world.until("the others' completion", look)
    assert view is not None
    assert (view["state"], view["done"], view["waiting"], view["total"]) == ("running", 2, 1, 3)


@then("its page shows each project with its state, and what is waited for")
def _page(world: World, story: dict[str, Any]) -> None:
    answer = world.api.get(story["location"], headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh"' in answer.text
    for words in ("Fleet Desk", "Fleet Ledger", "Fleet Shop", "Waits for a decision", "2 of 3", "asks how to go on"):
        assert words in answer.text, words


@then(parsers.parse('the epic stands once with its features in "{a}" and "{b}"'))
def _epic(world: World, story: dict[str, Any], a: str, b: str) -> None:
    items = {name: _items(world, name) for name in (a, b)}
    for name in (a, b):
        epics = [item for item in items[name] if item["System.WorkItemType"] == "Epic"]
        assert [epic["System.Title"] for epic in epics] == ["One sign-in everywhere"], items[name]
    below = [item for item in items[a] if item["System.WorkItemType"] != "Epic"]
    # Basic has no feature level.
    assert [(item["System.Title"], item["System.WorkItemType"]) for item in below] == [
        ("Accept the shared token", "Issue")
    ]
    assert below[0]["System.Parent"] == next(i["System.Id"] for i in items[a] if i["System.WorkItemType"] == "Epic")


def _items(world: World, name: str) -> list[dict[str, Any]]:
    query = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [System.Tags] CONTAINS 'portfolio:fleet'"
    found = world.azure.post(f"/{name}/_apis/wit/wiql", json={"query": query}).json()["workItems"]
    fields = [
        world.azure.get(f"/{name}/_apis/wit/workitems/{item['id']}", params={"$expand": "relations"}).json()["fields"]
        | {"System.Id": item["id"]}
        for item in found
    ]
    return sorted(fields, key=lambda item: item["System.Id"])


@when(parsers.parse('a call decides to "{choice}" "{name}"'))
def _decides(world: World, choice: str, name: str) -> None:
    answer = world.api.post(f"/api/projects/{slug_of(name)}/decision", json={"decision": choice})
    assert answer.status_code == 202, answer.text


@then(parsers.parse('the portfolio ends as "{state}" with "{name}" named alone'))
def _ends_partly(world: World, story: dict[str, Any], state: str, name: str) -> None:
    view = _ended(world, story)
    assert view["state"] == state
    assert {other: to for other, to in _states(view).items() if to != "completed"} == {name: "compensated"}
    assert (view["done"], view["failed"]) == (2, 1)


def _ended(world: World, story: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        view = _view(world, story)
        return view if view["state"] != "running" and view["instance"] == story["instance"] else None

    view = world.until("the end of the portfolio", look)
    assert view is not None
    return view


@then("the records of the projects and of the tenant hold the file")
def _on_record(world: World, story: dict[str, Any]) -> None:
    file = _view(world, story)["file"]
    for log, tag in (
        ("fleet-desk", "doneright:project:enlisted"),
        ("fleet-ledger", "doneright:project:enlisted"),
        ("_doneright", "doneright:portfolio:failed"),
        ("_doneright", "doneright:portfolio:received"),
    ):
        events = world.api.get(f"/api/audit/{log}", params={"limit": 500}).json()["events"]
        found = [event for event in events if event["tag"] == tag and event["instance"] == story["instance"]]
        assert [event["artifacts"] for event in found] == [[file]], (log, tag)
        assert world.api.get(f"/api/audit/{log}/verify").json()["ok"] is True


@when("somebody clears the way and sends the same file again")
def _clears(world: World, story: dict[str, Any]) -> None:
    assert world.github("mona").delete("/repos/acme/fleet-ledger").status_code == 204
    _sent(world, story)


@when("somebody sends the same file again")
def _again(world: World, story: dict[str, Any]) -> None:
    world.assert_contracts_kept()
    world.forget()
    _sent(world, story)


@then(parsers.parse('only "{name}" is made, and the portfolio ends as "{state}"'))
def _only(world: World, story: dict[str, Any], name: str, state: str) -> None:
    view = _ended(world, story)
    assert view["state"] == state, view
    assert {other: to for other, to in _states(view).items() if to != "unchanged"} == {name: "completed"}


@then(parsers.parse('the portfolio ends as "{state}", nothing was written to a forge, and every project is unchanged'))
def _unchanged(world: World, story: dict[str, Any], state: str) -> None:
    view = _ended(world, story)
    assert view["state"] == state
    assert set(_states(view).values()) == {"unchanged"}
    assert _writes(world) == []
    assert {row["state"] for epic in view["epics"] for row in epic["seeded"]} == {"confirmed"}


@when("somebody sends a file whose fields are wrong in three places")
def _wrong(world: World, story: dict[str, Any]) -> None:
    file = a_file("Fault Desk", "Fault Shop", "fault-desk")
    file["projects"][1]["stack"] = "cobol"
    file["epics"] = [{"title": "One", "projects": ["Nowhere"]}]
    story["file"] = file
    story["answer"] = _send(world, story)


@then("each of the three is named with its path, and nothing was begun")
def _named(world: World, story: dict[str, Any]) -> None:
    answer = story["answer"]
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert {fault["field"] for fault in answer.json()["errors"]} == {
        "projects.1.stack", "projects.2.name", "epics.0.projects.0"
    }  # fmt: skip
    assert world.api.get("/api/portfolios/fault-desk").status_code == 404
    assert world.project("fault-desk") is None


@when(parsers.parse('somebody asks what a file with "{a}" and "{b}" would do'))
def _asks(world: World, story: dict[str, Any], a: str, b: str) -> None:
    world.forget()
    story["file"] = a_file(a, b)
    story["answer"] = _send(world, story, dry_run="true")


@then("each is answered with its steps, and nothing was written to a forge")
def _answered(world: World, story: dict[str, Any]) -> None:
    answer = story["answer"]
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["would_succeed"] is True, json.dumps(body)[:2000]
    assert [row["difference"] for row in body["projects"]] == ["make", "make"]
    assert all(len(row["changes"]) > 10 for row in body["projects"])
    assert _writes(world) == []
    assert world.api.get("/api/portfolios/dry-desk").status_code == 404


@when("somebody asks what a file with six projects would do")
def _asks_six(world: World, story: dict[str, Any]) -> None:
    story["file"] = a_file(*(f"Six {number}" for number in range(6)))
    story["answer"] = _send(world, story, dry_run="true")


@then("the answer says where to look, and all six are looked at in the end")
def _looked(world: World, story: dict[str, Any]) -> None:
    answer = story["answer"]
    assert answer.status_code == 202, answer.text
    story["location"] = (
        answer.headers["location"].partition("/api/")[1] + answer.headers["location"].partition("/api/")[2]
    )

    def look() -> dict[str, Any] | None:
        view = _view(world, story)
        return view if view["state"] != "running" else None

    view = world.until("the end of the dry run", look)
    assert view is not None
    assert (view["state"], view["done"], view["total"], view["would_succeed"]) == ("completed", 6, 6, True)


@when(parsers.parse('somebody sends a file with an epic across "{a}", "{b}" and, on GitHub alone, "{c}"'))
def _sends_linked(world: World, story: dict[str, Any], a: str, b: str, c: str) -> None:
    epic = {"title": "One sign-in everywhere", "features": {a: ["Accept the token"], c: ["Show who is in"]}}
    story["file"] = a_file(a, b, c, id="fleet", name="Fleet", epics=[epic])
    story["file"]["projects"][2]["forges"] = ["github"]
    story["names"] = (a, b, c)
    _sent(world, story)


@then("the epics on boards are related to one another and link the issue, which lists them")
def _linked(world: World, story: dict[str, Any]) -> None:
    view = _ended(world, story)
    assert view["state"] == "completed", view
    rows = {row["project"]: row for row in view["epics"][0]["seeded"]}
    desk, shop, site = (rows[slug_of(name)] for name in story["names"])
    assert {row["linked"] for row in rows.values()} <= {"applied", "confirmed"}
    for one, other in ((desk, shop), (shop, desk)):
        item = world.azure.get(f"/_apis/wit/workitems/{one['number']}", params={"$expand": "relations"}).json()
        relations = {(link["rel"], link["url"].rsplit("/", 1)[-1]) for link in item["relations"]}
        assert ("System.LinkTypes.Related", str(other["number"])) in relations
        assert ("Hyperlink", str(site["number"])) in relations
    issues = world.github("mona").get(f"/repos/acme/{site['project']}/issues", params={"labels": "portfolio"}).json()
    assert [issue["number"] for issue in issues] == [site["number"]]
    assert desk["url"] in issues[0]["body"]
    assert shop["url"] in issues[0]["body"]
    assert "- [ ] Show who is in" in issues[0]["body"]
