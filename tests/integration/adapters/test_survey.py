"""What a forge holds and when something last happened there, against both simulators with the calls counted."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.activity import ActivityKind
from shared.domain.forge import BacklogItem, BranchRules, MergeKind, PipelineDefinition, RepositoryRef
from shared.errors import RefusedError
from tests.integration.adapters.azure_sandbox import sandbox_with_contract
from tests.integration.adapters.serving import UtcClock, served

LONG_AGO = datetime.now(UTC) - timedelta(days=1)
LATER = datetime.now(UTC) + timedelta(days=1)
SEED = {
    "users": [{"login": "ada", "token": "classic", "scopes": ["repo", "admin:org"]}],
    "organizations": [
        {
            "login": "acme",
            "members": {"ada": "admin"},
            "repositories": [
                {"name": "shop", "private": True, "files": {"a": "a"}},
                {"name": "attic", "private": True},
            ],
        }
    ],
}


@pytest.fixture
def github():
    state = State()
    apply_seed(state, {"github": SEED})
    with served(lambda url: build_github(state, base_url=url, contract=None)) as (url, _):
        yield url


def forge_of(url, organization="acme"):
    token = PersonalAccessToken(token=SecretStr("classic"))
    return GitHubForge(token, clock=UtcClock(), base_url=url, organization=organization)


def calls(url):
    return len(httpx.get(f"{url}/_requests").json())


def kinds(activity):
    return {fact.kind: fact.at for fact in activity.facts}


def test_github_tells_every_repository_in_one_call(github):
    forge = forge_of(github)
    before = calls(github)
    found = forge.inventory()
    assert {place.ref.name for place in found.places} == {"shop", "attic"}
    assert calls(github) - before == found.calls == 1
    assert all(place.created_at for place in found.places)


def test_without_an_organisation_github_holds_nothing_to_list(github):
    with pytest.raises(RefusedError, match="organisation"):
        forge_of(github, None).inventory()


def test_github_is_asked_no_more_than_it_takes(github):
    forge = forge_of(github)
    places = {place.ref.name: place for place in forge.inventory().places}
    before = calls(github)
    quiet = forge.activity(places["shop"], LATER)
    assert calls(github) - before == quiet.calls == 3
    assert (quiet.commits, quiet.own_items) == (1, False)
    assert kinds(quiet)[ActivityKind.PUSH] == places["shop"].pushed_at
    worked = places["shop"].model_copy(update={"created_at": LONG_AGO - timedelta(days=9)})
    before = calls(github)
    assert forge.activity(worked, LONG_AGO).calls == 0
    assert calls(github) == before


def test_a_repository_nobody_pushed_to_has_no_push(github):
    forge = forge_of(github)
    attic = next(place for place in forge.inventory().places if place.ref.name == "attic")
    found = forge.activity(attic, LATER)
    assert (found.commits, found.own_items, found.latest()) == (0, False, None)


def test_an_issue_is_activity_with_its_title(github):
    httpx.post(
        f"{github}/repos/acme/attic/issues", json={"title": "Still used?"}, headers={"Authorization": "token classic"}
    )
    forge = forge_of(github)
    attic = next(place for place in forge.inventory().places if place.ref.name == "attic")
    found = forge.activity(attic, LONG_AGO)
    assert (found.own_items, found.calls) == (True, 2)
    assert found.facts[-1].what == "#1 Still used?"
    assert found.latest() > LONG_AGO


def test_github_tells_how_pull_requests_are_merged(github):
    forge, ref = forge_of(github), RepositoryRef(owner="acme", name="shop")
    assert forge.merge_kinds(ref) == frozenset(MergeKind)
    forge.protect_branch(ref, "main", BranchRules(require_build=False, allowed_merges=frozenset({MergeKind.REBASE})))
    assert forge.merge_kinds(ref) == {MergeKind.REBASE}


SHOP = RepositoryRef(owner="Shop", name="Shop")


@pytest.fixture
def azure():
    with sandbox_with_contract() as sandbox:
        yield sandbox
        assert sandbox.violations() == []


def test_azure_devops_tells_every_project_in_one_call(azure):
    forge = azure.forge()
    forge.inventory()
    before = calls(azure.url)
    found = forge.inventory()
    assert [place.ref.name for place in found.places] == ["Shop"]
    assert calls(azure.url) - before == found.calls == 1


def test_an_empty_project_is_told_with_every_date_that_is_none(azure):
    forge = azure.forge()
    (shop,) = forge.inventory().places
    forge.activity(shop, LATER)
    before = calls(azure.url)
    found = forge.activity(shop, LATER)
    assert calls(azure.url) - before == found.calls
    assert (found.commits, found.own_items, found.latest()) == (0, False, None)
    assert set(kinds(found)) == {
        ActivityKind.PUSH, ActivityKind.WORK_ITEM, ActivityKind.PIPELINE_RUN, ActivityKind.PULL_REQUEST,
    }  # fmt: skip


def test_seeds_are_no_work_of_people_and_have_their_date(azure):
    forge = azure.forge()
    forge.commit_files(SHOP, "main", {"README.md": b"x"}, message="First")
    forge.create_work_item("Shop", BacklogItem(key="k", type="Epic", title="Sell", tags=("doneright",)), parent_id=None)
    (shop,) = forge.inventory().places
    found = forge.activity(shop, LATER)
    assert (found.commits, found.own_items) == (1, False)
    assert kinds(found)[ActivityKind.PUSH] > LONG_AGO
    assert kinds(found)[ActivityKind.WORK_ITEM] > LONG_AGO
    assert found.calls == 7
    early = forge.activity(shop, LONG_AGO)
    assert early.calls < found.calls


def test_a_work_item_of_people_is_theirs(azure):
    forge = azure.forge()
    made = httpx.post(
        f"{azure.url}/acme/Shop/_apis/wit/workitems/$Task",
        params={"api-version": "7.1"},
        json=[{"op": "add", "path": "/fields/System.Title", "value": "Mine"}],
        headers={"content-type": "application/json-patch+json"},
        auth=("", "admin-pat"),
    )
    assert made.status_code == 200, made.text
    (shop,) = forge.inventory().places
    assert forge.activity(shop, LATER).own_items is True
    assert forge.has_work_items("Shop")


def test_pipelines_are_told_with_the_file_they_run(azure):
    forge = azure.forge()
    assert forge.pipeline_definitions("Shop") == ()
    assert forge.pipeline_definitions("Nowhere") == ()
    forge.commit_files(SHOP, "main", {"azure-pipelines.yml": b"steps: []"}, message="First")
    forge.create_pipeline("Shop", PipelineDefinition(name="ci", repository=SHOP, yaml_path="/azure-pipelines.yml"))
    (found,) = forge.pipeline_definitions("Shop")
    assert (found.name, found.yaml_path.lstrip("/"), found.repository.name) == ("ci", "azure-pipelines.yml", "Shop")


def test_more_reviewers_than_can_be_planned_are_refused_and_kept(azure):
    forge = azure.forge()
    forge.commit_files(SHOP, "main", {"README.md": b"x"}, message="First")
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False, minimum_reviewers=2))
    project = azure.project()
    policy = next(p for p in _policies(azure) if "minimumApproverCount" in p["settings"])
    policy["settings"] |= {"minimumApproverCount": 9, "requireVoteOnLastIteration": True}
    answer = httpx.put(
        f"{azure.url}/acme/{project['name']}/_apis/policy/configurations/{policy['id']}",
        params={"api-version": "7.1"}, json=policy, auth=("", "admin-pat"),
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    with pytest.raises(RefusedError, match="9 reviewers"):
        forge.branch_rules(SHOP, "main")


def test_what_a_policy_demands_beyond_ours_stays_when_ours_is_set(azure):
    forge = azure.forge()
    forge.commit_files(SHOP, "main", {"README.md": b"x"}, message="First")
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False, minimum_reviewers=1))
    policy = next(p for p in _policies(azure) if "minimumApproverCount" in p["settings"])
    policy["settings"]["requireVoteOnLastIteration"] = True
    answer = httpx.put(
        f"{azure.url}/acme/Shop/_apis/policy/configurations/{policy['id']}",
        params={"api-version": "7.1"}, json=policy, auth=("", "admin-pat"),
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False, minimum_reviewers=2))
    settings = next(p["settings"] for p in _policies(azure) if "minimumApproverCount" in p["settings"])
    assert (settings["minimumApproverCount"], settings["requireVoteOnLastIteration"]) == (2, True)


def _policies(azure):
    answer = httpx.get(
        f"{azure.url}/acme/Shop/_apis/policy/configurations", params={"api-version": "7.1"}, auth=("", "admin-pat")
    )
    return answer.json()["value"]
