"""Pull requests carry reviews, labels and policies, complete by themselves when told to, and refuse what cannot merge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import ZERO, change, fields, push, refused, wait_until

pytestmark = pytest.mark.stack
MINIMUM, REQUIRED, COMMENTS = (
    "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd",
    "fd2167ab-b0be-447a-8ec8-39368250530e",
    "c6a1889d-b943-4856-b76f-9e46bb6b0df2",
)
LINKED, BUILD, STATUS, STRATEGY = (
    "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e",
    "0609b952-1397-4640-95ec-e00a01b2c241",
    "cbdc66da-9728-4af8-aada-9a5a32e4a226",
    "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab",
)


class Flow:
    """A repository with a pull request from topic into main."""

    def __init__(self, clients: Any, name: str, *files: dict[str, Any], **more: Any) -> None:
        self.git = clients.get_git_client()
        self.policies = clients.get_policy_client()
        self.repository = self.git.create_repository({"name": name}, "Shop")
        self.base = push(self.git, self.repository, "main", ZERO, change("add", "/a", "1\n"), *files)
        self.git.update_refs(
            [{"name": "refs/heads/topic", "oldObjectId": ZERO, "newObjectId": self.base}], self.repository.id
        )
        self.tip = push(self.git, self.repository, "topic", self.base, change("add", "/b", "2"))
        self.more = more

    def open(self, **more: Any) -> Any:
        body = (
            {"sourceRefName": "refs/heads/topic", "targetRefName": "refs/heads/main", "title": "b"} | self.more | more
        )
        self.pull = self.git.create_pull_request(body, self.repository.id)
        self.number = self.pull.pull_request_id
        return self.pull

    def get(self) -> Any:
        return self.git.get_pull_request(self.repository.id, self.number)

    def update(self, **body: Any) -> Any:
        return self.git.update_pull_request(body, self.repository.id, self.number)

    def complete(self, **options: Any) -> Any:
        return self.update(
            status="completed", lastMergeSourceCommit={"commitId": self.tip}, completionOptions=options or None
        )

    def policy(self, kind: str, **settings: Any) -> Any:
        scope = [{"repositoryId": self.repository.id, "refName": "refs/heads/main", "matchKind": "Exact"}]
        body = {"isEnabled": True, "isBlocking": True, "type": {"id": kind}, "settings": {"scope": scope, **settings}}
        return self.policies.create_policy_configuration(body, "Shop")


@pytest.fixture
def flow(clients: Any, request: pytest.FixtureRequest) -> Flow:
    return Flow(clients, request.node.name.removeprefix("test_")[:60])


@pytest.fixture(scope="module")
def who(connect: Any) -> Callable[[str], str]:
    def identifier(name: str) -> str:
        return str(connect(name).clients_v7_1.get_location_client().get_connection_data().authenticated_user.id)

    return identifier


def vote(connect: Any, who: Any, flow: Flow, name: str, value: int) -> Any:
    git = connect(name).clients_v7_1.get_git_client()
    return git.create_pull_request_reviewer({"vote": value}, flow.repository.id, flow.number, who(name))


def test_labels_properties_and_links(flow: Flow, clients: Any) -> None:
    tracker = clients.get_work_item_tracking_client()
    item = tracker.create_work_item(fields(System_Title="w"), "Shop", "Task")
    flow.open(labels=[{"name": "first"}], workItemRefs=[{"id": str(item.id)}, {"id": "99999"}])
    git, repository, number = flow.git, flow.repository.id, flow.number
    made = git.create_pull_request_label({"name": "Ready"}, repository, number)
    assert git.create_pull_request_label({"name": "ready"}, repository, number).id == made.id
    assert [x.name for x in git.get_pull_request_labels(repository, number)] == ["first", "Ready"]
    assert git.get_pull_request_label(repository, number, "READY").id == made.id
    git.delete_pull_request_labels(repository, number, "first")
    refused(lambda: git.get_pull_request_label(repository, number, "first"), "does not exist")
    refused(lambda: git.create_pull_request_label({}, repository, number), "name")
    assert [x.name for x in flow.get().labels] == ["Ready"]
    assert [r.id for r in git.get_pull_request_work_item_refs(repository, number)] == [str(item.id)]
    relations = tracker.get_work_item(item.id, expand="Relations").relations
    assert [(r.rel, r.attributes["name"]) for r in relations] == [("ArtifactLink", "Pull Request")]
    patch = [{"op": "add", "path": "/doneright.gate", "value": "met"}]
    git.update_pull_request_properties(patch, repository, number)
    held = git.get_pull_request_properties(repository, number)
    assert (
        held["value"]["doneright.gate"]["$value"] == "met"
        if "value" in held
        else held["doneright.gate"]["$value"] == "met"
    )
    git.update_pull_request_properties([{"op": "remove", "path": "/doneright.gate"}], repository, number)
    shown = git.get_pull_request(repository, number, include_commits=True, include_work_item_refs=True)
    assert ([c.commit_id for c in shown.commits], shown.work_item_refs[0].id) == ([flow.tip], str(item.id))
    assert [c.commit_id for c in git.get_pull_request_commits(repository, number)] == [flow.tip]


def test_searches(flow: Flow, clients: Any, who: Any) -> None:
    from azure.devops.v7_1.git.models import GitPullRequestSearchCriteria as Criteria

    git = flow.git
    flow.open(reviewers=[{"id": who("lead"), "isRequired": True}], isDraft=True)
    draft = flow.number

    def found(**criteria: Any) -> list[int]:
        return [p.pull_request_id for p in git.get_pull_requests(flow.repository.id, Criteria(**criteria))]

    assert found() == found(status="all") == found(target_ref_name="refs/heads/main") == [draft]
    assert found(reviewer_id=who("lead")) == found(creator_id=who("admin")) == [draft]
    assert found(reviewer_id=who("dev")) == found(status="completed") == found(source_ref_name="refs/heads/x") == []
    everywhere = git.get_pull_requests_by_project("Shop", Criteria(repository_id=flow.repository.id))
    assert [p.pull_request_id for p in everywhere] == [draft]
    assert draft in [p.pull_request_id for p in git.get_pull_requests_by_project("Shop", Criteria())]
    assert git.get_pull_request_by_id(draft).is_draft
    refused(lambda: git.get_pull_request_by_id(99_999), "TF401180")
    refused(lambda: git.get_pull_request(flow.repository.id, 99_999), "TF401180")
    refused(flow.complete, "a draft")
    flow.update(isDraft=False, title="new", description="words")
    assert (flow.get().title, flow.get().description) == ("new", "words")


def test_reviewers_vote_for_themselves(flow: Flow, connect: Any, who: Any) -> None:
    flow.open()
    git, repository, number = flow.git, flow.repository.id, flow.number
    team = next(t for t in connect().clients_v7_1.get_core_client().get_teams("Shop"))
    added = git.create_pull_request_reviewers([{"id": team.id}, {"id": who("dev")}], repository, number)
    assert [(r.is_container, r.display_name) for r in added] == [(True, "[Shop]\\Shop Team"), (None, "Dev Dana")]
    assert vote(connect, who, flow, "dev", -5).vote == -5
    refused(lambda: vote(connect, who, flow, "dev", 7), "not valid for vote")
    refused(lambda: git.create_pull_request_reviewers([{"id": "nobody"}], repository, number), "TF401186")
    assert [r.vote for r in git.get_pull_request_reviewers(repository, number)] == [0, -5]
    git.delete_pull_request_reviewer(repository, number, team.id)
    refused(lambda: git.get_pull_request_reviewer(repository, number, team.id), "not a reviewer")
    assert git.get_pull_request_reviewer(repository, number, who("dev")).vote == -5


def test_threads_and_comments(flow: Flow, connect: Any) -> None:
    flow.open()
    git, repository, number = flow.git, flow.repository.id, flow.number
    context = {"filePath": "/b", "rightFileStart": {"line": 1, "offset": 1}, "rightFileEnd": {"line": 1, "offset": 2}}
    thread = git.create_thread(
        {"comments": [{"content": "why?"}], "status": 1, "threadContext": context}, repository, number
    )
    assert (thread.status, thread.thread_context.file_path) == ("active", "/b")
    reply = git.create_comment({"content": "so", "parentCommentId": 1}, repository, number, thread.id)
    assert git.get_comment(repository, number, thread.id, reply.id).parent_comment_id == 1
    assert git.update_comment({"content": "thus"}, repository, number, thread.id, reply.id).content == "thus"
    dev = connect("dev").clients_v7_1.get_git_client()
    refused(lambda: dev.update_comment({"content": "mine"}, repository, number, thread.id, reply.id), "not authorized")
    git.delete_comment(repository, number, thread.id, reply.id)
    comments = git.get_pull_request_thread(repository, number, thread.id).comments
    assert [bool(c.is_deleted) for c in comments] == [False, True]
    assert git.update_thread({"status": "fixed"}, repository, number, thread.id).status == "fixed"
    refused(lambda: git.update_thread({"status": "odd"}, repository, number, thread.id), "not valid for status")
    refused(lambda: git.create_thread({"comments": []}, repository, number), "comments")
    refused(lambda: git.create_comment({"content": " "}, repository, number, thread.id), "content")
    refused(lambda: git.get_pull_request_thread(repository, number, 99_999), "TF401191")
    refused(lambda: git.get_comment(repository, number, thread.id, 99), "TF401191")
    assert [t.id for t in git.get_threads(repository, number)] == [thread.id]


def test_iterations_follow_the_source(flow: Flow) -> None:
    flow.open()
    git, repository, number = flow.git, flow.repository.id, flow.number
    second = push(git, flow.repository, "topic", flow.tip, change("add", "/c", "3"), change("edit", "/a", "one\n"))
    assert [i.id for i in git.get_pull_request_iterations(repository, number)] == [1, 2]
    assert git.get_pull_request_iteration(repository, number, 2).source_ref_commit.commit_id == second
    refused(lambda: git.get_pull_request_iteration(repository, number, 3), "TF401190")
    whole = git.get_pull_request_iteration_changes(repository, number, 2, top=2)
    assert (len(whole.change_entries), whole.next_skip, whole.next_top) == (2, 2, 1)
    rest = git.get_pull_request_iteration_changes(repository, number, 2, top=2, skip=2)
    assert (len(rest.change_entries), rest.next_skip) == (1, 0)
    since = git.get_pull_request_iteration_changes(repository, number, 2, compare_to=1)
    assert [c.additional_properties["item"]["path"] for c in since.change_entries] == ["/a", "/c"]
    assert [c.commit_id for c in git.get_pull_request_iteration_commits(repository, number, 2)] == [second, flow.tip]


def test_conflicts_keep_it_open_until_they_are_gone(flow: Flow) -> None:
    git, repository = flow.git, flow.repository
    flow.tip = push(git, repository, "topic", flow.tip, change("edit", "/a", "topic\n"))
    flow.open(completionOptions={"squashMerge": True})
    assert flow.get().merge_status == "succeeded"
    main = push(git, repository, "main", flow.base, change("edit", "/a", "main\n"))
    assert flow.get().merge_status == "conflicts"
    refused(flow.complete, "merge conflicts: /a")
    flow.update(autoCompleteSetBy={"id": "someone"})
    assert flow.get().status == "active"
    main = push(git, repository, "main", main, change("edit", "/a", "1\n"))
    # Auto-complete looks again when something happens to the pull request.
    flow.update(description="now")
    done = flow.get()
    assert (done.status, done.merge_status) == ("completed", "succeeded")
    merged = git.get_commit(done.last_merge_commit.commit_id, repository.id)
    assert merged.parents == [main]
    assert b"".join(git.get_item_content(repository.id, "/a")) == b"topic\n"
    refused(lambda: flow.update(isDraft=True), "cannot be edited")
    assert flow.update(title="still").title == "still"


def test_stale_abandoned_reopened_and_retargeted(flow: Flow) -> None:
    git, repository = flow.git, flow.repository
    flow.open()
    refused(lambda: flow.update(status="completed"), "lastMergeSourceCommit")
    stale, flow.tip = flow.tip, push(git, repository, "topic", flow.tip, change("add", "/c", "3"))
    refused(lambda: flow.update(status="completed", lastMergeSourceCommit={"commitId": stale}), "TF401192")
    refused(lambda: flow.update(targetRefName="refs/heads/none"), "TF401398")
    git.update_refs([{"name": "refs/heads/next", "oldObjectId": ZERO, "newObjectId": flow.base}], repository.id)
    assert flow.update(targetRefName="refs/heads/next").target_ref_name == "refs/heads/next"
    assert flow.update(status="abandoned").closed_by.display_name == "Ada Admin"
    refused(flow.complete, "abandoned")
    assert flow.update(status="active").status == "active"
    done = flow.complete(deleteSourceBranch=True, mergeCommitMessage="by hand")
    assert git.get_commit(done.last_merge_commit.commit_id, repository.id).comment == "by hand"
    assert "refs/heads/topic" not in [r.name for r in git.get_refs(repository.id)]
    for wrong in ({"sourceRefName": "refs/heads/none"}, {"targetRefName": "refs/heads/none"}):
        refused(lambda wrong=wrong: flow.open(**{"sourceRefName": "refs/heads/next", **wrong}), "TF401398")
    refused(lambda: flow.open(sourceRefName="refs/heads/main"), "must differ")
    refused(lambda: flow.open(sourceRefName="refs/heads/next", title=""), "title")
    wrong_strategy = {"sourceRefName": "refs/heads/next", "completionOptions": {"mergeStrategy": "octopus"}}
    refused(lambda: flow.open(**wrong_strategy), "octopus")


def test_each_policy_is_told_in_its_evaluation(flow: Flow, clients: Any, connect: Any, who: Any) -> None:
    tracker = clients.get_work_item_tracking_client()
    names = {
        flow.policy(MINIMUM, minimumApproverCount=1, resetOnSourcePush=True).id: "minimum",
        flow.policy(REQUIRED, requiredReviewerIds=[who("lead")]).id: "required",
        flow.policy(COMMENTS).id: "comments",
        flow.policy(LINKED).id: "linked",
        flow.policy(STATUS, statusName="gate", statusGenre="doneright", invalidateOnSourceUpdate=True).id: "status",
    }
    flow.open()
    git, repository, number = flow.git, flow.repository.id, flow.number

    def states() -> dict[str, str]:
        artifact = f"vstfs:///CodeReview/CodeReviewId/{flow.repository.project.id}/{number}"
        return {names[e.configuration.id]: e.status for e in flow.policies.get_policy_evaluations("Shop", artifact)}

    assert states() == {
        "minimum": "running",
        "required": "running",
        "comments": "approved",
        "linked": "queued",
        "status": "queued",
    }
    assert [r.is_required for r in flow.get().reviewers] == [True]
    vote(connect, who, flow, "lead", -10)
    assert (states()["minimum"], states()["required"]) == ("rejected", "rejected")
    vote(connect, who, flow, "lead", 10)
    assert (states()["minimum"], states()["required"]) == ("approved", "approved")
    thread = git.create_thread({"comments": [{"content": "?"}], "status": "active"}, repository, number)
    for state, told in (("failed", "rejected"), ("pending", "queued"), ("notApplicable", "approved")):
        status = {"state": state, "context": {"name": "gate", "genre": "doneright"}, "iterationId": 1}
        assert git.create_pull_request_status(status, repository, number).state == state
        assert states()["status"] == told
    assert len(git.get_pull_request_statuses(repository, number)) == 3
    assert git.get_pull_request_status(repository, number, 2).state == "pending"
    refused(lambda: git.get_pull_request_status(repository, number, 9), "TF401193")
    assert states()["comments"] == "queued"
    refused(flow.complete, "TF402467")
    flow.tip = push(git, flow.repository, "topic", flow.tip, change("add", "/c", "3"))
    # A push takes the votes back and makes the status one of the past.
    assert (states()["minimum"], states()["status"]) == ("running", "queued")
    item = tracker.create_work_item(fields(System_Title="w"), "Shop", "Task")
    flow.update(status="abandoned")
    flow.open(workItemRefs=[{"id": str(item.id)}], completionOptions={"transitionWorkItems": True})
    number = flow.number
    vote(connect, who, flow, "lead", 5)
    git.create_pull_request_status(
        {"state": "succeeded", "context": {"name": "gate", "genre": "doneright"}}, repository, number
    )
    assert set(states().values()) == {"approved"}
    flow.complete()
    assert tracker.get_work_item(item.id).fields["System.State"] == "Closed"
    git.update_thread({"status": "closed"}, repository, number - 1, thread.id)


def test_a_merge_strategy_not_allowed_holds_auto_complete_and_refuses_by_hand(
    flow: Flow, connect: Any, who: Any
) -> None:
    flow.policy(STRATEGY, allowSquash=True)
    flow.open()
    flow.update(autoCompleteSetBy={"id": who("admin")})
    assert flow.get().status == "active"
    # Someone's vote must not fail because the completion it leads to is not allowed.
    assert vote(connect, who, flow, "dev", 10).vote == 10
    refused(flow.complete, "Require a merge strategy")
    refused(lambda: flow.update(completionOptions={"mergeStrategy": "octopus"}), "octopus")
    flow.update(completionOptions={"mergeStrategy": "squash"})
    assert flow.get().status == "completed"


def test_who_may_bypass_policies(flow: Flow, connect: Any) -> None:
    flow.policy(STRATEGY, useSquashMerge=True)
    flow.policy(MINIMUM, minimumApproverCount=2, creatorVoteCounts=True)
    flow.open()
    dev = connect("dev").clients_v7_1.get_git_client()
    body = {
        "status": "completed",
        "lastMergeSourceCommit": {"commitId": flow.tip},
        "completionOptions": {"bypassPolicy": True},
    }
    refused(lambda: dev.update_pull_request(body, flow.repository.id, flow.number), "TF402467")
    assert flow.complete(bypassPolicy=True, bypassReason="fire").status == "completed"


YAML = "trigger: none\nsteps: [{script: ls}]\n"


@pytest.mark.parametrize("fate", ["succeeded", "failed"])
def test_a_build_policy_queues_a_build_and_completes_with_it(clients: Any, raw: Any, fate: str, simulator: Any) -> None:
    flow = Flow(clients, f"built-{fate}", change("add", "/ci.yml", YAML))
    build = clients.get_build_client()
    definition = build.create_definition(
        {
            "name": f"built-{fate}",
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": flow.repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    refused(lambda: flow.policy(BUILD, buildDefinitionId=99_999), "could not be found")
    policy = flow.policy(BUILD, buildDefinitionId=definition.id, displayName="ci")
    flow.open()
    runs = build.get_builds("Shop", definitions=[definition.id])
    assert [(r.reason, r.source_branch) for r in runs] == [("pullRequest", f"refs/pull/{flow.number}/merge")]
    artifact = f"vstfs:///CodeReview/CodeReviewId/{flow.repository.project.id}/{flow.number}"

    def evaluation() -> Any:
        return flow.policies.get_policy_evaluations("Shop", artifact)[0]

    assert (evaluation().status, evaluation().configuration.id) == ("running", policy.id)
    flow.update(autoCompleteSetBy={"id": flow.pull.created_by.id})
    assert flow.get().status == "active"
    raw.client.post(f"{simulator.url}/_builds/{runs[0].id}", json={"result": fate})
    wait_until(lambda: build.get_build("Shop", runs[0].id).status == "completed")
    if fate == "succeeded":
        wait_until(lambda: flow.get().status == "completed")
        return
    assert evaluation().status == "rejected"
    assert flow.policies.get_policy_evaluation("Shop", evaluation().evaluation_id).status == "rejected"
    again = flow.policies.requeue_policy_evaluation("Shop", evaluation().evaluation_id)
    assert again.status == "running"
    assert len(build.get_builds("Shop", definitions=[definition.id])) == 2
    refused(lambda: flow.policies.requeue_policy_evaluation("Shop", "none"), "TF402497")
    wait_until(lambda: flow.get().status == "completed")


def test_policies_are_configured_revised_and_found(flow: Flow, clients: Any, raw: Any, connect: Any, who: Any) -> None:
    policies = flow.policies
    made = flow.policy(MINIMUM, minimumApproverCount=1)
    body = made.serialize()
    body["settings"]["minimumApproverCount"] = 2
    assert policies.update_policy_configuration(body, "Shop", made.id).revision == 2
    assert [
        r.settings["minimumApproverCount"] for r in policies.get_policy_configuration_revisions("Shop", made.id)
    ] == [1, 2]
    assert policies.get_policy_configuration_revision("Shop", made.id, 1).settings["minimumApproverCount"] == 1
    refused(lambda: policies.get_policy_configuration_revision("Shop", made.id, 9), "revision 9")
    refused(
        lambda: policies.update_policy_configuration({**body, "type": {"id": COMMENTS}}, "Shop", made.id),
        "cannot be changed",
    )
    wide = policies.create_policy_configuration(
        {
            "isEnabled": False,
            "isBlocking": False,
            "type": {"id": COMMENTS},
            "settings": {
                "scope": [{"repositoryId": flow.repository.id, "refName": "refs/heads/rel", "matchKind": "Prefix"}]
            },
        },
        "Shop",
    )
    usual = policies.create_policy_configuration(
        {
            "isEnabled": True,
            "isBlocking": True,
            "type": {"id": LINKED},
            "settings": {"scope": [{"repositoryId": flow.repository.id, "matchKind": "DefaultBranch"}]},
        },
        "Shop",
    )

    def on(ref: str) -> list[int]:
        found = flow.git.get_policy_configurations("Shop", repository_id=flow.repository.id, ref_name=ref)
        return [p.id for p in getattr(found, "policy_configurations", found)]

    assert on("refs/heads/main") == [made.id, usual.id]
    assert on("refs/heads/rel/1") == [wide.id]
    assert on("refs/heads/release") == []
    scope = f"{flow.repository.id.replace('-', '')}:refs/heads/main"
    assert [p.id for p in policies.get_policy_configurations("Shop", scope=scope)] == [made.id]
    assert made.id in [p.id for p in policies.get_policy_configurations("Shop", policy_type=MINIMUM)]
    refused(lambda: flow.policy(MINIMUM, minimumApproverCount=0), "at least 1")
    refused(lambda: flow.policy(STATUS), "status name")
    refused(lambda: flow.policy("00000000-0000-0000-0000-00000000dead"), "does not exist")
    kinds = {"type": {"id": COMMENTS}}
    raw.no(400, "configuration.type", "POST", "/Shop/_apis/policy/configurations", {})
    raw.no(400, "settings", "POST", "/Shop/_apis/policy/configurations", kinds)
    raw.no(400, "at least one scope", "POST", "/Shop/_apis/policy/configurations", {**kinds, "settings": {}})
    elsewhere = {**kinds, "settings": {"scope": [{"repositoryId": "none"}]}}
    raw.no(404, "TF401019", "POST", "/Shop/_apis/policy/configurations", elsewhere)
    raw.no(400, "artifact id", "GET", "/Shop/_apis/policy/evaluations", artifactId="x")
    dev = connect("dev").clients_v7_1.get_policy_client()
    refused(lambda: dev.delete_policy_configuration("Shop", made.id), "not authorized")
    policies.delete_policy_configuration("Shop", made.id)
    refused(lambda: policies.get_policy_configuration("Shop", made.id), "TF402496")
    assert len(policies.get_policy_types("Shop")) >= 13
    assert policies.get_policy_type("Shop", BUILD).display_name == "Build"
    refused(lambda: policies.get_policy_type("Shop", "none"), "does not exist")
