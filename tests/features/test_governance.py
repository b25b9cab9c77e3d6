"""Steps of governance.feature, played on the running stack."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from shared.domain.project import slug_of
from tests.e2e.world import World, form

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]
scenarios("governance.feature")

HTML = {"accept": "text/html", "x-functions-key": ""}
README = "Ours since 2019.\n"


@pytest.fixture
def story() -> dict[str, Any]:
    """What the steps of one scenario tell each other."""
    return {}


@given(parsers.parse('Mona has "{name}" on {forge} with her own commit'))
def _has(world: World, story: dict[str, Any], name: str, forge: str) -> None:
    story |= {"name": name, "forge": forge}
    if forge == "GitHub":
        mona = world.github("mona")
        made = mona.post("/orgs/acme/repos", json={"name": name, "private": True})
        assert made.status_code == 201, made.text
        content = base64.b64encode(README.encode()).decode()
        put = mona.put(f"/repos/acme/{name}/contents/README.md", json={"message": "First", "content": content})
        assert put.status_code == 201, put.text
    else:
        scrum = next(p for p in world.azure.get("/_apis/process/processes").json()["value"] if p["name"] == "Scrum")
        wanted = {
            "name": name,
            "description": "Mona's own",
            "visibility": "private",
            "capabilities": {
                "versioncontrol": {"sourceControlType": "Git"},
                "processTemplate": {"templateTypeId": scrum["id"]},
            },
        }
        assert world.azure.post("/_apis/projects", json=wanted).status_code == 202
        world.until("Mona's project", lambda: _project(world, name))
        _push(world, name, "README.md", "0" * 40)
    story["before"] = _state(world, name, forge)


def _push(world: World, name: str, path: str, onto: str) -> None:
    change = {
        "changeType": "add",
        "item": {"path": f"/{path}"},
        "newContent": {"content": README, "contentType": "rawtext"},
    }
    body = {
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": onto}],
        "commits": [{"comment": "Mona's", "changes": [change]}],
    }
    pushed = world.azure.post(f"/{quote(name)}/_apis/git/repositories/{quote(name)}/pushes", json=body)
    assert pushed.status_code == 201, pushed.text


def _project(world: World, name: str) -> dict[str, Any] | None:
    found = world.azure.get("/_apis/projects").json()["value"]
    return next((p for p in found if p["name"] == name and p["state"] == "wellFormed"), None)


def _state(world: World, name: str, forge: str) -> dict[str, Any]:
    """All that an adoption could change, and a few things that it must not."""
    if forge == "GitHub":
        mona, at = world.github("mona"), f"/repos/acme/{name}"
        repository = mona.get(at).json()
        return {
            "repository": {key: repository[key] for key in ("id", "name", "description", "pushed_at", "private")},
            "merges": {key: repository[key] for key in repository if key.startswith("allow_")},
            "commits": [commit["sha"] for commit in mona.get(f"{at}/commits").json()],
            "hooks": mona.get(f"{at}/hooks").json(),
            "labels": sorted(label["name"] for label in mona.get(f"{at}/labels?per_page=100").json()),
            "topics": mona.get(f"{at}/topics").json()["names"],
            "protected": mona.get(f"{at}/branches/main").json()["protected"],
            "alerts": mona.get(f"{at}/vulnerability-alerts").status_code,
        }
    quoted, project = quote(name), _project(world, name)
    assert project is not None
    hooks = [
        hook["eventType"]
        for hook in world.azure.get("/_apis/hooks/subscriptions").json()["value"]
        if hook["publisherInputs"].get("projectId") == project["id"]
    ]
    return {
        "project": {key: project[key] for key in ("id", "name", "description", "visibility")},
        "commits": [
            commit["commitId"]
            for commit in world.azure.get(f"/{quoted}/_apis/git/repositories/{quoted}/commits").json()["value"]
        ],
        "policies": world.azure.get(f"/{quoted}/_apis/policy/configurations").json()["value"],
        "hooks": hooks,
        "wikis": [wiki["name"] for wiki in world.azure.get(f"/{quoted}/_apis/wiki/wikis").json()["value"]],
        "pipelines": world.azure.get(f"/{quoted}/_apis/build/definitions").json()["value"],
    }


@when(parsers.parse('the adoption of "{name}" on {forge} is planned'))
def _planned(world: World, story: dict[str, Any], name: str, forge: str) -> None:
    named = {"github_repository": name} if forge == "GitHub" else {"azure_devops_project": name}
    answer = world.api.post("/api/adoptions", json={"connection": "acme", "owner": "casey", **named})
    assert answer.status_code == 201, answer.text
    story["plan"] = answer.json()


@then(parsers.parse("nothing on {forge} has changed"))
def _unchanged(world: World, story: dict[str, Any], forge: str) -> None:
    assert _state(world, story["name"], forge) == story["before"]
    assert story["plan"]["state"] == "adoptable"


@then(parsers.parse('the plan of "{name}" makes no project, no repository and no commit'))
def _makes_none(story: dict[str, Any], name: str) -> None:
    marks = {step["id"].partition(".")[2]: step for step in story["plan"]["steps"]}
    assert marks["scaffold"]["mark"] == "not_applicable"
    assert marks["repository"]["mark"] == "as_planned"
    assert marks["hook"]["mark"] == "would_make"
    assert marks["hook"]["changes"][0]["now"] is None
    assert marks["branch_rules"]["mark"] in {"would_make", "would_change"}
    assert marks.get("project", {"mark": "as_planned"})["mark"] == "as_planned"


@when(parsers.parse("Mona sets {change} on {forge} and the consent names the plan that was shown"))
def _changed_meanwhile(world: World, story: dict[str, Any], change: str, forge: str) -> None:
    name = story["name"]
    if forge == "GitHub":
        put = world.github("mona").put(f"/repos/acme/{name}/topics", json={"names": ["payments"]})
        assert put.status_code == 200, put.text
        story["before"]["topics"] = ["payments"]
    else:
        project = _project(world, name)
        assert project is not None
        made = world.azure.post(
            f"/{quote(name)}/_apis/wiki/wikis",
            json={"type": "projectWiki", "name": "Mona.wiki", "projectId": project["id"]},
        )
        assert made.status_code in {200, 201}, made.text
        story["before"]["wikis"] = ["Mona.wiki"]
    story["answer"] = world.api.post(
        f"/api/adoptions/{slug_of(name)}/consent", json={"digest": story["plan"]["digest"]}
    )


@then("the consent is refused with the difference")
def _refused(world: World, story: dict[str, Any]) -> None:
    answer, step = story["answer"], "topics" if story["forge"] == "GitHub" else "wiki"
    assert answer.status_code == 409, answer.text
    assert "changed since it was shown" in answer.json()["detail"]
    assert any(f".{step}" in fault["field"] for fault in answer.json()["errors"])
    assert _state(world, story["name"], story["forge"]) == story["before"]


@when(parsers.parse('the adoption of "{name}" is consented to on its page'))
def _consents_on_page(world: World, name: str) -> None:
    at = f"/api/adoptions/{slug_of(name)}"
    page = world.api.get(at, params={"code": world.ready.function_key}, headers=HTML).text
    action = re.search(r'<form class="stack" method="post" action="([^"]+)"', page)
    digest = re.search(r'name="digest" value="([^"]+)"', page)
    assert action is not None, page
    assert digest is not None, page
    fields = [("digest", digest[1]), *(("step", step) for step in re.findall(r'name="step" value="([^"]+)"', page))]
    assert len(fields) > 2
    answer = world.api.post(
        action[1].replace("&amp;", "&"),
        data=dict([fields[0]]) | {"step": [step for _, step in fields[1:]]},
        headers=HTML,
    )
    assert answer.status_code == 303, answer.text
    shown = world.api.get(answer.headers["location"], headers=HTML)
    assert shown.status_code == 200


@then(parsers.parse('"{name}" is completed, and Mona\'s commit is the only one on {forge}'))
def _completed(world: World, story: dict[str, Any], name: str, forge: str) -> None:
    view = world.ended(slug_of(name))
    assert view["state"] == "completed", [(step["id"], step["reason"]) for step in view["steps"]]
    state = _state(world, name, forge)
    assert state["commits"] == story["before"]["commits"]
    assert state["hooks"]
    assert (state.get("protected") or state.get("policies")) not in (False, [])
    world.assert_contracts_kept()


@then(parsers.parse('the record of "{name}" says who consented before anything was made'))
def _on_record(world: World, name: str) -> None:
    events = world.api.get(f"/api/audit/{slug_of(name)}", params={"limit": 500}).json()["events"]
    tags = [event["tag"] for event in events]
    consent = tags.index("doneright:adoption:consented")
    assert tags[0] == "doneright:adoption:planned"
    assert consent < min(place for place, tag in enumerate(tags) if tag.endswith(":step:applied"))
    view = world.project(slug_of(name))
    assert view is not None
    assert events[consent]["actor"] == view["adoption"]["consent"]["by"]
    assert world.api.get(f"/api/audit/{slug_of(name)}/verify").json()["ok"] is True


@then(parsers.parse('asking for what has drifted of "{name}" finds nothing'))
def _no_drift(world: World, name: str) -> None:
    found = world.api.post(f"/api/projects/{slug_of(name)}/reconcile", params={"dry_run": "true"}).json()
    assert found["drifted"] is False, found


@when(parsers.parse('what was made beside "{name}" is removed by name'))
def _remove_beside(world: World, name: str) -> None:
    body = {"name": name, "even_if_active": True}
    answer = world.api.post(f"/api/projects/{slug_of(name)}/removal", json=body)
    assert answer.status_code == 202, answer.text
    view = _ended(world, name)
    assert view["state"] == "removed", [(step["id"], step["reversal"]) for step in view["steps"]]


def _ended(world: World, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        view = world.project(slug_of(name))
        return view if view and view["state"] not in {"running", "removing"} else None

    view = world.until(f"the end of {name}", look)
    assert view is not None
    return view


@then(parsers.parse("all of Mona's is still on {forge}, and nothing of Doneright's"))
def _as_before(world: World, story: dict[str, Any], forge: str) -> None:
    # How pull requests are merged is a setting that is not taken back: nobody can tell whose it is since.
    state = _state(world, story["name"], forge)
    assert state | {"merges": None} == story["before"] | {"merges": None}


@when(parsers.parse('only "{step}" of "{name}" is consented to'))
def _only(world: World, story: dict[str, Any], step: str, name: str) -> None:
    body = {"digest": story["plan"]["digest"], "steps": [step]}
    answer = world.api.post(f"/api/adoptions/{slug_of(name)}/consent", json=body)
    assert answer.status_code == 202, answer.text


@then(parsers.parse('"{name}" is completed with "{step}" alone'))
def _alone(world: World, story: dict[str, Any], name: str, step: str) -> None:
    view = world.ended(slug_of(name))
    assert view["state"] == "completed", view["steps"]
    assert [one["id"] for one in view["steps"] if one["state"] == "applied"] == [step]
    state = _state(world, name, story["forge"])
    assert state.pop("hooks")
    assert state == {key: value for key, value in story["before"].items() if key != "hooks"}


# what is idle


@given(parsers.parse('Casey asked for "{name}" and it is complete'))
def _complete(world: World, story: dict[str, Any], name: str) -> None:
    world.open_issue("casey", form(name, Process="Basic"))
    view = world.until("the project", lambda: world.project(slug_of(name)))
    assert view is not None
    assert world.ended(slug_of(name))["state"] == "completed"
    story["name"] = name


@when("the idle projects are listed")
def _listed(world: World, story: dict[str, Any]) -> None:
    world.forget()
    answer = world.api.get("/api/stale", params={"connection": "acme", "days": "90"})
    assert answer.status_code == 200, answer.text
    story["listing"] = answer.json()
    story["sent"] = [one for forge in ("github", "azure_devops") for one in world.requests(forge)]


@then(parsers.parse('"{name}" is listed as empty with the dates of both forges, read with few calls'))
def _is_listed(world: World, story: dict[str, Any], name: str) -> None:
    listing = story["listing"]
    assert listing["unread"] == []
    row = next(row for row in listing["projects"] if row["name"] == name)
    assert (row["project"], row["why"]) == (slug_of(name), ["empty"])
    assert {place["forge"] for place in row["places"]} == {"github", "azure_devops"}
    for place in row["places"]:
        assert next(fact for fact in place["facts"] if fact["kind"] == "push")["at"]
    assert 0 < listing["calls"] <= 2 + 7 * listing["looked_at"]
    # What the package of Azure DevOps asks of itself, which services there are, is no call of ours.
    ours = [one for one in story["sent"] if one["method"] != "OPTIONS" and "resourceAreas" not in one["path"]]
    assert len(ours) <= listing["calls"] + 2, [one["path"] for one in ours]
    page = world.api.get(
        "/api/stale", params={"connection": "acme", "code": world.ready.function_key}, headers=HTML
    ).text
    assert name in page
    assert "/removal?code=" in page
    world.assert_contracts_kept()


@when(parsers.parse('its removal is asked for as "{typed}"'))
def _asked_as(world: World, story: dict[str, Any], typed: str) -> None:
    story["answer"] = world.api.post(f"/api/projects/{slug_of(story['name'])}/removal", json={"name": typed})


@then("it is refused, since that is not its exact name")
def _not_its_name(story: dict[str, Any]) -> None:
    assert story["answer"].status_code == 400
    assert [fault["field"] for fault in story["answer"].json()["errors"]] == ["name"]


@when(parsers.parse('somebody pushes to "{name}" and its removal is asked for as "{typed}"'))
def _pushed(world: World, story: dict[str, Any], name: str, typed: str) -> None:
    content = base64.b64encode(b"worked on").decode()
    slug = slug_of(name)
    put = world.github("mona").put(
        f"/repos/acme/{slug}/contents/WORK.md", json={"message": "Work", "content": content, "branch": "work"}
    )
    if put.status_code != 201:
        opened = world.github("mona").post(f"/repos/acme/{slug}/issues", json={"title": "Is this still used?"})
        assert opened.status_code == 201, opened.text
    _asked_as(world, story, typed)


@then("it is refused, since something happened since the listing")
def _happened(story: dict[str, Any]) -> None:
    assert story["answer"].status_code == 409, story["answer"].text
    assert "since it was listed" in story["answer"].json()["detail"]


@when(parsers.parse('its removal is asked for as "{typed}" even if it is active'))
def _even_if_active(world: World, story: dict[str, Any], typed: str) -> None:
    body = {"name": typed, "even_if_active": True}
    answer = world.api.post(f"/api/projects/{slug_of(story['name'])}/removal", json=body)
    assert answer.status_code == 202, answer.text


@then(parsers.parse('nothing of "{name}" is left on either forge, and its page says so'))
def _gone(world: World, name: str) -> None:
    view = _ended(world, name)
    assert view["state"] == "removed", [(step["id"], step["reversal"]) for step in view["steps"]]
    assert world.github("mona").get(f"/repos/acme/{slug_of(name)}").status_code == 404
    assert _project(world, name) is None
    page = world.api.get(f"/api/projects/{slug_of(name)}", headers={"accept": "text/html"}).text
    assert "was removed, and seen to be gone" in page
    events = world.api.get(f"/api/audit/{slug_of(name)}", params={"limit": 500}).json()["events"]
    assert events[-1]["tag"] == "doneright:project:removed"
    assert world.host_errors() == []
