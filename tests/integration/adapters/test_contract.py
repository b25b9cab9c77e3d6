"""Every request of both forges is one that the vendor's own contract allows."""

import importlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.azure_devops import AzureDevOpsForge
from shared.adapters.azure_devops import PersonalAccessToken as AzureDevOpsToken
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.forge import (
    BacklogItem,
    BranchRules,
    Hook,
    MergeKind,
    OperationState,
    PipelineDefinition,
    RepositoryRef,
)
from tests.integration.adapters.serving import UtcClock, served

pytestmark = pytest.mark.contract

FILES = {"README.md": b"# New\n", "logo.png": bytes(range(256)), "azure-pipelines.yml": b"steps: []\n"}
RULES = BranchRules(
    require_build=False, require_linked_work_items=True, allowed_merges=frozenset({MergeKind.SQUASH, MergeKind.REBASE})
)


def _contract(forge: str):
    try:
        return importlib.import_module(f"local.sandbox.{forge}.contract").load()
    except FileNotFoundError as absent:
        pytest.skip(f"the contract is absent: {absent}")


def test_github():
    contract = _contract("github")
    state = State()
    seed = {
        "users": [{"login": "ada", "token": "t", "scopes": ["repo", "workflow", "delete_repo", "admin:org"]}],
        "organizations": [{"login": "acme", "members": {"ada": "admin"}, "teams": [{"slug": "leads"}]}],
    }
    apply_seed(state, {"github": seed})
    ref = RepositoryRef(owner="acme", name="new")
    with served(lambda url: build_github(state, base_url=url, contract=contract)) as (url, _):
        forge = GitHubForge(PersonalAccessToken(token=SecretStr("t")), clock=UtcClock(), base_url=url)
        forge.create_repository(ref, description="d", private=True)
        sha = forge.commit_files(ref, "main", FILES, message="Begin")
        forge.commit_files(ref, "trunk/one", FILES, message="Begin")
        assert forge.file_digests(ref, sha).keys() == FILES.keys()
        assert forge.is_ancestor(ref, sha, sha)
        assert not forge.is_ancestor(ref, "ab" * 20, sha)
        forge.protect_branch(ref, "main", RULES)
        forge.protect_branch(ref, "main", RULES)
        assert forge.branch_rules(ref, "main") is not None
        for branch in ("main", "later"):
            forge.protect_branch(ref, branch, RULES)
            forge.require_builds(ref, branch, ["Unit tests"])
            forge.require_builds(ref, branch, ["Security"])
            forge.remove_required_builds(ref, branch, ["Unit tests"])
            assert forge.required_builds(ref, branch) == {"Security": True}
            forge.remove_required_builds(ref, branch, ["Security"])
        hook = forge.create_hook(ref, Hook(url="http://127.0.0.1:9/x", events=("issues",)), "s")
        forge.create_hook(ref, Hook(url=hook.url, events=("push",)), "s")
        assert forge.failed_deliveries(ref, datetime.now(UTC) + timedelta(hours=1)) == ()
        number = forge._client.request("POST", "/repos/acme/new/issues", {"title": "t"})[1]["number"]
        said = forge.comment(ref, number, "Hello")
        forge.edit_comment(ref, said.id, "Bye")
        assert forge.issue(ref, number).title == "t"
        assert forge.open_issues(ref, "request") == ()
        assert not forge.is_team_member("acme", "leads", "ada")
        assert forge.has_team("acme", "leads")
        assert not forge.has_team("acme", "nothing")
        assert forge.permissions()
        forge.delete_hook(ref, hook.id)
        forge.delete_repository(ref)
        assert httpx.get(f"{url}/_violations").json() == []


def test_azure_devops():
    contract = _contract("azure_devops")
    state = State()
    user = {"name": "D", "mail": "d@acme.example", "token": "t", "permissions": ["collection_administrator"]}
    apply_seed(state, {"azure_devops": {"organizations": [{"name": "acme", "users": [user]}]}})
    ref = RepositoryRef(owner="Shop", name="extra")
    with served(
        lambda url: build_azure_devops(
            state, base_url=url, contract=contract, min_project_seconds=0.0, max_project_seconds=0.01
        )
    ) as (url, _):
        forge = AzureDevOpsForge(f"{url}/acme", AzureDevOpsToken(token=SecretStr("t")), clock=UtcClock())
        operation = forge.create_project("Shop", description="d", process="scrum", private=True)
        while operation.state is OperationState.RUNNING:
            operation = forge.operation(operation.id)
        forge.create_repository(ref, description="", private=True)
        sha = forge.commit_files(ref, "main", FILES, message="Begin")
        assert forge.file_digests(ref, sha).keys() == FILES.keys()
        assert forge.is_ancestor(ref, sha, sha)
        assert not forge.is_ancestor(ref, "ab" * 20, sha)
        forge.protect_branch(ref, "main", RULES)
        forge.protect_branch(ref, "main", BranchRules(require_build=False))
        assert forge.branch_rules(ref, "main") == BranchRules(require_build=False)
        hook = forge.create_hook(ref, Hook(url="http://127.0.0.1:9/x", events=("git.push",)), "s")
        forge.create_hook(ref, hook, "s")
        parent = forge.create_work_item("Shop", BacklogItem(key="a", type="Epic", title="t"), parent_id=None)
        forge.create_work_item("Shop", BacklogItem(key="b", type="Feature", title="t"), parent_id=parent.id)
        wanted = PipelineDefinition(name="CI", repository=ref, yaml_path="azure-pipelines.yml")
        assert forge.create_pipeline("Shop", wanted) == forge.pipeline("Shop", "CI")
        build = forge.pipeline("Shop", "CI").id
        forge.require_builds(ref, "main", [build])
        assert forge.required_builds(ref, "main") == {build: True}
        forge.remove_required_builds(ref, "main", [build])
        forge.delete_hook(ref, hook.id)
        forge.delete_repository(ref)
        forge.delete_project(forge.project("Shop").id)
        assert httpx.get(f"{url}/_violations").json() == []
