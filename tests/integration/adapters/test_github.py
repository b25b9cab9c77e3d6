"""GitHubForge against the simulator, over a real socket, with answers lost after their effect."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr

from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.github import (
    AppInstallation,
    GitHubForge,
    PersonalAccessToken,
    normalised,
    not_expressible,
)
from shared.adapters.github.commits import INLINE_LIMIT, MARKER_PATH
from shared.adapters.github.errors import EmptyRepositoryError
from shared.domain.forge import BranchRules, Hook, MergeKind, RepositoryRef
from shared.errors import ConflictError, DefectError, NotSupportedError, RefusedError, TransientError
from tests.integration.adapters.serving import UtcClock, late, served

NEW = RepositoryRef(owner="acme", name="new-service")
SHOP = RepositoryRef(owner="acme", name="shop")
FILES = {
    "README.md": b"# New\r\n",
    ".github/workflows/ci.yml": b"on: push\n",
    "src/app.py": "print('grüß dich')\n".encode(),
    "logo.png": bytes(range(256)),
    "nul.txt": b"a\0b",
    "latin.txt": b"gr\xfc\xdf",
    "big.txt": b"x" * (INLINE_LIMIT + 1),
    "empty.txt": b"",
    "run.sh": b"#!/bin/sh\n",
}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
APP_PERMISSIONS = {
    "actions": "read",
    "administration": "write",
    "contents": "write",
    "workflows": "write",
    "issues": "write",
    "pull_requests": "write",
    "repository_hooks": "write",
    "members": "read",
    "checks": "write",
    "statuses": "write",
    "security_events": "write",
    "vulnerability_alerts": "read",
    "secret_scanning_alerts": "read",
}
ALL_SCOPES = ["repo", "workflow", "delete_repo", "admin:org", "admin:repo_hook"]


def _seed(plan="team"):
    return {
        "github": {
            "users": [
                {"login": "ada", "token": "classic", "scopes": ALL_SCOPES},
                {"login": "bob", "token": "few", "scopes": ["read:org"]},
                {"login": "cat", "token": "undeleting", "scopes": ["repo"]},
                {"login": "fin", "token": "fine", "permissions": {"metadata": "read", "issues": "write"}},
            ],
            "organizations": [
                {
                    "login": "acme",
                    "plan": plan,
                    "members": {"ada": "admin", "bob": "member", "cat": "admin", "fin": "admin"},
                    "teams": [{"slug": "leads", "members": ["bob"]}],
                    "repositories": [
                        {
                            "name": "shop",
                            "private": True,
                            "description": "Sells",
                            "files": {"README.md": "theirs"},
                            "labels": ["request"],
                        },
                    ],
                    "apps": [
                        {
                            "name": "Doneright",
                            "id": 7,
                            "public_key": KEY.public_key()
                            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
                            .decode(),
                            "permissions": APP_PERMISSIONS,
                            "events": ["issues"],
                            "webhook_url": "http://127.0.0.1:9/app",
                        }
                    ],
                }
            ],
        }
    }


class Sandbox:
    def __init__(self, url, app, state):
        self.url = url
        self.faults = app.state.faults
        self.state = state

    def forge(self, token: str = "classic", **options) -> GitHubForge:  # noqa: S107 - the seed's
        credentials = PersonalAccessToken(token=SecretStr(token))
        return GitHubForge(credentials, clock=UtcClock(), base_url=self.url, **options)

    def app(self, **where) -> GitHubForge:
        credentials = AppInstallation(app_id=7, private_key=SecretStr(PEM), **(where or {"organization": "acme"}))
        return GitHubForge(credentials, clock=UtcClock(), base_url=self.url)

    def lose_answer(self, method, path):
        self.faults.clear()
        self.faults.add({"kind": "answer_lost", "method": method, "path": path})

    def fired(self):
        return sum(rule["fired"] for rule in self.faults.listing())


@pytest.fixture
def plan():
    return "team"


@pytest.fixture
def sandbox(plan):
    state = State()
    apply_seed(state, _seed(plan))
    with served(lambda url: build_github(state, base_url=url)) as (url, app):
        yield Sandbox(url, app, state)


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def _history(forge, ref, branch="main"):
    """Every commit of the branch, newest first."""
    return [c["sha"] for c in forge._client.pages(f"/repos/{ref}/commits", sha=branch)]


def _made(forge, ref=NEW):
    forge.create_repository(ref, description="d", private=True)


def test_a_repository_is_shown_as_it_is(forge):
    repository = forge.repository(SHOP)
    assert (repository.ref, repository.private, repository.description) == (SHOP, True, "Sells")
    assert (repository.default_branch, repository.empty) == ("main", False)
    assert repository.clone_url.endswith("/acme/shop.git")
    assert forge.repository(NEW) is None
    assert forge.page(SHOP) == "https://github.com/acme/shop"


def test_a_repository_is_created_empty_and_read_back(forge):
    made = forge.create_repository(NEW, description="A service", private=True)
    assert made == forge.repository(NEW)
    assert (made.empty, made.default_branch, made.private) == (True, None, True)
    assert forge.branch_head(NEW, "main") is None


@pytest.mark.parametrize("owner", ["acme", "ada"])
def test_a_repository_whose_answer_was_lost_is_created_once(sandbox, forge, owner):
    ref = RepositoryRef(owner=owner, name="once")
    sandbox.lose_answer("POST", "/repos$")
    with pytest.raises(TransientError):
        forge.create_repository(ref, description="d", private=True)
    assert sandbox.fired() == 1
    assert forge.create_repository(ref, description="d", private=True) == forge.repository(ref)


def test_a_repository_of_somebody_else_is_not_taken(forge):
    with pytest.raises(RefusedError, match="exists already"):
        forge.create_repository(SHOP, description="another", private=True)
    with pytest.raises(RefusedError, match="exists already"):
        forge.create_repository(SHOP, description="Sells", private=False)
    with pytest.raises(RefusedError, match="no account nobody"):
        forge.create_repository(RepositoryRef(owner="nobody", name="x"), description="", private=True)


def test_a_validation_names_the_field(forge):
    with pytest.raises(RefusedError, match=r"Repository\.name: name is too long"):
        forge.create_repository(RepositoryRef(owner="acme", name="x" * 101), description="", private=True)


def test_a_repository_is_deleted_once_and_not_without_the_scope(sandbox, forge):
    _made(forge)
    sandbox.lose_answer("DELETE", "/repos/")
    with pytest.raises(TransientError):
        forge.delete_repository(NEW)
    forge.delete_repository(NEW)
    assert forge.repository(NEW) is None
    with pytest.raises(RefusedError) as caught:
        sandbox.forge("undeleting").delete_repository(SHOP)
    assert caught.value.remedy
    assert forge.repository(SHOP) is not None


def test_the_first_commit_is_one_root_with_exactly_the_files(forge):
    _made(forge)
    sha = forge.commit_files(NEW, "main", FILES, message="Begin", executable=["run.sh"])
    assert _history(forge, NEW) == [sha]
    assert forge.branch_head(NEW, "main") == sha
    digests = forge.file_digests(NEW, sha)
    assert digests.keys() == FILES.keys()
    assert digests["empty.txt"] == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert forge._files(NEW, sha)["run.sh"][1] == "100755"
    assert forge.repository(NEW).default_branch == "main"


@pytest.mark.parametrize("kind", ["answer_lost", "connection_reset"])
def test_a_first_commit_cut_at_any_call_still_ends_in_one_root(sandbox, forge, kind):
    cuts = 0
    while True:
        ref = RepositoryRef(owner="acme", name=f"cut-{cuts}")
        _made(forge, ref)
        sandbox.faults.clear()
        sandbox.faults.add({"kind": kind, "path": f"/repos/acme/cut-{cuts}", "skip": cuts})
        try:
            forge.commit_files(ref, "main", FILES, message="Begin", executable=["run.sh"])
        except TransientError:
            cuts += 1
            sha = forge.commit_files(ref, "main", FILES, message="Begin", executable=["run.sh"])
            assert _history(forge, ref) == [sha]
            assert forge.file_digests(ref, sha).keys() == FILES.keys()
            assert forge.commit_files(ref, "main", FILES, message="Begin", executable=["run.sh"]) == sha
        else:
            break
    assert cuts >= 8


def test_every_call_lost_one_after_the_other_still_ends_in_one_root(sandbox, forge):
    _made(forge)
    for method in ("PUT", "POST", "PATCH"):
        sandbox.faults.add({"kind": "answer_lost", "method": method, "path": "/repos/acme/new-service", "count": 2})
    tries = 0
    while True:
        try:
            sha = forge.commit_files(NEW, "main", FILES, message="Begin")
            break
        except TransientError:
            tries += 1
    assert tries >= 4
    assert _history(forge, NEW) == [sha]
    assert MARKER_PATH not in forge.file_digests(NEW, sha)


def test_first_commits_at_once_end_in_one_root(sandbox):
    forge = sandbox.forge()
    _made(forge)

    def commit(number):
        for _ in range(20):
            try:
                return forge.commit_files(NEW, "main", FILES, message="Begin")
            except TransientError:
                continue
        raise AssertionError("never done")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(commit, range(3)))
    assert len(_history(forge, NEW)) == 1
    assert forge.file_digests(NEW, forge.branch_head(NEW, "main")).keys() == FILES.keys()


def _commit(forge, *parents):
    """A commit with the parents' files, or one of its own, on no branch."""
    base = f"/repos/{NEW}/git"
    tree = {"tree": [{"path": "theirs.txt", "mode": "100644", "type": "blob", "content": "y"}]}
    made = forge._client.request("POST", f"{base}/trees", tree)[1]["sha"]
    body = {"message": "Go on", "tree": made, "parents": list(parents)}
    return forge._client.request("POST", f"{base}/commits", body)[1]["sha"]


def test_a_commit_is_told_to_be_in_a_history_or_not(sandbox, forge):
    _made(forge)
    first = forge.commit_files(NEW, "main", FILES, message="Begin")
    second = _commit(forge, first)
    third = _commit(forge, second)
    other = _commit(forge)
    assert forge.is_ancestor(NEW, first, third)
    assert forge.is_ancestor(NEW, first, first)
    assert not forge.is_ancestor(NEW, third, first)
    assert not forge.is_ancestor(NEW, third, _commit(forge, second, other))
    assert forge.is_ancestor(NEW, first, _commit(forge, other, first)), "a history that was joined again holds it"
    assert not forge.is_ancestor(NEW, first, other)
    assert not forge.is_ancestor(NEW, "ab" * 20, third)


def test_foreign_commits_are_refused_and_left_alone(forge):
    head = forge.branch_head(SHOP, "main")
    with pytest.raises(RefusedError, match="did not make"):
        forge.commit_files(SHOP, "main", FILES, message="Begin")
    assert forge.branch_head(SHOP, "main") == head


def test_another_branch_of_a_repository_gets_its_own_root_and_becomes_the_default(sandbox, forge):
    sandbox.lose_answer("POST", "/git/refs")
    with pytest.raises(TransientError):
        forge.commit_files(SHOP, "trunk/one", FILES, message="Begin")
    sha = forge.commit_files(SHOP, "trunk/one", FILES, message="Begin")
    assert _history(forge, SHOP, "trunk/one") == [sha]
    assert forge.repository(SHOP).default_branch == "trunk/one"


def test_workflows_need_their_own_permission(sandbox):
    sandbox.forge().create_repository(NEW, description="d", private=True)
    with pytest.raises(RefusedError):
        sandbox.forge("few").commit_files(NEW, "main", FILES, message="Begin")
    with pytest.raises(DefectError):
        sandbox.forge().commit_files(NEW, "main", {"a": b""}, message="m", executable=["b"])


@pytest.mark.parametrize(
    "rules",
    [
        BranchRules(require_build=False),
        BranchRules(
            require_build=False,
            minimum_reviewers=2,
            reset_approvals_on_push=False,
            require_resolved_comments=False,
            allowed_merges=frozenset(MergeKind),
            allow_force_push=True,
            allow_deletion=True,
            enforce_for_administrators=False,
        ),
        BranchRules(require_build=False, minimum_reviewers=0, allowed_merges=frozenset({MergeKind.REBASE})),
        BranchRules(require_build=False, author_may_approve=True, require_linked_work_items=True),
    ],
)
def test_rules_read_back_are_the_rules_asked_for(forge, rules):
    assert forge.branch_rules(SHOP, "main") is None
    forge.protect_branch(SHOP, "main", rules)
    assert forge.branch_rules(SHOP, "main") == normalised(rules)
    forge.protect_branch(SHOP, "main", rules)
    assert forge.branch_rules(SHOP, "main") == normalised(rules)


def test_what_others_set_on_the_branch_stays(forge):
    url = "/repos/acme/shop/branches/main/protection"
    checks = {"strict": True, "checks": [{"context": "doneright", "app_id": 7}]}
    reviews = {"require_code_owner_reviews": True, "required_approving_review_count": 1}
    body = {
        "required_status_checks": checks,
        "enforce_admins": False,
        "required_pull_request_reviews": reviews,
        "restrictions": {"users": ["ada"], "teams": ["leads"], "apps": []},
        "required_linear_history": True,
    }
    forge._client.request("PUT", url, body)
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False, minimum_reviewers=2))
    after = forge._client.get(url)
    assert after["required_status_checks"]["strict"]
    assert after["required_status_checks"]["checks"] == checks["checks"]
    assert after["required_pull_request_reviews"]["require_code_owner_reviews"]
    assert after["required_pull_request_reviews"]["required_approving_review_count"] == 2
    assert [user["login"] for user in after["restrictions"]["users"]] == ["ada"]
    assert [team["slug"] for team in after["restrictions"]["teams"]] == ["leads"]
    assert after["required_linear_history"]["enabled"]


def test_rules_whose_answer_was_lost_converge(sandbox, forge):
    for method, path in (("PUT", "/protection"), ("PATCH", "/repos/acme/shop$")):
        sandbox.lose_answer(method, path)
        with pytest.raises(TransientError):
            forge.protect_branch(
                SHOP, "main", BranchRules(require_build=False, allowed_merges=frozenset({MergeKind.MERGE}))
            )
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    assert forge.branch_rules(SHOP, "main") == BranchRules(require_build=False)


def test_a_repository_that_is_not_there_has_no_rules_and_gets_none(forge):
    assert forge.branch_rules(NEW, "main") is None
    with pytest.raises(RefusedError, match="cannot protect"):
        forge.protect_branch(NEW, "main", BranchRules(require_build=False))
    with pytest.raises(RefusedError, match="No way to merge"):
        forge.protect_branch(SHOP, "main", BranchRules(require_build=False, allowed_merges=frozenset()))
    assert not_expressible(BranchRules(require_build=False, require_linked_work_items=True)) == (
        "require_linked_work_items",
    )
    assert not_expressible(BranchRules(require_build=False)) == ()


@pytest.mark.parametrize("plan", ["free"])
def test_a_plan_without_protection_is_not_supported(forge):
    with pytest.raises(NotSupportedError):
        forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    with pytest.raises(NotSupportedError):
        forge.branch_rules(SHOP, "main")


def test_a_webhook_is_made_once_for_its_address_and_told_its_new_secret(sandbox, forge):
    hook = Hook(url="http://127.0.0.1:9/api/webhooks/github", events=("push", "issues"))
    sandbox.lose_answer("POST", "/hooks")
    with pytest.raises(TransientError):
        forge.create_hook(SHOP, hook, "one")
    assert sandbox.fired() == 1
    made = forge.create_hook(SHOP, hook, "two")
    assert forge.hooks(SHOP) == (made,)
    assert made.events == ("issues", "push")
    changed = forge.create_hook(SHOP, hook.model_copy(update={"events": ("pull_request",), "active": False}), "two")
    assert (changed.id, changed.events, changed.active) == (made.id, ("pull_request",), False)
    assert "two" in str(sandbox.state.data)
    assert "one" not in [h["config"].get("secret") for h in _stored_hooks(sandbox)]
    forge.delete_hook(SHOP, made.id)
    forge.delete_hook(SHOP, made.id)
    assert forge.hooks(SHOP) == ()


def _stored_hooks(sandbox):
    repos = sandbox.state.data["github"]["repos"]
    return [hook for repo in repos.values() for hook in repo["hooks"].values()]


def test_a_wrong_event_is_named(forge):
    with pytest.raises(RefusedError, match="nonsense"):
        forge.create_hook(SHOP, Hook(url="http://127.0.0.1:9/x", events=("nonsense",)), "s")


def test_an_issue_and_its_comments(sandbox, forge):
    created = forge._client.request("POST", "/repos/acme/shop/issues", {"title": "Please", "labels": ["request"]})[1]
    number = created["number"]
    forge._client.request("POST", "/repos/acme/shop/issues", {"title": "Unlabelled"})
    issue = forge.issue(SHOP, number)
    assert (issue.title, issue.author, issue.labels, issue.state) == ("Please", "ada", ("request",), "open")
    assert issue.id == str(created["id"])
    assert [i.number for i in forge.open_issues(SHOP, "request")] == [number]
    sandbox.lose_answer("POST", "/comments")
    with pytest.raises(TransientError):
        forge.comment(SHOP, number, "Hello\n")
    assert sandbox.fired() == 1
    said = forge.comment(SHOP, number, "Hello\n")
    assert forge.comments(SHOP, number) == (said,)
    edited = forge.edit_comment(SHOP, said.id, "Bye")
    assert (edited.id, edited.body) == (said.id, "Bye")
    with pytest.raises(RefusedError):
        forge.issue(SHOP, 4711)
    with pytest.raises(RefusedError):
        forge.edit_comment(SHOP, "4711", "x")


def test_team_membership(forge):
    assert forge.is_team_member("acme", "leads", "bob")
    assert not forge.is_team_member("acme", "leads", "ada")
    assert not forge.is_team_member("acme", "nothing", "ada")


def test_a_team_is_there_or_not_or_hidden_from_who_may_not_see_teams(sandbox, forge):
    assert forge.has_team("acme", "leads")
    assert forge.has_team("ACME", "Leads")
    assert not forge.has_team("acme", "nothing")
    assert not forge.has_team("nobodys-company", "leads")
    assert not forge.has_team("ada", "leads"), "a person has no teams"
    apply_seed(sandbox.state, {"github": {"users": [{"login": "eve", "token": "outside"}]}})
    with pytest.raises(RefusedError, match="/orgs/acme/teams"):
        sandbox.forge("outside").has_team("acme", "leads")


def test_every_failed_delivery_is_found_and_sent_again(sandbox):
    forge = sandbox.forge(webhook_url="http://127.0.0.1:9/ours")
    ours = forge.create_hook(SHOP, Hook(url="http://127.0.0.1:9/ours", events=("issues",)), "s")
    forge.create_hook(SHOP, Hook(url="http://127.0.0.1:9/theirs", events=("issues",)), "s")
    since = datetime.now(UTC) - timedelta(minutes=1)
    forge._client.request("POST", "/repos/acme/shop/issues", {"title": "Please"})
    failed = _until(lambda: [d for d in forge.failed_deliveries(SHOP, since) if d.event == "issues"])
    assert {delivery.hook_id for delivery in failed} == {ours.id}
    assert not 200 <= failed[0].status_code < 300
    forge.redeliver(SHOP, failed[0])
    attempts = _until(
        lambda: [
            d
            for d in forge._client.pages(f"/repos/acme/shop/hooks/{ours.id}/deliveries")
            if d["guid"] == failed[0].guid and d["redelivery"]
        ]
    )
    assert len(attempts) == 1
    assert forge.failed_deliveries(SHOP, datetime.now(UTC) + timedelta(minutes=1)) == ()


def _until(look):
    for _ in range(500):
        found = look()
        if found:
            return found
    raise AssertionError("never seen")


def test_an_apps_own_failed_deliveries_are_found_and_sent_again(sandbox):
    forge = sandbox.app()
    since = datetime.now(UTC) - timedelta(minutes=1)
    forge._client.request("POST", "/repos/acme/shop/issues", {"title": "Please"})
    failed = _until(lambda: [d for d in forge.failed_deliveries(SHOP, since) if d.event == "issues"])
    assert {delivery.hook_id for delivery in failed} == {"app"}
    forge.redeliver(SHOP, failed[0])


def test_an_app_installation_does_all_of_it(sandbox):
    forge = sandbox.app()
    made = forge.create_repository(NEW, description="d", private=True)
    sha = forge.commit_files(NEW, "main", FILES, message="Begin")
    forge.protect_branch(NEW, "main", BranchRules(require_build=False))
    assert forge.branch_rules(NEW, "main") == BranchRules(require_build=False)
    assert forge.repository(NEW).id == made.id
    assert _history(forge, NEW) == [sha]
    facts = forge.installation()
    assert (facts.account, facts.account_type, facts.permissions["contents"]) == ("acme", "Organization", "write")
    assert forge.is_org("acme")
    assert not forge.is_org("ada")
    with pytest.raises(RefusedError, match="no installation"):
        sandbox.forge().installation()


def test_permissions_of_an_app(sandbox):
    found = {finding.permission: finding for finding in sandbox.app().permissions()}
    assert all(finding.present for finding in found.values())
    assert {"checks=write", "statuses=write", "security_events=write", "vulnerability_alerts=read"} <= set(found)


def test_what_reviews_alone_need_is_optional_and_named_with_its_remedy(sandbox):
    held = next(iter(sandbox.state.data["github"]["installations"].values()))["permissions"]
    for name in ("statuses", "security_events", "secret_scanning_alerts"):
        del held[name]
    missing = [finding for finding in sandbox.app().permissions() if not finding.present]
    assert {finding.permission for finding in missing} == {
        "statuses=write",
        "security_events=write",
        "secret_scanning_alerts=read",
    }
    assert all(finding.optional and "Give the App the permission" in finding.remedy for finding in missing)


def test_permissions_of_a_classic_token(sandbox):
    found = {finding.permission: finding for finding in sandbox.forge().permissions()}
    missing = {name for name, finding in found.items() if not finding.present}
    assert missing == {"checks=write"}
    assert "GitHub App" in found["checks=write"].remedy
    few = {finding.permission: finding for finding in sandbox.forge("few").permissions()}
    assert {name for name, finding in few.items() if finding.present} == {"members=read"}
    assert "workflow" in few["workflows=write"].remedy


def test_a_classic_token_needs_a_scope_of_its_own_to_delete(sandbox):
    found = {finding.permission: finding for finding in sandbox.forge("undeleting").permissions()}
    assert found["administration=write"].present
    assert found["delete_repo"].present is False
    assert found["delete_repo"].optional, "nothing is made by deleting"
    assert "scope delete_repo" in found["delete_repo"].remedy
    assert "delete_repo" not in {finding.permission for finding in sandbox.app().permissions()}


def test_permissions_of_a_fine_grained_token_are_probed_without_a_trace(sandbox):
    before = str(sandbox.state.data["github"]["repos"])
    forge = sandbox.forge("fine", organization="acme")
    found = {finding.permission: finding.present for finding in forge.permissions()}
    assert str(sandbox.state.data["github"]["repos"]) == before
    assert found["issues=write"] is True
    assert found["metadata=read"] is True
    assert found["contents=write"] is False
    assert found["actions=read"] is False
    assert found["administration=write"] is False
    assert found["repository_hooks=write"] is False
    assert found["checks=write"] is False
    assert found["statuses=write"] is False
    assert found["security_events=write"] is None
    assert found["workflows=write"] is None


def test_an_expired_token_says_so(sandbox, forge):
    with pytest.raises(RefusedError, match="expired or revoked") as caught:
        sandbox.forge("no-such-token").permissions()
    assert caught.value.remedy
    sandbox.faults.add({"kind": "expired_token", "method": "GET"})
    with pytest.raises(RefusedError, match="expired or revoked"):
        forge.repository(SHOP)


@pytest.mark.parametrize("status", [429, 403])
def test_a_throttle_carries_githubs_wait(sandbox, forge, status):
    sandbox.faults.add({"kind": "rate_limited", "status": status, "method": "POST", "seconds": 21})
    with pytest.raises(TransientError) as caught:
        forge.create_repository(NEW, description="d", private=True)
    assert caught.value.retry_after == 21
    assert sandbox.fired() == 1


def test_losing_the_race_for_a_webhook_finds_the_winners(monkeypatch, forge):
    hook = Hook(url="http://127.0.0.1:9/x", events=("issues",))
    first = forge.create_hook(SHOP, hook, "s")
    late(monkeypatch, forge, "_hook_at")
    assert forge.create_hook(SHOP, hook, "s") == first


def test_losing_the_race_for_the_marker_goes_on_from_the_winners(monkeypatch, forge):
    _made(forge)
    forge._write_marker(NEW, "main")
    look = forge._head
    looks = []

    def looking(ref, branch):
        looks.append(branch)
        if len(looks) == 1:
            raise EmptyRepositoryError("The repository is empty")
        return look(ref, branch)

    monkeypatch.setattr(forge, "_head", looking)
    sha = forge.commit_files(NEW, "main", FILES, message="Begin")
    assert _history(forge, NEW) == [sha]


def test_losing_the_race_for_a_branch_takes_equal_files_and_refuses_others(monkeypatch, forge):
    sha = forge.commit_files(SHOP, "trunk", FILES, message="Begin")
    late(monkeypatch, forge, "_head")
    assert forge.commit_files(SHOP, "trunk", FILES, message="Begin") == sha
    late(monkeypatch, forge, "_head")
    with pytest.raises(RefusedError, match="did not make"):
        forge.commit_files(SHOP, "trunk", {"other.txt": b""}, message="Begin")
    assert forge.branch_head(SHOP, "trunk") == sha


def test_a_branch_that_moves_meanwhile_is_not_overwritten(monkeypatch, forge):
    _made(forge)
    forge._write_marker(NEW, "main")
    build = forge._root_commit

    def pushed_meanwhile(*args):
        forge._client.request(
            "PUT", "/repos/acme/new-service/contents/theirs.txt", {"message": "m", "content": "eA==", "branch": "main"}
        )
        return build(*args)

    monkeypatch.setattr(forge, "_root_commit", pushed_meanwhile)
    with pytest.raises(ConflictError, match="moved"):
        forge.commit_files(NEW, "main", FILES, message="Begin")
    with pytest.raises(RefusedError, match="did not make"):
        forge.commit_files(NEW, "main", FILES, message="Begin")


def test_a_fine_grained_token_in_an_empty_organisation_leaves_what_it_cannot_try_open(sandbox):
    apply_seed(
        State(sandbox.state.data), {"github": {"organizations": [{"login": "void", "members": {"fin": "admin"}}]}}
    )
    found = {f.permission: f for f in sandbox.forge("fine", organization="void").permissions()}
    assert found["issues=write"].present is None
    assert "issues=write" in found["issues=write"].remedy
    nowhere = {f.permission: f for f in sandbox.forge("fine").permissions()}
    assert nowhere["members=read"].present is None
