"""What GitHub keeps beside a repository's code, against the simulator with its contract on, answers lost included."""

import importlib

import httpx
import pytest
from pydantic import SecretStr

from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.forge import Label, RepositoryRef
from shared.errors import RefusedError, TransientError
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
