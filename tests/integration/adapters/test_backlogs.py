"""Backlogs of both forges against the simulators, held to the contracts: read in few calls, changed only as seen."""

import httpx
import pytest
from pydantic import SecretStr

from local.sandbox.github import contract as github_contract
from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.backlog import Standing
from shared.domain.forge import BacklogItem, RepositoryRef
from shared.domain.project import Process
from shared.errors import ConflictError, RefusedError, TransientError
from shared.planning.hierarchy import ladder_of
from tests.integration.adapters.serving import UtcClock, served

SHOP = RepositoryRef(owner="acme", name="shop")


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def made(forge, type_, title, parent=None, project="Shop"):
    return forge.create_work_item(project, BacklogItem(key=title, type=type_, title=title), parent_id=parent).id


def azure(sandbox):
    return httpx.Client(base_url=f"{sandbox.url}/acme", auth=("", "admin-pat"), params={"api-version": "7.1"})


def patch(sandbox, number, *operations):
    headers = {"content-type": "application/json-patch+json"}
    answer = azure(sandbox).patch(f"/_apis/wit/workitems/{number}", json=list(operations), headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("process", list(Process))
def test_the_service_s_own_hierarchy_is_the_one_the_seed_is_laid_out_in(sandbox, forge, process):
    operation = forge.create_project("Other", description="", process=process, private=True)
    assert operation.id
    for _ in range(50):
        if (found := forge.project("Other")) and found.ready:
            break
    shown = forge.backlog("Other").ladder
    assert [level.name for level in shown.levels] == [level.name for level in ladder_of(process).levels]
    if process is not Process.BASIC:
        assert shown.level_of("bug") == 2
        assert shown.needs_parent("Bug")


@pytest.mark.parametrize(("behaviour", "level", "needs"), [("asTasks", 3, True), ("off", 2, False)])
def test_bugs_stand_where_the_team_keeps_them(sandbox, forge, behaviour, level, needs):
    answer = azure(sandbox).patch("/Shop/_apis/work/teamsettings", json={"bugsBehavior": behaviour})
    assert answer.status_code == 200, answer.text
    ladder = forge.backlog("Shop").ladder
    assert (ladder.level_of("Bug"), ladder.needs_parent("Bug")) == (level, needs)


def test_a_type_of_an_inherited_process_stands_on_the_level_it_was_given(sandbox, forge):
    client = azure(sandbox)
    agile = "adcc42ab-9882-485e-a3ed-7678f01f66bc"
    base = "/_apis/work/processes"
    process = client.post(base, json={"name": "Ours", "parentProcessTypeId": agile}).json()["typeId"]
    kind = client.post(f"{base}/{process}/workitemtypes", json={"name": "Incident"}).json()
    where = f"{base}/{process}/workItemTypesBehaviors/{kind['referenceName']}/behaviors"
    wanted = {"behavior": {"id": "System.RequirementBacklogBehavior"}, "isDefault": False}
    assert client.post(where, json=wanted).status_code == 201
    assert client.post(where, json=wanted).status_code == 400
    assert client.get(where).json()["value"][0]["behavior"]["id"] == "System.RequirementBacklogBehavior"
    forge.create_project("Ops", description="", process="Ours", private=True)
    for _ in range(50):
        if (found := forge.project("Ops")) and found.ready:
            break
    ladder = forge.backlog("Ops").ladder
    assert ladder.level_of("incident") == ladder.level_of("User Story") == 2
    assert ladder.levels[2].name == "User Story"


def test_a_backlog_is_read_whole_in_few_calls(sandbox, forge):
    epic = made(forge, "Epic", "Shop")
    client = azure(sandbox)
    headers = {"content-type": "application/json-patch+json"}
    for number in range(205):
        document = [{"op": "add", "path": "/fields/System.Title", "value": f"Story {number}"}]
        client.post("/Shop/_apis/wit/workitems/$User Story", json=document, headers=headers)
    feature = made(forge, "Feature", "Payments", epic)
    forge.delete_work_item("Shop", made(forge, "Task", "Gone"))
    httpx.delete(f"{sandbox.url}/_requests")
    backlog = forge.backlog("Shop")
    calls = [one["path"] for one in httpx.get(f"{sandbox.url}/_requests").json() if one["method"] != "OPTIONS"]
    seen = [path for path in calls if "_apis/wit" in path or "backlogconfiguration" in path]
    assert (len(seen), backlog.calls, len(backlog.entries)) == (4, 4, 207)
    found = next(entry for entry in backlog.entries if entry.id == feature)
    assert (found.type, found.title, found.parent, found.standing) == ("Feature", "Payments", epic, Standing.OPEN)
    assert (found.area, found.project) == ("Shop", "Shop")
    assert found.url.endswith(f"/Shop/_workitems/edit/{feature}")


def test_what_is_finished_and_what_is_elsewhere_is_told(sandbox, forge):
    forge.create_project("Group", description="", process="agile", private=True)
    for _ in range(50):
        if (found := forge.project("Group")) and found.ready:
            break
    portfolio = made(forge, "Epic", "Portfolio", project="Group")
    story = made(forge, "User Story", "Story")
    feature = made(forge, "Feature", "Feature", portfolio)
    patch(sandbox, story, {"op": "add", "path": "/fields/System.State", "value": "Closed"}, {"op": "add", "path": "/fields/System.Description", "value": "<p>Why</p>"})  # fmt: skip
    patch(sandbox, feature, {"op": "add", "path": "/fields/System.State", "value": "Removed"})
    backlog = forge.backlog("Shop", described=True)
    standings = {entry.id: entry.standing for entry in backlog.entries}
    assert standings == {story: Standing.CLOSED, feature: Standing.REMOVED}
    assert next(one for one in backlog.entries if one.id == story).description == "<p>Why</p>"
    assert [(one.id, one.project) for one in backlog.elsewhere] == [(portfolio, "Group")]
    assert {one.id for one in forge.entries([portfolio, 99_999, story])} == {portfolio, story}
    assert forge.entries([]) == ()


def test_a_parent_is_changed_only_as_it_was_seen(sandbox, forge):
    epic, feature = made(forge, "Epic", "e"), made(forge, "Feature", "f")
    story = made(forge, "User Story", "s", epic)

    def seen():
        return next(one for one in forge.backlog("Shop").entries if one.id == story)

    before = seen()
    with pytest.raises(ConflictError, match=f"hangs on {epic} now"):
        forge.set_work_item_parent(story, feature, before=None, revision=before.revision)
    patch(sandbox, story, {"op": "add", "path": "/fields/System.Title", "value": "changed"})
    with pytest.raises(ConflictError):
        forge.set_work_item_parent(story, feature, before=epic, revision=before.revision)
    assert seen().parent == epic
    sandbox.lose_answer("PATCH", "/workItems/")
    with pytest.raises(TransientError):
        forge.set_work_item_parent(story, feature, before=epic, revision=seen().revision)
    assert seen().parent == feature
    forge.set_work_item_parent(story, None, before=feature, revision=seen().revision)
    assert seen().parent is None
    forge.set_work_item_parent(feature, epic, before=None, revision=1)
    with pytest.raises(RefusedError, match="circular"):
        forge.set_work_item_parent(epic, feature, before=None, revision=1)


def test_tags_and_links_of_a_work_item(forge):
    story = made(forge, "User Story", "s")
    (entry,) = forge.entries([story])
    forge.set_work_item_tags(story, [*entry.tags, "category: bug"], revision=entry.revision)
    (after,) = forge.entries([story])
    assert set(after.tags) == {*entry.tags, "category: bug"}
    with pytest.raises(ConflictError):
        forge.set_work_item_tags(story, ["x"], revision=entry.revision)
    with pytest.raises(RefusedError, match="usable as tags"):
        forge.set_work_item_tags(story, ["a;b"], revision=after.revision)
    url = "https://github.example/acme/shop/issues/1"
    assert [forge.add_work_item_link(story, url, "acme/shop#1") for _ in range(2)] == [True, False]


def test_a_state_is_set_with_its_tags_and_only_as_it_was_seen(sandbox, forge):
    story = made(forge, "User Story", "s")
    (entry,) = forge.entries([story])
    assert entry.state == "New"
    forge.set_work_item_state(story, "Active", tags=[*entry.tags, "state: branched"], revision=entry.revision)
    (after,) = forge.entries([story])
    assert (after.state, set(after.tags)) == ("Active", {*entry.tags, "state: branched"})
    forge.set_work_item_state(story, "Resolved", revision=after.revision)
    (last,) = forge.entries([story])
    assert (last.state, last.tags) == ("Resolved", after.tags)
    with pytest.raises(ConflictError):
        forge.set_work_item_state(story, "Closed", revision=after.revision)
    with pytest.raises(RefusedError):
        forge.set_work_item_state(story, "Nowhere", revision=last.revision)
    with pytest.raises(RefusedError, match="usable as tags"):
        forge.set_work_item_state(story, "Closed", tags=["a,b"], revision=last.revision)
    assert forge.entries([story])[0].state == "Resolved"


# GitHub


@pytest.fixture
def github():
    seed = {
        "github": {
            "users": [{"login": "ada", "token": "t", "scopes": ["repo"]}],
            "organizations": [
                {
                    "login": "acme",
                    "plan": "team",
                    "members": {"ada": "admin"},
                    "repositories": [{"name": "shop", "files": {"README.md": "x"}}],
                }
            ],
        }
    }
    state = State()
    apply_seed(state, seed)
    with served(lambda url: build_github(state, base_url=url, contract=github_contract.load())) as (url, _):
        yield GitHubForge(PersonalAccessToken(token=SecretStr("t")), clock=UtcClock(), base_url=url), url
        assert httpx.get(f"{url}/_violations").json() == []


def test_sub_issues_are_hung_on_taken_off_and_never_a_circle(github):
    forge, _ = github
    epic = forge.create_issue(SHOP, "Epic", "", ["epic"]).number
    story = forge.create_issue(SHOP, "Story", "", ["user story"]).number
    task = forge.create_issue(SHOP, "Task", "", ["task"]).number
    forge.set_issue_parent(SHOP, story, epic, before=None)
    forge.set_issue_parent(SHOP, task, epic, before=None)
    assert {one.number: one.parent for one in forge.listed_issues(SHOP)} == {
        epic: "",
        story: f"acme/shop#{epic}",
        task: f"acme/shop#{epic}",
    }
    forge.set_issue_parent(SHOP, task, story, before=epic)
    assert forge.issue(SHOP, task).parent == f"acme/shop#{story}"
    with pytest.raises(ConflictError, match="now"):
        forge.set_issue_parent(SHOP, task, epic, before=epic)
    with pytest.raises(RefusedError, match="ancestor"):
        forge.set_issue_parent(SHOP, epic, task, before=None)
    forge.set_issue_parent(SHOP, task, None, before=story)
    forge.set_issue_parent(SHOP, task, None, before=None)
    assert forge.issue(SHOP, task).parent == ""


def test_sub_issues_as_github_answers_them(github):
    forge, url = github
    client = httpx.Client(base_url=f"{url}/repos/acme/shop/issues", headers={"Authorization": "token t"})
    one, two = (forge.create_issue(SHOP, title, "", []) for title in ("One", "Two"))
    assert client.get("/1/parent").status_code == 404
    assert client.post("/1/sub_issues", json={"sub_issue_id": int(two.id)}).status_code == 201
    assert [found["number"] for found in client.get("/1/sub_issues").json()] == [2]
    assert client.get("/2/parent").json()["number"] == 1
    assert client.post("/1/sub_issues", json={"sub_issue_id": int(two.id)}).status_code == 422
    forge.create_issue(SHOP, "Three", "", [])
    assert client.post("/3/sub_issues", json={"sub_issue_id": int(two.id)}).status_code == 422
    assert client.post("/3/sub_issues", json={"sub_issue_id": 4}).status_code == 404
    assert client.request("DELETE", "/3/sub_issue", json={"sub_issue_id": int(two.id)}).status_code == 404
    assert client.request("DELETE", "/1/sub_issue", json={"sub_issue_id": int(two.id)}).status_code == 200
    assert one.parent == ""


def test_labels_of_an_issue_come_and_go_once(github):
    forge, _ = github
    number = forge.create_issue(SHOP, "One", "", []).number
    for _ in range(2):
        forge.add_issue_label(SHOP, number, "category: bug")
    assert forge.issue(SHOP, number).labels == ("category: bug",)
    for _ in range(2):
        forge.remove_issue_label(SHOP, number, "category: bug")
    assert forge.issue(SHOP, number).labels == ()
