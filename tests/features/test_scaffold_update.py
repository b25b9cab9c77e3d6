"""Steps of scaffold_update.feature, played on the running stack."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.artifacts import BlobArtifactStore
from shared.adapters.storage.records import TableRecords
from shared.domain.plan import Plan
from shared.domain.project import slug_of
from shared.domain.run import ProjectRecord
from shared.projects import bundle
from shared.projects.ports import PROJECTS
from shared.projects.scaffold import TEMPLATE_VERSION
from tests.e2e.world import World
from tests.fakes.updates import OLDER, altered, older_plan
from tests.features.teams_at_work import AzureTeam, GitHubTeam

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
scenarios("scaffold_update.feature")

FORGES = {"GitHub": ["github"], "Azure DevOps": ["azure_devops"], "both forges": ["github", "azure_devops"]}
TEAMS = {"github": GitHubTeam, "azure_devops": AzureTeam}
TEAMS_LINE = b"\nThe team's own words.\n"
BRANCH = f"doneright/scaffold-{TEMPLATE_VERSION}"


@pytest.fixture
def story() -> dict[str, Any]:
    """What the steps of one scenario tell each other."""
    return {}


@given(parsers.re(r'the project "(?P<name>[^"]+)" on (?P<forge>.+) was made from an older template'))
def _older(world: World, story: dict[str, Any], name: str, forge: str) -> None:
    request = {
        "connection": "acme",
        "name": name,
        "owner": "casey",
        "stack": "fastapi",
        "forges": FORGES[forge],
        "rules": {"minimum_reviewers": 0},
    }
    answer = world.api.post("/api/projects", json=request)
    assert answer.status_code == 202, answer.text
    view = world.ended(slug_of(name))
    assert view["state"] == "completed", [step["reason"] for step in view["steps"] if step["state"] == "failed"]
    story |= {"name": name, "id": slug_of(name), "teams": [TEAMS[one](world, name) for one in FORGES[forge]]}
    story["team"] = story["teams"][0]
    _make_older(world, story)
    world.forget()


def _make_older(world: World, story: dict[str, Any]) -> None:
    """The project's plan and repositories become those of a template with other words, one file more and one less."""
    account = StorageAccount(connection_string=world.ready.storage)
    artifacts, records = BlobArtifactStore(account), TableRecords(account, "projects", ProjectRecord)
    found = records.get(PROJECTS, story["id"])
    assert found
    record, etag = found
    plan = Plan.model_validate_json(artifacts.get(record.plan))
    digest = next(str(step.inputs["scaffold"]) for step in plan.steps if step.kind == "scaffold")
    today = bundle.unpack(artifacts.get(digest))
    first, *lines = today.files["README.md"].splitlines(keepends=True)
    changes = {"README.md": b"".join([b"# An older name\n", *lines]), "OLD.md": b"Old.\n", "CHANGELOG.md": None}
    packed = bundle.pack(altered(today.files, changes), today.executable)
    artifacts.put(packed, bundle.MEDIA_TYPE)
    older = artifacts.put(older_plan(plan, packed).model_dump_json().encode(), "application/json")
    records.replace(PROJECTS, story["id"], record.model_copy(update={"plan": older}), etag)
    for team in story["teams"]:
        team.change(changes)
    story |= {"today": today.files, "title": first}


@given(parsers.parse('the team added a line to the end of "{path}"'))
def _adds_a_line(story: dict[str, Any], path: str) -> None:
    story["team"].change({path: story["team"].content(path) + TEAMS_LINE})
    story["main"] = story["team"].head()


@given(parsers.parse('the team changed the line of "{path}" that the template changed'))
def _changes_the_line(story: dict[str, Any], path: str) -> None:
    before = story["team"].content(path)
    story["team"].change({path: before.replace(b"# An older name\n", b"# The team's name\n")})
    story["main"] = story["team"].head()


@when("a look at its update is taken")
def _looks(world: World, story: dict[str, Any]) -> None:
    world.forget()
    answer = world.api.post(f"/api/projects/{story['id']}/scaffold-update?dry_run=true")
    assert answer.status_code == 200, answer.text
    story["look"] = answer.json()


@then("the look tells the fate of each file and neither forge saw a write")
def _told(world: World, story: dict[str, Any]) -> None:
    (repository,) = story["look"]["repositories"]
    assert story["look"]["would_change"] is True
    assert (repository["base_version"], repository["version"]) == (OLDER, TEMPLATE_VERSION)
    assert {file["path"]: file["fate"] for file in repository["files"]} == {
        "README.md": "merged",
        "OLD.md": "removed",
        "CHANGELOG.md": "added",
    }
    assert _writes(world) == []
    assert story["team"].offers() == []


@when(parsers.re(r"its update is offered(?P<force> with force)?$"))
def _offered(world: World, story: dict[str, Any], force: str | None) -> None:
    world.forget()
    address = f"/api/projects/{story['id']}/scaffold-update"
    answer = world.api.post(address, params={"force": "true"} if force else {})
    assert answer.status_code == 202, answer.text

    def ended() -> dict[str, Any] | None:
        view: dict[str, Any] = world.api.get(address).json()
        return None if view["running"] else view

    view = world.until("the end of the update", ended, 60)
    assert view
    story["standings"] = [repository["standing"] for repository in view["repositories"]]
    story["outcome"] = story["standings"][0]["last"]


@then("one pull request brings both changes and the main branch is as it was")
def _brings_both(story: dict[str, Any]) -> None:
    team = story["team"]
    assert story["outcome"]["state"] == "offered", story["outcome"]
    (offer,) = team.offers()
    assert (offer["open"], offer["draft"], offer["branch"]) == (True, False, BRANCH)
    assert team.parents(team.head(BRANCH)) == [story["main"]] == [team.head()]
    assert team.content("README.md", BRANCH) == story["today"]["README.md"] + TEAMS_LINE
    assert team.content("CHANGELOG.md", BRANCH) == story["today"]["CHANGELOG.md"]
    assert team.content("OLD.md", BRANCH) is None
    assert team.content("OLD.md") == b"Old.\n"
    for path in ("README.md", "CHANGELOG.md", "OLD.md"):
        assert path in offer["body"].replace("\\", "")


@then("the record says that it was offered")
def _on_record(world: World, story: dict[str, Any]) -> None:
    events = world.api.get(f"/api/audit/{story['id']}", params={"limit": 500}).json()["events"]
    offered = [event for event in events if event["tag"].endswith(":scaffold:offered")]
    assert [event["subject"] for event in offered] == [story["outcome"]["url"]]


@then(parsers.parse('the outcome is "{state}" and neither forge saw a write'))
def _no_write(world: World, story: dict[str, Any], state: str) -> None:
    assert story["outcome"]["state"] == state, story["outcome"]
    assert _writes(world) == []
    assert len(story["team"].offers()) == 1


def _writes(world: World) -> list[dict[str, Any]]:
    """Writes but for what a review says of the team's own pull requests, which may end at any time."""
    return [
        request
        for forge in ("github", "azure_devops")
        for request in world.requests(forge)
        if request["method"] not in {"GET", "HEAD", "OPTIONS"} and not _OF_A_REVIEW.search(request["path"])
    ]


_OF_A_REVIEW = re.compile(
    r"/graphql$|/statuses(/[0-9a-f]{40})?$|/issues/\d+/(comments|labels)$|/pulls/\d+/(reviews|comments)"
    r"|/pullrequests/\d+/(statuses|threads|labels)|/blobs$|/code-scanning/sarifs$",
    re.IGNORECASE,
)


@when("the team merges it")
def _merges(story: dict[str, Any]) -> None:
    story["team"].merge(story["team"].offers()[-1]["number"])


@then("the project has the newest template")
def _newest(world: World, story: dict[str, Any]) -> None:
    (standing,) = story["standings"]
    assert (standing["base_version"], standing["offers"]) == (TEMPLATE_VERSION, [])
    events = world.api.get(f"/api/audit/{story['id']}", params={"limit": 500}).json()["events"]
    assert [event["tag"].rpartition(":")[2] for event in events if ":scaffold:" in event["tag"]] == [
        "offered",
        "merged",
    ]
    assert story["team"].content("README.md") == story["today"]["README.md"] + TEAMS_LINE


@then("the pull request is a draft that marks the conflict and explains it")
def _draft(story: dict[str, Any]) -> None:
    (offer,) = story["team"].offers()
    assert (offer["open"], offer["draft"], story["outcome"]["draft"]) == (True, True, True)
    assert offer["title"].endswith(": 1 conflict to resolve")
    assert re.search(r"\| README.md \(line 1\) \|[^|]+\|[^|]+\| Choose between the marked lines", _plain(offer["body"]))
    marked = story["team"].content("README.md", BRANCH)
    expected = (
        b"<<<<<<< main (yours)\n# The team's name\n||||||| scaffold 1.0.0\n# An older name\n=======\n"
        + story["title"]
        + f">>>>>>> scaffold {TEMPLATE_VERSION}\n".encode()
    )
    assert marked.startswith(expected)


def _plain(markdown: str) -> str:
    return markdown.replace("\\", "")


@when("the team adds a file to the main branch")
def _adds_a_file(story: dict[str, Any]) -> None:
    story["team"].change({"docs/ours.md": b"Ours.\n"})
    story["main"] = story["team"].head()


@then(parsers.parse('the outcome is "{state}" and the same pull request stands on the newer head'))
def _same(story: dict[str, Any], state: str) -> None:
    team = story["team"]
    assert story["outcome"]["state"] == state, story["outcome"]
    (offer,) = team.offers()
    assert (offer["open"], offer["draft"]) == (True, True)
    assert team.parents(team.head(BRANCH)) == [story["main"]]
    assert team.content("docs/ours.md", BRANCH) == b"Ours.\n"


@when("the team closes it")
def _closes(story: dict[str, Any]) -> None:
    story["team"].close(story["team"].offers()[-1]["number"])


@then(parsers.parse('the outcome is "{state}" and there is one open pull request'))
def _one_open(story: dict[str, Any], state: str) -> None:
    assert story["outcome"]["state"] == state, story["outcome"]
    assert [offer["open"] for offer in story["team"].offers()] == [False, True]


@when("updates are offered to every project of the connection")
def _everybody(world: World, story: dict[str, Any]) -> None:
    answer = world.api.post("/api/scaffold-updates", json={"connection": "acme"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].endswith("/api/scaffold-updates/acme")

    def ended() -> dict[str, Any] | None:
        view: dict[str, Any] = world.api.get("/api/scaffold-updates/acme").json()
        return None if view["state"] == "running" else view

    story["run"] = world.until("the end of the run", ended, 150)


@then(parsers.parse('the run tells the outcome of each repository, and those of "{name}" are "{state}"'))
def _each(world: World, story: dict[str, Any], name: str, state: str) -> None:
    outcomes = story["run"]["outcomes"]
    assert all(outcome["state"] != "pending" for outcome in outcomes)
    completed = {p["id"] for p in world.api.get("/api/projects").json()["projects"] if p["state"] == "completed"}
    # What was adopted has no scaffold of ours.
    made = {
        p
        for p in completed
        if any(s["id"].endswith(".scaffold") for s in world.api.get(f"/api/projects/{p}").json()["steps"])
    }
    assert {outcome["project"] for outcome in outcomes} | story["run"]["broken"].keys() == made
    ours = {outcome["forge"]: outcome["state"] for outcome in outcomes if outcome["project"] == slug_of(name)}
    assert ours == {"github": state, "azure_devops": state}
    for team in story["teams"]:
        assert [offer["open"] for offer in team.offers()] == [True]
