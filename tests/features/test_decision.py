"""Steps of decision.feature, played on the running stack."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from local.stack.seed import REQUESTS
from shared.domain.project import slug_of
from tests.e2e.world import World, form

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
scenarios("decision.feature")


@pytest.fixture
def story() -> dict[str, Any]:
    """What the steps of one scenario tell each other."""
    return {}


@given(parsers.parse('"{name}" is taken on {forge}'))
def _taken(world: World, story: dict[str, Any], name: str, forge: str) -> None:
    story |= {"name": name, "forge": forge}
    if forge == "GitHub":
        made = world.github("mona").post("/orgs/acme/repos", json={"name": slug_of(name), "description": "Mona's own"})
        assert made.status_code == 201, made.text
        story["before"] = _monas(world, story)
        return
    basic = next(p for p in world.azure.get("/_apis/process/processes").json()["value"] if p["name"] == "Basic")
    capabilities = {
        "versioncontrol": {"sourceControlType": "Git"},
        "processTemplate": {"templateTypeId": basic["id"]},
    }
    made = world.azure.post(
        "/_apis/projects",
        json={"name": name, "description": "Mona's own", "visibility": "private", "capabilities": capabilities},
    )
    assert made.status_code == 202, made.text
    world.until("Mona's project", lambda: _project(world, name))
    story["before"] = _monas(world, story)


def _project(world: World, name: str) -> dict[str, Any] | None:
    found = world.azure.get("/_apis/projects").json()["value"]
    return next((p for p in found if p["name"] == name and p["state"] == "wellFormed"), None)


def _monas(world: World, story: dict[str, Any]) -> Any:
    if story["forge"] == "GitHub":
        found = world.github("mona").get(f"/repos/acme/{slug_of(story['name'])}").json()
        return {name: found.get(name) for name in ("id", "description", "pushed_at")}
    found = _project(world, story["name"]) or {}
    return {name: found.get(name) for name in ("id", "description")}


@when(parsers.parse('Casey opens a request for "{name}" with the process "{process}"'))
def _opens(world: World, story: dict[str, Any], name: str, process: str) -> None:
    story["issue"] = world.open_issue("casey", form(name, Process=process))


@then(parsers.parse('the issue asks how "{name}" shall go on, names "{step}" and what each command does'))
def _asks(world: World, story: dict[str, Any], name: str, step: str) -> None:
    question = _answer(world, story, "cannot be completed as it stands")
    for word in ("retry", "compensate", "accept"):
        assert f"/doneright {word}" in question
    assert re.search(rf"\*\*{step}[^\n]*exists already", question.replace("\\", "")), question
    view = world.project(slug_of(name))
    assert view is not None
    assert view["state"] == "awaiting_decision"


def _answer(world: World, story: dict[str, Any], words: str) -> str:
    def look() -> str | None:
        return next((answer for answer in world.answers(story["issue"]) if words in answer), None)

    found = world.until(f"an answer with {words!r}", look, 60)
    assert found is not None
    return found


@when(parsers.parse('Mona clears the way and comments "{words}"'))
def _clears_and_says(world: World, story: dict[str, Any], words: str) -> None:
    _clears(world, story)
    _says(world, story, "mona", words)


@when("Mona clears the way")
def _clears(world: World, story: dict[str, Any]) -> None:
    if story["forge"] == "GitHub":
        assert world.github("mona").delete(f"/repos/acme/{slug_of(story['name'])}").status_code == 204
        return
    assert world.azure.delete(f"/_apis/projects/{story['before']['id']}").status_code == 202
    world.until("the deletion", lambda: _project(world, story["name"]) is None)


@when(parsers.parse('Mona comments "{words}"'))
def _mona_says(world: World, story: dict[str, Any], words: str) -> None:
    _says(world, story, "mona", words)


@when(parsers.parse('the stranger comments "{words}"'))
def _stranger_says(world: World, story: dict[str, Any], words: str) -> None:
    _says(world, story, "stranger", words)


def _says(world: World, story: dict[str, Any], login: str, words: str) -> None:
    said = world.github(login).post(f"/repos/{REQUESTS}/issues/{story['issue']}/comments", json={"body": words})
    assert said.status_code == 201, said.text


@then("the issue says that it is tried again")
def _tried_again(world: World, story: dict[str, Any]) -> None:
    _answer(world, story, "Decided: Doneright will try what failed again")


@then(parsers.parse('the project "{name}" is made, and what was made before the failure was made once'))
def _made_once(world: World, story: dict[str, Any], name: str) -> None:
    view = _ends(world, name, "completed")
    rounds = {step["id"]: step["state"] for step in view["steps"]}
    assert set(rounds.values()) == {"applied"}
    state = world.state_of(name, slug_of(name))
    for one in ("projects", "azure repositories", "azure commits", "github repositories", "github commits", "webhooks"):
        assert state[one] == 1, (one, state)
    assert _answer(world, story, "is ready")


@then(parsers.parse('the record of "{name}" holds the question, the decision and both outcomes, and verifies'))
def _on_record(world: World, story: dict[str, Any], name: str) -> None:
    tags = _tags(world, name)
    forge = "github" if story["forge"] == "GitHub" else "azure_devops"
    wanted = [
        f"{forge}:step:failed",
        "doneright:decision:requested",
        "doneright:decision:taken",
        f"{forge}:step:applied",
        "doneright:project:completed",
    ]
    places = [len(tags) - 1 - tags[::-1].index(tag) for tag in wanted]
    assert places == sorted(places), tags
    assert world.api.get(f"/api/audit/{slug_of(name)}/verify").json()["ok"] is True


def _tags(world: World, name: str) -> list[str]:
    page = world.api.get(f"/api/audit/{slug_of(name)}", params={"limit": 500}).json()
    return [event["tag"] for event in page["events"]]


def _ends(world: World, name: str, state: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        view = world.project(slug_of(name))
        return view if view and view["state"] not in {"running", "awaiting_decision", "compensating"} else None

    view = world.until(f"the end of {name}", look)
    assert view is not None
    assert view["state"] == state, [(step["id"], step["reason"], step["reversal"]) for step in view["steps"]]
    return view


@when(parsers.parse('a call decides to "{choice}" "{name}"'))
def _decides(world: World, choice: str, name: str) -> None:
    answer = world.api.post(f"/api/projects/{slug_of(name)}/decision", json={"decision": choice})
    assert answer.status_code == 202, answer.text


@then(parsers.parse('the project "{name}" ends as "{state}"'))
def _ends_as(world: World, story: dict[str, Any], name: str, state: str) -> None:
    story["view"] = _ends(world, name, state)


@then("nothing that the run made is left, and what was there before is as it was")
def _nothing_left(world: World, story: dict[str, Any]) -> None:
    assert _monas(world, story) == story["before"]
    if story["forge"] == "GitHub":
        assert _project(world, story["name"]) is None
        assert world.github("mona").get(f"/repos/acme/{slug_of(story['name'])}/hooks").json() == []
    else:
        assert world.github("mona").get(f"/repos/acme/{slug_of(story['name'])}").status_code == 404
        preview = {"api-version": "7.1-preview.1"}
        environments = world.azure.get(f"/{story['name']}/_apis/distributedtask/environments", params=preview)
        assert environments.json()["value"] == []
    assert "doneright:project:compensated" in _tags(world, story["name"])


@then("the issue says what was removed")
def _says_removed(world: World, story: dict[str, Any]) -> None:
    said = _answer(world, story, "was removed again, and seen to be gone")
    assert "♻️ removed" in said


@then(parsers.parse('the project "{name}" is made, every step read back'))
def _made(world: World, name: str) -> None:
    def look() -> dict[str, Any] | None:
        view = world.project(slug_of(name))
        return view if view and view["state"] == "completed" else None

    view = world.until(f"the completion of {name}", look)
    assert view is not None
    assert {step["state"] for step in view["steps"]} == {"applied"}


@when(parsers.parse('somebody with a key presses "{choice}" on the page of "{name}"'))
def _presses(world: World, choice: str, name: str) -> None:
    page = world.api.get(
        f"/api/projects/{slug_of(name)}",
        params={"code": world.ready.function_key},
        headers={"accept": "text/html", "x-functions-key": ""},
    ).text
    form_at = re.search(
        rf'<form method="post" action="([^"]+)"><input type="hidden" name="decision" value="{choice}">', page
    )
    assert form_at, page
    answer = world.api.post(
        form_at[1].replace("&amp;", "&"),
        content=f"decision={choice}",
        headers={"content-type": "application/x-www-form-urlencoded", "accept": "text/html", "x-functions-key": ""},
    )
    assert answer.status_code == 303, answer.text
    back = world.api.get(answer.headers["location"], headers={"accept": "text/html", "x-functions-key": ""})
    assert back.status_code == 200


@then(parsers.parse('Azure DevOps has what was made of "{name}"'))
def _azure_has(world: World, name: str) -> None:
    assert _project(world, name) is not None


@then("the issue answers that the stranger may not write to the repository")
def _may_not(world: World, story: dict[str, Any]) -> None:
    assert "@stranger" not in _answer(world, story, "stranger may not write to acme/requests")


@then(parsers.parse('the project "{name}" still waits for a decision'))
def _still_waits(world: World, name: str) -> None:
    view = world.project(slug_of(name))
    assert view is not None
    assert view["state"] == "awaiting_decision"


@then("the issue answers with the commands there are")
def _commands(world: World, story: dict[str, Any]) -> None:
    assert "/doneright compensate" in _answer(world, story, "is no command here")


@then(parsers.parse('a second decision about "{name}" comes too late'))
def _too_late(world: World, name: str) -> None:
    _ends(world, name, "accepted")
    answer = world.api.post(f"/api/projects/{slug_of(name)}/decision", json={"decision": "compensate"})
    assert answer.status_code == 409
    assert "decided already" in answer.json()["detail"]
