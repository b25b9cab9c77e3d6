"""AzureDevOpsForge against the simulator, over a real socket, with answers lost after their effect."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.azure_devops import (
    AzureDevOpsForge,
    EntraIdentity,
    PersonalAccessToken,
    key_tag,
    normalised,
    not_expressible,
)
from shared.domain.forge import (
    BacklogItem,
    BranchRules,
    Hook,
    MergeKind,
    Operation,
    OperationState,
    PipelineDefinition,
    RepositoryRef,
)
from shared.errors import ConflictError, DefectError, RefusedError, TransientError
from tests.integration.adapters.serving import UtcClock, late, served

SHOP = RepositoryRef(owner="Shop", name="Shop")
EXTRA = RepositoryRef(owner="Shop", name="extra")
FILES = {
    "README.md": b"# Shop\r\n",
    "src/app.py": "print('grüß dich')\n".encode(),
    "logo.png": bytes(range(256)),
    "empty.txt": b"",
    "deploy/run me.sh": b"#!/bin/sh\n",
}
SEED = {
    "azure_devops": {
        "organizations": [
            {
                "name": "acme",
                "users": [
                    {
                        "name": "Doneright",
                        "mail": "doneright@acme.example",
                        "token": "admin-pat",
                        "tokens": [{"token": "entra-1"}],
                        "permissions": ["collection_administrator"],
                    },
                    {"name": "Reader", "mail": "reader@acme.example", "token": "reader-pat", "permissions": ["reader"]},
                ],
                "projects": [{"name": "Shop", "process": "Agile", "description": "Sells things"}],
            }
        ]
    }
}


class Sandbox:
    def __init__(self, url, app):
        self.url = f"{url}/acme"
        self.faults = app.state.faults
        self.organization = app.state.service.organization("acme")

    def forge(self, token: str = "admin-pat") -> AzureDevOpsForge:  # noqa: S107 - the seed's
        return AzureDevOpsForge(self.url, PersonalAccessToken(token=SecretStr(token)), clock=UtcClock())

    def project(self, name="Shop"):
        return next(p for p in self.organization["projects"].values() if p["name"] == name)

    def holdings(self):
        """All that a stray write could have added."""
        parts = ("repositories", "definitions", "policies")
        projects = {p["name"]: [sorted(p[part]) for part in parts] for p in self.organization["projects"].values()}
        return projects, sorted(self.organization["work_items"]), sorted(self.organization["subscriptions"])

    def lose_answer(self, method, path):
        self.faults.clear()
        self.faults.add({"kind": "answer_lost", "method": method, "path": path})

    def fired(self):
        return sum(rule["fired"] for rule in self.faults.listing())


@pytest.fixture
def sandbox():
    state = State()
    apply_seed(state, SEED)
    with served(
        lambda url: build_azure_devops(state, base_url=url, min_project_seconds=0.05, max_project_seconds=0.1)
    ) as (url, app):
        yield Sandbox(url, app)


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def _finished(forge: AzureDevOpsForge, operation: Operation) -> Operation:
    until = time.monotonic() + 20
    while operation.state is OperationState.RUNNING and time.monotonic() < until:
        time.sleep(0.02)
        operation = forge.operation(operation.id)
    return operation


def test_a_project_is_shown_with_its_process(forge):
    project = forge.project("Shop")
    assert project is not None
    assert (project.name, project.process, project.private, project.ready) == ("Shop", "agile", True, True)
    assert project.description == "Sells things"
    assert project.url.endswith("/acme/Shop")
    assert forge.project("Nowhere") is None


@pytest.mark.parametrize("process", ["agile", "basic", "cmmi", "scrum"])
def test_a_project_of_each_process_is_created_and_read_back(forge, process):
    operation = _finished(forge, forge.create_project("New", description="d", process=process, private=True))
    assert operation.state is OperationState.SUCCEEDED
    project = forge.project("New")
    assert (project.process, project.ready, project.description) == (process, True, "d")


def test_a_project_whose_answer_was_lost_is_found_again(sandbox, forge):
    sandbox.lose_answer("POST", "/_apis/projects")
    with pytest.raises(TransientError):
        forge.create_project("New", description="", process="scrum", private=True)
    assert sandbox.fired() == 1
    operation = None
    for _ in range(200):
        try:
            operation = forge.create_project("New", description="", process="scrum", private=True)
            break
        except TransientError:
            time.sleep(0.02)
    assert _finished(forge, operation).state is OperationState.SUCCEEDED
    assert [p["name"] for p in sandbox.organization["projects"].values()].count("New") == 1


def test_a_project_that_is_there_is_returned_and_another_kind_of_it_refused(forge):
    again = forge.create_project("Shop", description="", process="agile", private=True)
    assert again.state is OperationState.SUCCEEDED
    assert forge.operation(again.id).state is OperationState.SUCCEEDED
    with pytest.raises(RefusedError, match="process agile"):
        forge.create_project("Shop", description="", process="scrum", private=True)
    with pytest.raises(RefusedError, match="private"):
        forge.create_project("Shop", description="", process="agile", private=False)


def test_a_project_is_deleted_once(forge):
    project = forge.project("Shop")
    assert _finished(forge, forge.delete_project(project.id)).state is OperationState.SUCCEEDED
    assert forge.project("Shop") is None
    gone = forge.delete_project(project.id)
    assert forge.operation(gone.id).state is OperationState.SUCCEEDED


def test_an_unknown_operation_is_refused(forge):
    with pytest.raises(RefusedError):
        forge.operation("00000000-0000-0000-0000-000000000009")
    assert forge.operation("project:00000000-0000-0000-0000-000000000009").state is OperationState.FAILED


def test_the_projects_own_repository_is_there_and_empty(forge):
    repository = forge.repository(SHOP)
    assert repository.empty
    assert repository.default_branch is None
    assert repository.private
    assert forge.branch_head(SHOP, "main") is None
    assert forge.repository(RepositoryRef(owner="Shop", name="nothing")) is None
    assert forge.repository(RepositoryRef(owner="Nowhere", name="nothing")) is None
    assert forge.branch_head(EXTRA, "main") is None


def test_a_repository_is_created_once_even_when_the_answer_was_lost(sandbox, forge):
    sandbox.lose_answer("POST", "/git/repositories")
    with pytest.raises(TransientError):
        forge.create_repository(EXTRA, description="", private=True)
    assert sandbox.fired() == 1
    made = forge.create_repository(EXTRA, description="", private=True)
    assert made == forge.repository(EXTRA)
    assert [r["name"] for r in sandbox.project()["repositories"].values()].count("extra") == 1
    with pytest.raises(RefusedError, match="private"):
        forge.create_repository(EXTRA, description="", private=False)


def test_a_repository_is_deleted_once(forge):
    forge.create_repository(EXTRA, description="", private=True)
    forge.delete_repository(EXTRA)
    forge.delete_repository(EXTRA)
    assert forge.repository(EXTRA) is None


def test_the_first_commit_holds_exactly_the_files(forge):
    sha = forge.commit_files(SHOP, "main", FILES, message="Begin", executable=["deploy/run me.sh"])
    assert forge.branch_head(SHOP, "main") == sha
    digests = forge.file_digests(SHOP, sha)
    assert digests.keys() == FILES.keys()
    assert digests["empty.txt"] == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    repository = forge.repository(SHOP)
    assert (repository.default_branch, repository.empty) == ("main", False)
    assert forge.branch_head(SHOP, "mai") is None


def test_a_first_commit_whose_answer_was_lost_stays_one_commit(sandbox, forge):
    sandbox.lose_answer("POST", "/pushes")
    with pytest.raises(TransientError):
        forge.commit_files(SHOP, "main", FILES, message="Begin")
    assert sandbox.fired() == 1
    sha = forge.commit_files(SHOP, "main", FILES, message="Begin")
    assert forge.commit_files(SHOP, "main", FILES, message="Begin") == sha
    commits = forge._client.area("git").get_commits(
        "Shop", forge._client.models("git").GitQueryCommitsCriteria(), project="Shop"
    )
    assert [commit.commit_id for commit in commits] == [sha]


def test_two_first_commits_at_once_end_in_one(sandbox):
    forges = [sandbox.forge() for _ in range(4)]

    def commit(forge):
        try:
            return forge.commit_files(SHOP, "main", FILES, message="Begin")
        except ConflictError:
            return forge.commit_files(SHOP, "main", FILES, message="Begin")

    with ThreadPoolExecutor(4) as pool:
        shas = set(pool.map(commit, forges))
    assert len(shas) == 1


def _push(forge, old, name, content):
    """A commit on top of ``old``, or instead of it when ``old`` is none."""
    change = {"changeType": "add", "item": {"path": name}, "newContent": {"content": content, "contentType": "rawtext"}}
    push = {
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": old}],
        "commits": [{"comment": name, "changes": [change]}],
    }
    return forge._client.area("git").create_push(push, SHOP.name, project=SHOP.owner).ref_updates[0].new_object_id


def test_a_commit_is_told_to_be_in_a_history_or_not(forge):
    first = forge.commit_files(SHOP, "main", FILES, message="Begin")
    second = _push(forge, first, "/more.txt", "x")
    assert forge.is_ancestor(SHOP, first, second)
    assert forge.is_ancestor(SHOP, first, first)
    assert not forge.is_ancestor(SHOP, second, first)
    assert not forge.is_ancestor(SHOP, "ab" * 20, second)
    gone = [{"name": "refs/heads/main", "oldObjectId": second, "newObjectId": "0" * 40}]
    forge._client.area("git").update_refs(gone, SHOP.name, project=SHOP.owner)
    other = _push(forge, "0" * 40, "/theirs.txt", "y")
    assert not forge.is_ancestor(SHOP, first, other)


def test_foreign_commits_are_refused(forge):
    forge.commit_files(SHOP, "main", {"other.txt": b"theirs"}, message="Theirs")
    with pytest.raises(RefusedError, match="did not make"):
        forge.commit_files(SHOP, "main", FILES, message="Begin")


@pytest.mark.parametrize(
    "rules",
    [
        BranchRules(require_build=False),
        BranchRules(
            require_build=False,
            minimum_reviewers=2,
            author_may_approve=True,
            reset_approvals_on_push=False,
            require_resolved_comments=False,
            require_linked_work_items=True,
            allowed_merges=frozenset(MergeKind),
        ),
        BranchRules(
            require_build=False,
            minimum_reviewers=0,
            allow_force_push=True,
            allow_deletion=True,
            enforce_for_administrators=False,
        ),
        BranchRules(require_build=False, allowed_merges=frozenset({MergeKind.REBASE})),
    ],
)
def test_rules_read_back_are_the_rules_asked_for(forge, rules):
    forge.commit_files(SHOP, "main", FILES, message="Begin")
    assert forge.branch_rules(SHOP, "main") is None
    forge.protect_branch(SHOP, "main", rules)
    assert forge.branch_rules(SHOP, "main") == normalised(rules)
    assert forge.branch_rules(SHOP, "other") is None


def test_rules_are_changed_in_place_without_twins(sandbox, forge):
    forge.protect_branch(
        SHOP, "main", BranchRules(require_build=False, minimum_reviewers=2, require_linked_work_items=True)
    )
    before = {p["id"] for p in sandbox.project()["policies"].values()}
    wanted = BranchRules(require_build=False, minimum_reviewers=1, require_linked_work_items=False)
    forge.protect_branch(SHOP, "main", wanted)
    forge.protect_branch(SHOP, "main", wanted)
    assert {p["id"] for p in sandbox.project()["policies"].values()} == before
    assert forge.branch_rules(SHOP, "main") == wanted
    assert max(p["revision"] for p in sandbox.project()["policies"].values()) == 2
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False, minimum_reviewers=0))
    assert forge.branch_rules(SHOP, "main").minimum_reviewers == 0


@pytest.mark.parametrize("lost", range(4))
def test_policies_whose_answer_was_lost_get_no_twins(sandbox, forge, lost):
    sandbox.faults.add({"kind": "answer_lost", "method": "POST", "path": "/policy/configurations", "skip": lost})
    rules = BranchRules(require_build=False, require_linked_work_items=True)
    with pytest.raises(TransientError):
        forge.protect_branch(SHOP, "main", rules)
    forge.protect_branch(SHOP, "main", rules)
    assert forge.branch_rules(SHOP, "main") == rules
    assert len(sandbox.project()["policies"]) == 4


def test_other_branches_policies_are_left_alone(forge):
    forge.protect_branch(SHOP, "release/1", BranchRules(require_build=False, minimum_reviewers=3))
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    assert forge.branch_rules(SHOP, "release/1").minimum_reviewers == 3


def test_what_azure_repos_cannot_express_is_named(forge):
    rules = BranchRules(
        require_build=False, allow_force_push=True, allow_deletion=True, enforce_for_administrators=False
    )
    assert not_expressible(rules) == ("allow_force_push", "allow_deletion", "enforce_for_administrators")
    assert not_expressible(BranchRules(require_build=False)) == ()
    with pytest.raises(RefusedError, match="No way to merge"):
        forge.protect_branch(SHOP, "main", BranchRules(require_build=False, allowed_merges=frozenset()))
    with pytest.raises(RefusedError, match="no repository"):
        forge.protect_branch(EXTRA, "main", BranchRules(require_build=False))
    assert forge.branch_rules(EXTRA, "main") is None


def test_a_subscription_is_made_once_for_each_event_and_told_its_new_secret(sandbox, forge):
    hook = Hook(url="http://127.0.0.1:9/api/webhooks/azure-devops", events=("git.pullrequest.created",))
    sandbox.lose_answer("POST", "/hooks/subscriptions")
    with pytest.raises(TransientError):
        forge.create_hook(SHOP, hook, "one")
    assert sandbox.fired() == 1
    made = forge.create_hook(SHOP, hook, "two")
    assert forge.hooks(SHOP) == (made,)
    assert (made.url, made.events, made.active) == (hook.url, hook.events, True)
    other = forge.create_hook(SHOP, Hook(url=hook.url, events=("workitem.created",)), "two")
    assert {found.id for found in forge.hooks(SHOP)} == {made.id, other.id}
    held = [s for s in sandbox.organization["subscriptions"].values() if "two" in str(s)]
    assert len(held) == 2
    assert "two" not in str(forge.hooks(SHOP))


def test_the_secret_of_a_subscription_does_not_reach_the_debug_log(caplog, forge):
    caplog.set_level("DEBUG")
    forge.create_hook(SHOP, Hook(url="http://127.0.0.1:9/x", events=("build.complete",)), "s3cr3t")
    assert "s3cr3t" not in caplog.text


def test_a_subscription_is_deleted_once_and_not_seen_from_other_projects(forge):
    made = forge.create_hook(SHOP, Hook(url="http://127.0.0.1:9/x", events=("build.complete",)), "s")
    assert forge.hooks(RepositoryRef(owner="Nowhere", name="x")) == ()
    forge.delete_hook(SHOP, made.id)
    forge.delete_hook(SHOP, made.id)
    assert forge.hooks(SHOP) == ()


def test_a_subscription_has_one_event_and_a_project(forge):
    with pytest.raises(RefusedError, match="exactly one"):
        forge.create_hook(SHOP, Hook(url="http://127.0.0.1:9/x", events=("a", "b")), "s")
    with pytest.raises(RefusedError, match="no project"):
        forge.create_hook(
            RepositoryRef(owner="Nowhere", name="x"), Hook(url="http://127.0.0.1:9/x", events=("build.complete",)), "s"
        )


def test_work_items_are_created_once_under_their_parent(sandbox, forge):
    epic = BacklogItem(key="epic-1", type="Epic", title="Sell", tags=("wave 1",))
    story = BacklogItem(key="story-1", type="Feature", title="Cart", description="<b>x</b>", parent="epic-1")
    parent = forge.create_work_item("Shop", epic, parent_id=None)
    sandbox.lose_answer("POST", "/wit/workItems/")
    with pytest.raises(TransientError):
        forge.create_work_item("Shop", story, parent_id=parent.id)
    assert sandbox.fired() == 1
    child = forge.create_work_item("Shop", story, parent_id=parent.id)
    assert child.parent_id == parent.id
    assert child == forge.create_work_item("Shop", story, parent_id=parent.id)
    assert len(sandbox.organization["work_items"]) == 2
    assert forge.work_items("Shop", "wave 1") == (parent,)
    assert parent.tags and key_tag("epic-1") in parent.tags
    assert forge.work_items("Shop", key_tag("story-1")) == (child,)
    assert child.url.endswith(f"/acme/Shop/_workitems/edit/{child.id}")


def test_tags_are_matched_whole_and_quoted(forge):
    one = forge.create_work_item("Shop", BacklogItem(key="a-1", type="Task", title="t"), parent_id=None)
    forge.create_work_item("Shop", BacklogItem(key="a-10", type="Task", title="t"), parent_id=None)
    assert forge.work_items("Shop", key_tag("a-1")) == (one,)
    assert forge.work_items("Shop", "it's") == ()
    with pytest.raises(RefusedError, match="tags"):
        forge.create_work_item("Shop", BacklogItem(key="a;b", type="Task", title="t"), parent_id=None)


def test_an_item_that_the_process_lacks_is_refused(forge):
    with pytest.raises(RefusedError):
        forge.create_work_item("Shop", BacklogItem(key="k", type="Nonsense", title="t"), parent_id=None)
    with pytest.raises(RefusedError):
        forge.create_work_item("Shop", BacklogItem(key="k", type="Task", title="t"), parent_id=4711)
    assert forge.work_items("Shop", key_tag("k")) == ()


def test_more_items_than_one_batch_holds_are_all_read(forge):
    with ThreadPoolExecutor(8) as pool:
        items = [BacklogItem(key=f"n-{number}", type="Task", title="t", tags=("many",)) for number in range(205)]
        list(pool.map(lambda item: forge.create_work_item("Shop", item, parent_id=None), items))
    assert len(forge.work_items("Shop", "many")) == 205


def test_a_pipeline_is_created_once(sandbox, forge):
    forge.commit_files(SHOP, "main", {**FILES, "azure-pipelines.yml": b"steps: []\n"}, message="Begin")
    wanted = PipelineDefinition(name="Shop CI", repository=SHOP, yaml_path="/azure-pipelines.yml")
    assert forge.pipeline("Shop", "Shop CI") is None
    sandbox.lose_answer("POST", "(?i)/build/definitions")
    with pytest.raises(TransientError):
        forge.create_pipeline("Shop", wanted)
    assert sandbox.fired() == 1
    made = forge.create_pipeline("Shop", wanted)
    assert made == forge.pipeline("Shop", "Shop CI")
    assert (made.yaml_path, made.branch, made.repository.name) == ("azure-pipelines.yml", "main", "Shop")
    assert len(sandbox.project()["definitions"]) == 1
    with pytest.raises(RefusedError, match="exists already"):
        forge.create_pipeline("Shop", wanted.model_copy(update={"yaml_path": "other.yml"}))
    with pytest.raises(RefusedError, match="no repository"):
        forge.create_pipeline("Shop", PipelineDefinition(name="Other", repository=EXTRA, yaml_path="x.yml"))
    assert forge.pipeline("Nowhere", "x") is None


def test_what_a_reader_may_not_do_is_refused_by_name(sandbox):
    reader = sandbox.forge("reader-pat")
    with pytest.raises(RefusedError) as caught:
        reader.create_project("New", description="", process="agile", private=True)
    assert "permission" in caught.value.reason
    assert caught.value.remedy
    with pytest.raises(RefusedError):
        reader.commit_files(SHOP, "main", FILES, message="Begin")


def test_an_expired_token_says_what_to_do(sandbox):
    with pytest.raises(RefusedError, match="expired") as caught:
        sandbox.forge("no-such-pat").project("Shop")
    assert "2026-12-01" in caught.value.remedy


def test_a_throttle_carries_the_services_wait(sandbox, forge):
    sandbox.faults.add({"kind": "rate_limited", "method": "POST", "path": "/pushes", "seconds": 21})
    with pytest.raises(TransientError) as caught:
        forge.commit_files(SHOP, "main", FILES, message="Begin")
    assert caught.value.retry_after == 21


def test_an_entra_identity_is_let_in(sandbox):
    class Provider:
        def get_token(self, *scopes):
            class Token:
                token = "entra-1"
                expires_on = int(time.time()) + 3600

            return Token()

    forge = AzureDevOpsForge(sandbox.url, EntraIdentity(), clock=UtcClock(), token_provider=Provider())
    assert forge.project("Shop") is not None


def test_permissions_are_found_without_changing_anything(sandbox, forge):
    before = sandbox.holdings()
    found = {finding.permission: finding for finding in forge.permissions()}
    assert found["Create new projects"].present
    assert found["Project and team (read)"].present
    assert all(finding.present for finding in found.values())
    assert sandbox.holdings() == before
    reader = {finding.permission: finding for finding in sandbox.forge("reader-pat").permissions()}
    assert not reader["Create new projects"].present
    assert reader["Create new projects"].remedy
    with pytest.raises(RefusedError, match="expired"):
        sandbox.forge("no-such-pat").permissions()


def test_losing_a_race_finds_the_winners(monkeypatch, forge):
    made = forge.create_repository(EXTRA, description="", private=True)
    late(monkeypatch, forge, "_found")
    assert forge.create_repository(EXTRA, description="", private=True) == made
    late(monkeypatch, forge, "project")
    assert forge.create_project("Shop", description="", process="agile", private=True).id.startswith("project:")
    sha = forge.commit_files(EXTRA, "main", FILES, message="Begin")
    late(monkeypatch, forge, "branch_head")
    assert forge.commit_files(EXTRA, "main", FILES, message="Begin") == sha
    late(monkeypatch, forge, "branch_head")
    with pytest.raises(RefusedError, match="did not make"):
        forge.commit_files(EXTRA, "main", {"other.txt": b""}, message="Begin")
    wanted = PipelineDefinition(name="CI", repository=EXTRA, yaml_path="README.md")
    pipeline = forge.create_pipeline("Shop", wanted)
    late(monkeypatch, forge, "pipeline")
    assert forge.create_pipeline("Shop", wanted) == pipeline


def test_another_default_branch_is_set(forge):
    forge.commit_files(SHOP, "main", FILES, message="Begin")
    forge.commit_files(SHOP, "trunk", FILES, message="Begin")
    assert forge.repository(SHOP).default_branch == "trunk"
    with pytest.raises(DefectError):
        forge.commit_files(SHOP, "main", {}, message="m")
