"""Steps of backlog.feature, played on the running stack."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from local.stack.seed import REQUESTS
from shared.domain.project import slug_of
from tests.e2e.world import World

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
scenarios("backlog.feature")

SHOP = "Ordered Shop"
SLUG = slug_of(SHOP)
PATCH = {"content-type": "application/json-patch+json"}
GOALS = ("Card payments of the shop", "Parcel labels of the shop")
LABELS = {"Epic": "epic", "Feature": "feature", "User Story": "user story"}


@pytest.fixture
def story() -> dict[str, Any]:
    """What the steps of one scenario tell each other."""
    return {}


@given(parsers.parse('the project "{name}" is made'))
def _made(world: World, name: str) -> None:
    if world.project(slug_of(name)) is None:
        body = {"name": name, "owner": "casey", "stack": "fastapi", "process": "agile", "connection": "acme"}
        assert world.api.post("/api/projects", json=body).status_code == 202
    assert world.ended(slug_of(name))["state"] == "completed"


def _item(world: World, forge: str, type_: str, title: str, parent: int | None = None) -> int:
    if forge == "GitHub":
        client = world.github("mona")
        made = client.post(f"/repos/acme/{SLUG}/issues", json={"title": title, "labels": [LABELS[type_]]})
        assert made.status_code == 201, made.text
        number: int = made.json()["number"]
        if parent:
            hung = client.post(
                f"/repos/acme/{SLUG}/issues/{parent}/sub_issues", json={"sub_issue_id": made.json()["id"]}
            )
            assert hung.status_code == 201, hung.text
        return number
    document: list[dict[str, Any]] = [{"op": "add", "path": "/fields/System.Title", "value": title}]
    if parent:
        url = f"{world.azure.base_url}/_apis/wit/workItems/{parent}"
        value = {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": url}
        document.append({"op": "add", "path": "/relations/-", "value": value})
    added = world.azure.post(f"/{SHOP}/_apis/wit/workitems/${type_}", json=document, headers=PATCH)
    assert added.status_code == 200, added.text
    return int(added.json()["id"])


@given(parsers.parse('{forge} holds an order in which "{orphan}" hangs on nothing and "{skipping}" skips a level'))
def _order(world: World, story: dict[str, Any], forge: str, orphan: str, skipping: str) -> None:
    epic = _item(world, forge, "Epic", f"Shop of {orphan}")
    goals = [_item(world, forge, "Feature", f"{title}", epic) for title in GOALS]
    story |= {
        "forge": forge,
        "epic": epic,
        GOALS[0]: goals[0],
        GOALS[1]: goals[1],
        orphan: _item(world, forge, "User Story", orphan),
        skipping: _item(world, forge, "User Story", skipping, epic),
    }


def _key(forge: str) -> str:
    return "github" if forge == "GitHub" else "azure_devops"


def _backlog(world: World, forge: str) -> dict[str, Any]:
    answer = world.api.get(f"/api/projects/{SLUG}/backlog", headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = next(one for one in answer.json()["backlogs"] if one["forge"] == _key(forge))
    assert found["unavailable"] == ""
    return found


@when(parsers.parse('the backlog of "{name}" is asked for'))
def _asks(world: World, story: dict[str, Any], name: str) -> None:
    story["backlog"] = _backlog(world, story["forge"])


@then(parsers.parse('it explains that "{orphan}" is an orphan and "{skipping}" skips a level, on {forge}'))
def _explains(story: dict[str, Any], orphan: str, skipping: str, forge: str) -> None:
    told = {one["item"]: one for one in story["backlog"]["findings"]}
    assert told[story[orphan]]["kind"] == "orphan"
    assert "hangs on nothing" in told[story[orphan]]["explanation"]
    assert told[story[skipping]]["kind"] == "level_skipped"
    assert "leaves out Feature" in told[story[skipping]]["explanation"]
    assert told[story[skipping]]["fix"]["parent"] == story[GOALS[1]], told[story[skipping]]
    story["fix"] = told[story[orphan]]["fix"]["id"]


@when(parsers.parse("the fixes of {forge} are asked for as a dry run"))
def _dry(world: World, story: dict[str, Any], forge: str) -> None:
    story["before"] = _parents(world, story)
    answer = world.api.post(f"/api/projects/{SLUG}/backlog/normalise", params={"dry_run": "true"})
    assert answer.status_code == 200, answer.text
    story["fixes"] = [fix["id"] for fix in answer.json()["fixes"]]


def _parents(world: World, story: dict[str, Any]) -> dict[int, int | None]:
    numbers = [number for number in story.values() if isinstance(number, int)]
    if story["forge"] == "GitHub":
        issues = world.github("mona").get(f"/repos/acme/{SLUG}/issues", params={"per_page": 100}).json()
        above = {one["number"]: one.get("parent_issue_url") for one in issues}
        return {number: int(url.rsplit("/", 1)[1]) if (url := above[number]) else None for number in numbers}
    found = world.azure.post("/_apis/wit/workitemsbatch", json={"ids": numbers, "fields": ["System.Parent"]}).json()
    return {one["id"]: one["fields"].get("System.Parent") for one in found["value"]}


@then(parsers.parse("the fixes are told and nothing has changed on {forge}"))
def _told(world: World, story: dict[str, Any], forge: str) -> None:
    assert story["fix"] in story["fixes"]
    assert _parents(world, story) == story["before"]


def _normalise(world: World, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = world.api.post(f"/api/projects/{SLUG}/backlog/normalise", json=body)
    assert answer.status_code == 200, answer.text
    outcomes: list[dict[str, Any]] = answer.json()["outcomes"]
    return outcomes


@when(parsers.parse('exactly the fix of "{title}" is applied on {forge}'))
def _one(world: World, story: dict[str, Any], title: str, forge: str) -> None:
    assert [one["state"] for one in _normalise(world, {"fixes": [story["fix"]]})] == ["applied"]


@then(parsers.parse('"{title}" hangs on "{parent}" on {forge}, and "{other}" where it did'))
def _hangs_alone(world: World, story: dict[str, Any], title: str, parent: str, forge: str, other: str) -> None:
    shown = _parents(world, story)
    assert shown[story[title]] == story[parent]
    assert shown[story[other]] == story["epic"]


@when("every fix is applied")
def _all(world: World, story: dict[str, Any]) -> None:
    outcomes = _normalise(world, {"all": True})
    assert {one["state"] for one in outcomes} == {"applied"}, outcomes


@then(parsers.parse('"{title}" hangs on "{parent}" on {forge}'))
def _hangs(world: World, story: dict[str, Any], title: str, parent: str, forge: str) -> None:
    assert _parents(world, story)[story[title]] == story[parent]


@then("applying every fix again changes nothing")
def _again(world: World, story: dict[str, Any]) -> None:
    before = _parents(world, story)
    assert _normalise(world, {"all": True}) == []
    assert _normalise(world, {"fixes": [story["fix"]]})[0]["state"] == "already"
    assert _parents(world, story) == before


def _events(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.api.get(f"/api/audit/{SLUG}", params={"limit": 500}).json()["events"]
    return found


@then(parsers.parse('the record of "{name}" holds each move on {forge} and verifies'))
def _recorded(world: World, story: dict[str, Any], name: str, forge: str) -> None:
    moved = [one["detail"]["item"] for one in _events(world) if one["tag"] == f"{_key(forge)}:item:moved"]
    wanted = [story["Take a card payment"], story["Print parcel labels"]]
    assert [item for item in moved if item in wanted] == wanted
    assert world.api.get(f"/api/audit/{slug_of(name)}/verify").json()["ok"] is True


@when(parsers.parse('a browser opens the backlog of "{name}"'))
def _opens(world: World, story: dict[str, Any], name: str) -> None:
    answer = world.api.get(f"/api/projects/{slug_of(name)}/backlog", headers={"accept": "text/html"})
    assert answer.status_code == 200
    story["page"] = answer.text


@then(parsers.parse('the page shows "{title}", what is wrong with it and the id of its fix'))
def _shows(story: dict[str, Any], title: str) -> None:
    assert title in story["page"]
    assert "Orphan:" in story["page"]
    assert "azure_devops:" in story["page"]


# categories


def _issue(world: World, story: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = world.github("mona").get(f"/repos/{story['repository']}/issues/{story['issue']}").json()
    return found


def _labels(world: World, story: dict[str, Any]) -> set[str]:
    return {label["name"] for label in _issue(world, story)["labels"]}


@when(parsers.parse('Casey opens an issue "{title}" in the repository of "{name}"'))
def _reports(world: World, story: dict[str, Any], title: str, name: str) -> None:
    story["repository"] = f"acme/{slug_of(name)}"
    made = world.github("mona").post(f"/repos/{story['repository']}/issues", json={"title": title, "body": "Lunch"})
    assert made.status_code == 201, made.text
    story["issue"] = made.json()["number"]


@then(parsers.parse('the issue carries the label "{label}"'))
def _carries(world: World, story: dict[str, Any], label: str) -> None:
    world.until(f"the label {label}", lambda: label in _labels(world, story), 60)


@then(parsers.parse('the record of "{name}" says why'))
def _why(world: World, story: dict[str, Any], name: str) -> None:
    subject = _issue(world, story)["html_url"]

    def look() -> dict[str, Any] | None:
        said = [one for one in _events(world) if one["tag"] == "github:issue:categorised" and one["subject"] == subject]
        return said[0] if said else None

    event = world.until("the event", look)
    assert event is not None
    assert "crashes" in event["detail"]["why"]


@when(parsers.parse('Mona replaces that label by "{label}" and edits the issue'))
def _replaces(world: World, story: dict[str, Any], label: str) -> None:
    where = f"/repos/{story['repository']}/issues/{story['issue']}"
    assert world.github("mona").put(f"{where}/labels", json={"labels": [label]}).status_code == 200
    story["label"] = label
    _edits(world, story, "An exception, a crash, an error")


def _edits(world: World, story: dict[str, Any], body: str) -> None:
    where = f"/repos/{story['repository']}/issues/{story['issue']}"
    before = len(_handled(world))
    assert world.github("mona").patch(where, json={"body": body}).status_code == 200
    world.until("the handling of the edit", lambda: len(_handled(world)) > before, 60)


def _handled(world: World) -> list[dict[str, Any]]:
    rows = world.api.get("/api/deliveries", params={"state": "handled", "limit": 1000}).json()["deliveries"]
    return [row for row in rows if "a person" in row["reason"]]


@then(parsers.parse('the issue keeps "{label}" alone, however often it is edited'))
def _keeps(world: World, story: dict[str, Any], label: str) -> None:
    for text in ("It crashes", "It crashes with an exception"):
        _edits(world, story, text)
        assert _labels(world, story) == {label}


@given(parsers.parse('Azure DevOps holds the work item "{title}" in "{name}"'))
def _holds(world: World, story: dict[str, Any], title: str, name: str) -> None:
    story[title] = story["item"] = _item(world, "Azure DevOps", "User Story", title)


@when("Mona opens an issue that names it in the repository of requests")
def _names(world: World, story: dict[str, Any]) -> None:
    story["repository"] = REQUESTS
    body = f"It should be faster, see AB#{story['item']}."
    story["issue"] = world.open_issue("mona", body, title="Lunch", labels=())


@then(parsers.parse('the work item links to the issue, and the issue says that it belongs to "{name}"'))
def _linked(world: World, story: dict[str, Any], name: str) -> None:
    def look() -> bool:
        return any(f"**{name}**" in said for said in world.answers(story["issue"]))

    world.until("the comment", look, 60)
    shown = world.azure.get(f"/_apis/wit/workitems/{story['item']}", params={"$expand": "relations"}).json()
    links = [one["url"] for one in shown["relations"] if one["rel"] == "Hyperlink"]
    assert links == [_issue(world, story)["html_url"]]


@when(parsers.parse('the issues of "{name}" are categorised as a dry run'))
def _would(world: World, story: dict[str, Any], name: str) -> None:
    answer = world.api.post(f"/api/projects/{slug_of(name)}/issues/categorise", params={"dry_run": "true"})
    assert answer.status_code == 200, answer.text
    story["sorted"] = {one["number"]: one for one in answer.json()["items"] if one["forge"] == "azure_devops"}


def _tags(world: World, number: int) -> str:
    shown: str = world.azure.get(f"/_apis/wit/workitems/{number}").json()["fields"].get("System.Tags", "")
    return shown


@then(parsers.parse('"{title}" would be "{category}" and carries no tag yet'))
def _would_be(world: World, story: dict[str, Any], title: str, category: str) -> None:
    assert story["sorted"][story[title]]["verdict"]["category"] == category
    assert _tags(world, story[title]) == ""


@when(parsers.parse('the issues of "{name}" are categorised'))
def _categorise(world: World, name: str) -> None:
    answer = world.api.post(f"/api/projects/{slug_of(name)}/issues/categorise")
    assert answer.status_code == 200, answer.text


@then(parsers.parse('the work item "{title}" carries the tag "{tag}"'))
def _tagged(world: World, story: dict[str, Any], title: str, tag: str) -> None:
    assert _tags(world, story[title]) == tag
