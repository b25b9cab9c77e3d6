"""What GitHub keeps beside a repository's code, against the simulator with its contract on, answers lost included."""

import importlib

import httpx
import pytest
from pydantic import SecretStr

from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.forge import DeploymentEnvironment, Label, RepositoryRef, SecurityFeature
from shared.errors import NotSupportedError, RefusedError, TransientError
from tests.integration.adapters.serving import UtcClock, served

SHOP = RepositoryRef(owner="acme", name="shop")
OPEN = RepositoryRef(owner="acme", name="open")
P0 = Label(name="P0: now", color="7f1d1d", description="Everything else waits")


def _seed(plan):
    return {
        "users": [
            {"login": "ada", "token": "classic", "scopes": ["repo", "admin:org"]},
            {"login": "bob", "token": "few", "scopes": ["repo"]},
            {"login": "eve", "token": "none", "scopes": ["read:org"]},
        ],
        "organizations": [
            {
                "login": "acme",
                "plan": plan,
                "members": {"ada": "admin", "bob": "member", "eve": "member"},
                "teams": [{"slug": "leads", "members": ["bob"]}],
                "repositories": [
                    {"name": "shop", "private": True, "files": {"a": "a"}, "collaborators": {"bob": "write"}},
                    {"name": "open", "private": False, "files": {"a": "a"}, "collaborators": {"bob": "write"}},
                ],
            }
        ],
    }


class Sandbox:
    def __init__(self, url, app):
        self.url = url
        self.faults = app.state.faults

    def forge(self, token: str = "classic") -> GitHubForge:  # noqa: S107 - the seed's
        return GitHubForge(PersonalAccessToken(token=SecretStr(token)), clock=UtcClock(), base_url=self.url)

    def losing(self, method, path, call):
        """``call`` whose answer gets lost after the effect."""
        self.faults.clear()
        self.faults.add({"kind": "answer_lost", "method": method, "path": path})
        with pytest.raises(TransientError):
            call()
        assert sum(rule["fired"] for rule in self.faults.listing()) == 1
        self.faults.clear()


@pytest.fixture
def plan():
    return "team"


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.contract)], ids=["plain", "contract"])
def sandbox(request, plan):
    contract = None
    if request.param:
        try:
            contract = importlib.import_module("local.sandbox.github.contract").load()
        except FileNotFoundError as absent:
            pytest.skip(f"the contract is absent: {absent}")
    state = State()
    apply_seed(state, {"github": _seed(plan)})
    with served(lambda url: build_github(state, base_url=url, contract=contract)) as (url, app):
        yield Sandbox(url, app)
        if contract:
            assert httpx.get(f"{url}/_violations").json() == []


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def _named(forge, name):
    return [label for label in forge.labels(SHOP) if label.name.lower() == name.lower()]


def test_a_label_is_created_once_though_its_answer_was_lost(sandbox, forge):
    sandbox.losing("POST", "/labels", lambda: forge.create_label(SHOP, P0))
    assert forge.create_label(SHOP, P0) == P0
    assert _named(forge, P0.name) == [P0]


def test_a_label_somebody_else_made_is_returned_as_it_is(forge):
    theirs = _named(forge, "bug")
    assert [forge.create_label(SHOP, Label(name="BUG", color="000000"))] == theirs
    assert _named(forge, "bug") == theirs


def test_a_label_is_given_other_looks(sandbox, forge):
    forge.create_label(SHOP, P0)
    other = P0.model_copy(update={"color": "00ff00", "description": ""})
    sandbox.losing("PATCH", "/labels/", lambda: forge.edit_label(SHOP, other))
    assert forge.edit_label(SHOP, other) == other
    assert _named(forge, P0.name) == [other]
    with pytest.raises(RefusedError):
        forge.edit_label(SHOP, Label(name="absent", color="000000"))


def test_labels_beyond_one_page_are_all_found(forge):
    for number in range(101):
        forge.create_label(SHOP, Label(name=f"l{number}", color="ededed"))
    assert {f"l{number}" for number in range(101)} <= {label.name for label in forge.labels(SHOP)}


def test_labels_need_write_access(sandbox):
    with pytest.raises(RefusedError) as caught:
        sandbox.forge("none").create_label(SHOP, P0)
    assert caught.value.remedy


def test_topics_are_replaced_whole_and_once(sandbox, forge):
    assert forge.topics(SHOP) == ()
    sandbox.losing("PUT", "/topics", lambda: forge.set_topics(SHOP, ["doneright", "payments"]))
    forge.set_topics(SHOP, ["doneright", "payments"])
    assert forge.topics(SHOP) == ("doneright", "payments")


def test_a_topic_github_does_not_take_is_refused(forge):
    with pytest.raises(RefusedError):
        forge.set_topics(SHOP, ["no blanks"])
    assert forge.topics(SHOP) == ()


def test_a_public_repository_gets_all_of_security(sandbox, forge):
    assert forge.security(OPEN) == dict.fromkeys(SecurityFeature, False)
    for feature in SecurityFeature:
        method = "PUT" if feature is SecurityFeature.VULNERABILITY_ALERTS else "PATCH"
        sandbox.losing(method, "/repos/acme/open", lambda feature=feature: forge.enable_security(OPEN, feature))
        forge.enable_security(OPEN, feature)
    assert forge.security(OPEN) == dict.fromkeys(SecurityFeature, True)


def test_a_plan_without_secret_scanning_shows_and_says_so(forge):
    assert forge.security(SHOP) == {SecurityFeature.VULNERABILITY_ALERTS: False}
    forge.enable_security(SHOP, SecurityFeature.VULNERABILITY_ALERTS)
    with pytest.raises(NotSupportedError) as caught:
        forge.enable_security(SHOP, SecurityFeature.SECRET_SCANNING)
    assert caught.value.remedy
    assert forge.security(SHOP) == {SecurityFeature.VULNERABILITY_ALERTS: True}


@pytest.mark.parametrize("plan", ["enterprise"])
def test_a_plan_with_secret_scanning_has_it_on_private_repositories(forge):
    for feature in SecurityFeature:
        forge.enable_security(SHOP, feature)
    assert forge.security(SHOP) == dict.fromkeys(SecurityFeature, True)


def test_security_is_shown_to_administrators_alone(sandbox):
    with pytest.raises(RefusedError, match="does not show") as caught:
        sandbox.forge("few").security(SHOP)
    assert "administration=write" in caught.value.remedy


def test_an_environment_is_made_once_with_its_reviewers(sandbox, forge):
    wanted = DeploymentEnvironment(name="production (eu)", reviewers=("ADA", "bob"))
    sandbox.losing("PUT", "/environments/", lambda: forge.set_deployment_environment(OPEN, wanted))
    forge.set_deployment_environment(OPEN, wanted)
    (made,) = forge.deployment_environments(OPEN)
    assert (made.name, made.reviewers) == ("production (eu)", ("ada", "bob"))
    assert made.url
    forge.set_deployment_environment(OPEN, wanted.model_copy(update={"reviewers": ("bob",)}))
    assert [found.reviewers for found in forge.deployment_environments(OPEN)] == [("bob",)]


def test_a_team_of_the_organisation_is_asked_beside_a_person(forge):
    wanted = DeploymentEnvironment(name="production", reviewers=("acme/leads", "bob"))
    forge.set_deployment_environment(OPEN, wanted)
    (made,) = forge.deployment_environments(OPEN)
    assert made.reviewers == ("acme/leads", "bob")


@pytest.mark.parametrize("reviewer", ["acme/nothing", "nobody"])
def test_a_reviewer_who_is_not_there_is_refused(forge, reviewer):
    with pytest.raises(RefusedError, match=reviewer) as caught:
        forge.set_deployment_environment(OPEN, DeploymentEnvironment(name="production", reviewers=(reviewer,)))
    assert "organisation/team" in caught.value.remedy
    assert forge.deployment_environments(OPEN) == ()


def test_what_others_set_on_an_environment_stays(forge):
    url = "/repos/acme/open/environments/staging"
    policy = {"protected_branches": True, "custom_branch_policies": False}
    ada = forge._client.get("/users/ada")["id"]
    theirs = {
        "wait_timer": 30,
        "prevent_self_review": True,
        "reviewers": [{"type": "User", "id": ada}],
        "deployment_branch_policy": policy,
    }
    forge._client.request("PUT", url, theirs)
    forge.set_deployment_environment(OPEN, DeploymentEnvironment(name="staging", reviewers=("bob",)))
    after = forge._client.get(url)
    rules = {rule["type"]: rule for rule in after["protection_rules"]}
    assert rules["wait_timer"]["wait_timer"] == 30
    assert rules["required_reviewers"]["prevent_self_review"] is True
    assert after["deployment_branch_policy"] == policy


def test_a_plan_without_reviewers_on_private_repositories_says_so(forge):
    with pytest.raises(NotSupportedError, match="billing plan"):
        forge.set_deployment_environment(SHOP, DeploymentEnvironment(name="production", reviewers=("ada",)))
    forge.set_deployment_environment(SHOP, DeploymentEnvironment(name="production"))
    assert [found.reviewers for found in forge.deployment_environments(SHOP)] == [()]


@pytest.mark.parametrize("plan", ["free"])
def test_a_plan_without_environments_on_private_repositories_says_so(forge):
    with pytest.raises(NotSupportedError, match="no environments"):
        forge.deployment_environments(SHOP)
    with pytest.raises(NotSupportedError, match="no environments"):
        forge.set_deployment_environment(SHOP, DeploymentEnvironment(name="production"))
    forge.set_deployment_environment(OPEN, DeploymentEnvironment(name="production"))


@pytest.mark.parametrize("plan", ["free"])
def test_a_credential_that_may_not_see_environments_is_told_apart_from_the_plan(sandbox):
    with pytest.raises(RefusedError) as caught:
        sandbox.forge("few").deployment_environments(SHOP)
    assert not isinstance(caught.value, NotSupportedError)
    assert "administration=write" in caught.value.remedy


def test_accounts_are_people(forge):
    assert forge.has_account("BOB")
    assert not forge.has_account("acme")
    assert not forge.has_account("nobody")
    with pytest.raises(RefusedError, match="no account nobody") as caught:
        forge.set_deployment_environment(OPEN, DeploymentEnvironment(name="x", reviewers=("nobody",)))
    assert "login" in caught.value.remedy
    assert forge.deployment_environments(OPEN) == ()
