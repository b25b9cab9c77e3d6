"""Repositories keep real objects, pushes are all or nothing, and pull requests obey policies."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import ZERO, change, push, refused, wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def git(clients: Any) -> Any:
    return clients.get_git_client()


def test_pushes_add_edit_rename_delete(git: Any) -> None:
    repository = git.create_repository({"name": "pushes"}, "Shop")
    first = push(
        git, repository, "main", ZERO, change("add", "/a.txt", "aGk=", "base64encoded"), change("add", "/d/b.txt", "b")
    )
    assert git.get_repository(repository.id).default_branch == "refs/heads/main"
    renamed = change("rename", "/c.txt") | {"sourceServerItem": "/d/b.txt"}
    second = push(git, repository, "main", first, change("edit", "/a.txt", "hello"), renamed)
    assert [i.path for i in git.get_items(repository.id, recursion_level="full")] == ["/", "/a.txt", "/c.txt"]
    assert b"".join(git.get_item_text(repository.id, "/a.txt")) == b"hello"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(git.get_item_zip(repository.id, "/"))))
    assert sorted(archive.namelist()) == ["a.txt", "c.txt"]
    # git hash-object of "hello" without a newline.
    assert git.get_item(repository.id, "/a.txt").object_id == "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"
    assert {c["changeType"] for c in git.get_changes(second, repository.id).changes} == {"edit", "rename"}
    refused(lambda: push(git, repository, "main", first, change("delete", "/a.txt")), "TF401028")
    refused(
        lambda: push(git, repository, "main", second, change("add", "/n", "n"), change("edit", "/none", "x")),
        "TF401174",
    )
    assert git.get_commit(second, repository.id).parents == [first]
    refused(lambda: git.get_item(repository.id, "/none"), "TF401174")


def test_refs_are_created_stale_updates_reported_and_branches_compared(git: Any) -> None:
    repository = git.create_repository({"name": "refs"}, "Shop")
    base = push(git, repository, "main", ZERO, change("add", "/a", "1"))
    created = git.update_refs([{"name": "refs/heads/x", "oldObjectId": ZERO, "newObjectId": base}], repository.id)
    assert created[0].success
    stale = git.update_refs([{"name": "refs/heads/x", "oldObjectId": "1" * 40, "newObjectId": base}], repository.id)
    assert (stale[0].success, stale[0].update_status) == (False, "staleOldObjectId")
    push(git, repository, "x", base, change("add", "/b", "2"))
    branch = next(b for b in git.get_branches(repository.id) if b.name == "x")
    assert (branch.ahead_count, branch.behind_count) == (1, 0)
    refused(lambda: git.create_repository({"name": "REFS"}, "Shop"), "TF400948")


def test_a_pull_request_waits_for_policies_and_then_merges(connect: Any, git: Any, clients: Any) -> None:
    repository = git.create_repository({"name": "guarded"}, "Shop")
    base = push(git, repository, "main", ZERO, change("add", "/a", "1"))
    settings = {
        "minimumApproverCount": 1,
        "scope": [{"repositoryId": repository.id, "refName": "refs/heads/main", "matchKind": "Exact"}],
    }
    kind = {"id": "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"}
    policy = clients.get_policy_client().create_policy_configuration(
        {"isEnabled": True, "isBlocking": True, "type": kind, "settings": settings}, "Shop"
    )
    refused(lambda: push(git, repository, "main", base, change("add", "/direct", "x")), "TF402455")
    git.update_refs([{"name": "refs/heads/topic", "oldObjectId": ZERO, "newObjectId": base}], repository.id)
    tip = push(git, repository, "topic", base, change("add", "/b", "2"))
    pull = git.create_pull_request(
        {"sourceRefName": "refs/heads/topic", "targetRefName": "refs/heads/main", "title": "b"}, repository.id
    )
    number = pull.pull_request_id
    refused(
        lambda: git.create_pull_request(
            {"sourceRefName": "refs/heads/topic", "targetRefName": "refs/heads/main", "title": "b"}, repository.id
        ),
        "TF401179",
    )
    changes = git.get_pull_request_iteration_changes(repository.id, number, 1)
    assert [c.additional_properties["item"]["path"] for c in changes.change_entries] == ["/b"]
    done = {"status": "completed", "lastMergeSourceCommit": {"commitId": tip}}
    refused(lambda: git.update_pull_request(done, repository.id, number), "policies are not fulfilled")
    evaluations = clients.get_policy_client().get_policy_evaluations(
        "Shop", f"vstfs:///CodeReview/CodeReviewId/{pull.repository.project.id}/{number}"
    )
    assert [(e.configuration.id, e.status) for e in evaluations] == [(policy.id, "running")]
    thread = git.create_thread(
        {"comments": [{"content": "why?", "commentType": "text"}], "status": "active"}, repository.id, number
    )
    git.create_comment({"content": "because", "parentCommentId": 1}, repository.id, number, thread.id)
    assert [c.content for c in git.get_comments(repository.id, number, thread.id)] == ["why?", "because"]
    git.create_pull_request_status(
        {"state": "succeeded", "context": {"name": "gate", "genre": "doneright"}}, repository.id, number
    )
    reviewer = connect("dev")
    me = reviewer.clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
    refused(lambda: git.create_pull_request_reviewer({"vote": 10}, repository.id, number, me), "TF401186")
    reviewer.clients_v7_1.get_git_client().create_pull_request_reviewer({"vote": 10}, repository.id, number, me)
    merged = git.update_pull_request(done, repository.id, number)
    assert merged.status == "completed"
    assert {i.path for i in git.get_items(repository.id, recursion_level="full")} == {"/", "/a", "/b"}


def test_builds_run_their_stages_fail_on_demand_and_wait_for_approval(
    simulator: Any, connect: Any, clients: Any, git: Any
) -> None:
    import httpx

    yaml = "trigger: none\nstages:\n- stage: Build\n  jobs: [{job: a, steps: [{script: ls}]}]\n- stage: Ship\n  jobs: [{deployment: d, environment: live}]\n"
    repository = git.create_repository({"name": "piped"}, "Shop")
    push(git, repository, "main", ZERO, change("add", "/ci.yml", yaml))
    build = clients.get_build_client()
    definition = build.create_definition(
        {
            "name": "piped",
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    agent = clients.get_task_agent_client()
    environment = agent.add_environment({"name": "live"}, "Shop")
    lead = connect("lead").clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
    approval = {
        "type": {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d"},
        "settings": {"approvers": [{"id": lead}]},
        "resource": {"type": "environment", "id": str(environment.id)},
    }
    # The package's model of a check has no settings, so that approvals need a raw call.
    address = f"{simulator.organization_url}/Shop/_apis/pipelines/checks/configurations?api-version=7.1-preview.1"
    assert httpx.post(address, json=approval, auth=("", "admin-token")).status_code == 200
    run = build.queue_build({"definition": {"id": definition.id}}, "Shop")
    assert run.status == "notStarted"
    base = f"{simulator.organization_url}/Shop/_apis/pipelines/approvals"
    headers = {"Accept": "application/json;api-version=7.1"}
    pending = wait_until(
        lambda: httpx.get(f"{base}?state=pending", headers=headers, auth=("", "lead-token")).json()["value"]
    )
    decision = [{"approvalId": pending[0]["id"], "status": "approved", "comment": "go"}]
    assert httpx.patch(base, json=decision, headers=headers, auth=("", "dev-token")).status_code == 403
    assert httpx.patch(base, json=decision, headers=headers, auth=("", "lead-token")).status_code == 200
    wait_until(lambda: build.get_build("Shop", run.id).status == "completed")
    assert build.get_build("Shop", run.id).result == "succeeded"
    stages = [r.name for r in build.get_build_timeline("Shop", run.id).records if r.type == "Stage"]
    assert stages == ["Build", "Ship"]
    failing = clients.get_pipelines_client().run_pipeline({}, "Shop", definition.id)
    assert (
        httpx.post(f"{simulator.url}/_builds/{failing.id}", json={"result": "failed", "stage": "Build"}).status_code
        == 200
    )
    wait_until(lambda: build.get_build("Shop", failing.id).status == "completed")
    assert build.get_build("Shop", failing.id).result == "failed"
    assert httpx.post(f"{simulator.url}/_builds/{failing.id}", json={"result": "maybe"}).status_code == 400
