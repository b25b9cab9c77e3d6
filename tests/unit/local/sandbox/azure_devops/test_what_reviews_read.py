"""What a review reads of a pull request: votes, positions, forks, renamed files, builds of policies, permissions of others."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import ORGANIZATION, ZERO, Raw, Simulator, wait_until
from tests.unit.local.sandbox.azure_devops.test_pull_requests import BUILD, MINIMUM, STATUS, Flow, vote

pytestmark = pytest.mark.stack
NUMBERS = count(1)
GIT = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"


@pytest.fixture
def flow(clients: Any) -> Flow:
    return Flow(clients, f"reviewed {next(NUMBERS)}")


@pytest.fixture(scope="module")
def who(connect: Any) -> Callable[[str], str]:
    def identifier(name: str) -> str:
        return str(connect(name).clients_v7_1.get_location_client().get_connection_data().authenticated_user.id)

    return identifier


def edit(flow: Flow, path: str, content: str, branch: str = "topic", **more: Any) -> str:
    """One more commit on a branch."""
    old = flow.git.get_refs(flow.repository.id, filter=f"heads/{branch}")[0].object_id
    body = {
        "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": old}],
        "commits": [
            {
                "comment": more.get("comment", "work"),
                "changes": [
                    {
                        "changeType": more.get("kind", "add"),
                        "item": {"path": path},
                        "sourceServerItem": more.get("source"),
                        "newContent": {"content": content, "contentType": "rawtext"},
                    }
                ],
            }
        ],
    }
    return str(flow.git.create_push(body, flow.repository.id).ref_updates[0].new_object_id)


def test_a_vote_is_a_thread_that_names_the_voter(flow: Flow, connect: Any, who: Any) -> None:
    flow.open()
    vote(connect, who, flow, "dev", 5)
    (thread,) = flow.git.get_threads(flow.repository.id, flow.number)
    values = {name: value["$value"] for name, value in thread.properties.items()}
    assert (values["CodeReviewThreadType"], values["CodeReviewVoteResult"]) == ("VoteUpdate", "5")
    assert thread.identities[values["CodeReviewVotedByIdentity"]].id == who("dev")
    assert (thread.comments[0].comment_type, thread.status) == ("system", None)


def test_a_push_that_takes_votes_back_says_so_where_there_were_some(flow: Flow, connect: Any, who: Any) -> None:
    flow.policy(MINIMUM, minimumApproverCount=1, resetOnSourcePush=True)
    flow.open()
    edit(flow, "/c", "1")
    assert flow.git.get_threads(flow.repository.id, flow.number) == []
    vote(connect, who, flow, "dev", 10)
    edit(flow, "/d", "1")
    kinds = [
        thread.properties["CodeReviewThreadType"]["$value"]
        for thread in flow.git.get_threads(flow.repository.id, flow.number)
    ]
    assert kinds == ["VoteUpdate", "ResetMultipleVotes"]
    assert [one.vote for one in flow.get().reviewers] == [0]


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"filePath": "b"}, "must start with a slash"),
        ({"filePath": "/b", "rightFileStart": {"line": 1, "offset": 1}}, "needs a start and an end"),
        (
            {"filePath": "/b", "rightFileStart": {"line": 0, "offset": 1}, "rightFileEnd": {"line": 1, "offset": 1}},
            "count from 1",
        ),
        (
            {"filePath": "/b", "rightFileStart": {"line": 2, "offset": 1}, "rightFileEnd": {"line": 1, "offset": 1}},
            "in order",
        ),
    ],
)
def test_a_thread_that_stands_nowhere_is_refused(flow: Flow, raw: Raw, context: dict[str, Any], words: str) -> None:
    flow.open()
    path = f"/Shop/_apis/git/repositories/{flow.repository.id}/pullRequests/{flow.number}/threads"
    raw.no(400, words, "POST", path, {"comments": [{"content": "x"}], "threadContext": context})
    assert raw.ok("GET", path)["value"] == []


def test_a_thread_follows_only_a_file_of_its_push(flow: Flow, raw: Raw) -> None:
    flow.open()
    path = f"/Shop/_apis/git/repositories/{flow.repository.id}/pullRequests/{flow.number}/threads"
    end = {"line": 1, "offset": 2}
    context = {"filePath": "/b", "rightFileStart": {"line": 1, "offset": 1}, "rightFileEnd": end}

    def body(tracked: int, iteration: int) -> dict[str, Any]:
        followed = {
            "changeTrackingId": tracked,
            "iterationContext": {"firstComparingIteration": iteration, "secondComparingIteration": iteration},
        }
        return {"comments": [{"content": "x"}], "threadContext": context, "pullRequestThreadContext": followed}

    raw.no(400, "change tracking id 7", "POST", path, body(7, 1))
    raw.no(400, "iteration 9", "POST", path, body(1, 9))
    assert raw.ok("POST", path, body(1, 1))["pullRequestThreadContext"]["changeTrackingId"] == 1


def test_a_renamed_file_with_an_edit_is_one_change_and_unlike_files_are_two(flow: Flow) -> None:
    text = "".join(f"{n}\n" for n in range(20))
    edit(flow, "/long", text, branch="topic")
    base = edit(flow, "/long", text, branch="main")
    edit(flow, "/twin", "1\n", branch="main")
    flow.git.update_refs([{"name": "refs/heads/later", "oldObjectId": ZERO, "newObjectId": base}], flow.repository.id)
    edit(flow, "/short", text + "20\n", branch="later", kind="edit, rename", source="/long")
    body = {"sourceRefName": "refs/heads/later", "targetRefName": "refs/heads/main", "title": "l"}
    number = flow.git.create_pull_request(body, flow.repository.id).pull_request_id
    answer = flow.git._send(
        http_method="GET",
        location_id="4216bdcf-b6b1-4d59-8b82-c34cc183fc8b",
        version="7.1-preview.1",
        route_values={
            "project": "Shop",
            "repositoryId": flow.repository.id,
            "pullRequestId": str(number),
            "iterationId": "1",
        },
    ).json()
    (change,) = answer["changeEntries"]
    assert (change["changeType"], change["item"]["path"], change["sourceServerItem"]) == (
        "edit, rename", "/short", "/long",
    )  # fmt: skip
    assert change["item"]["originalObjectId"] != change["item"]["objectId"]


def test_commits_come_in_pages_with_long_messages_cut(flow: Flow, raw: Raw) -> None:
    long = "why " * 100
    edit(flow, "/c", "1", comment=long)
    for number in range(3):
        edit(flow, f"/d{number}", "1")
    flow.open()
    path = f"/Shop/_apis/git/repositories/{flow.repository.id}/pullRequests/{flow.number}"
    first = raw("GET", f"{path}/commits", **{"$top": 3})
    token = first.headers["x-ms-continuationtoken"]
    rest = raw("GET", f"{path}/commits", **{"$top": 3, "continuationToken": token})
    assert [len(one.json()["value"]) for one in (first, rest)] == [3, 2]
    assert "x-ms-continuationtoken" not in rest.headers
    cut = rest.json()["value"][0]
    assert (len(cut["comment"]), cut["commentTruncated"]) == (255, True)
    assert flow.git.get_commit(cut["commitId"], flow.repository.id).comment == long


def test_a_fork_offers_its_branch_and_its_pushes_are_followed(flow: Flow, clients: Any, raw: Raw) -> None:
    parent = {"id": flow.repository.id}
    fork = raw.ok(
        "POST", "/Shop/_apis/git/repositories", {"name": f"{flow.repository.name}2", "parentRepository": parent}
    )
    forked = Flow.__new__(Flow)
    forked.git, forked.repository = flow.git, flow.git.get_repository(fork["id"])
    tip = edit(forked, "/theirs", "1", branch="main")
    pull = flow.open(sourceRefName="refs/heads/main", forkSource={"repository": {"id": fork["id"]}})
    assert (pull.fork_source.repository.id, pull.last_merge_source_commit.commit_id) == (fork["id"], tip)
    newer = edit(forked, "/theirs2", "1", branch="main")
    assert flow.get().last_merge_source_commit.commit_id == newer
    assert len(flow.git.get_pull_request_iterations(flow.repository.id, flow.number)) == 2
    flow.tip = newer
    done = flow.complete(deleteSourceBranch=True)
    assert done.status == "completed"
    # A branch of a fork is its owner's.
    assert flow.git.get_refs(fork["id"], filter="heads/main")[0].object_id == newer


def test_the_evaluation_of_a_build_policy_names_its_build(
    flow: Flow, clients: Any, raw: Raw, simulator: Simulator
) -> None:
    edit(flow, "/pipe.yml", "trigger: none\nsteps: [{script: x}]\n", branch="main")
    tip = edit(flow, "/pipe.yml", "trigger: none\nsteps: [{script: x}]\n")
    build = clients.get_build_client()
    definition = build.create_definition(
        {
            "name": flow.repository.name,
            "path": "\\",
            "type": "build",
            "process": {"type": 2, "yamlFilename": "pipe.yml"},
            "repository": {"id": flow.repository.id, "type": "TfsGit", "defaultBranch": "refs/heads/main"},
        },
        "Shop",
    )
    flow.policy(BUILD, buildDefinitionId=definition.id)
    pull = flow.open()
    artifact = f"vstfs:///CodeReview/CodeReviewId/{pull.repository.project.id}/{flow.number}"

    def context() -> Any:
        (one,) = flow.policies.get_policy_evaluations("Shop", artifact)
        return one.context

    found = context()
    assert (found["buildDefinitionName"], found["lastMergeSourceCommitId"]) == (flow.repository.name, tip)
    assert not found["isExpired"]
    assert build.get_build("Shop", found["buildId"]).reason == "pullRequest"
    wait_until(lambda: flow.policies.get_policy_evaluations("Shop", artifact)[0].status == "approved")
    newer = edit(flow, "/more", "1")
    assert context()["lastMergeSourceCommitId"] == newer


def test_a_status_of_somebody_else_does_not_fulfil_a_policy_with_an_author(flow: Flow, connect: Any, who: Any) -> None:
    flow.policy(
        STATUS, statusName="review", statusGenre="doneright", authorId=who("lead"), invalidateOnSourceUpdate=True
    )
    pull = flow.open()
    artifact = f"vstfs:///CodeReview/CodeReviewId/{pull.repository.project.id}/{flow.number}"
    body = {"state": "succeeded", "context": {"name": "review", "genre": "doneright"}, "iterationId": 1}
    stands = []
    for name in ("dev", "lead"):
        git = connect(name).clients_v7_1.get_git_client()
        git.create_pull_request_status(body, flow.repository.id, flow.number)
        stands.append(flow.policies.get_policy_evaluations("Shop", artifact)[0].status)
    assert stands == ["queued", "approved"]


def test_what_others_may_do_is_worked_out(flow: Flow, clients: Any, raw: Raw) -> None:
    token = f"repoV2/{flow.repository.project.id}/{flow.repository.id}"
    identity = clients.get_identity_client()

    def effective(mail: str) -> int:
        (one,) = identity.read_identities(search_filter="General", filter_value=mail)
        query = {"token": token, "descriptors": one.descriptor, "includeExtendedInfo": "true"}
        (found,) = raw.ok("GET", f"/_apis/AccessControlLists/{GIT}", **query)["value"]
        return int(found["acesDictionary"][one.descriptor]["extendedInfo"]["effectiveAllow"])

    assert [effective(f"{name}@{ORGANIZATION}.example") & 7 for name in ("lea", "dana", "rea")] == [7, 6, 2]
    (dana,) = identity.read_identities(search_filter="General", filter_value=f"dana@{ORGANIZATION}.example")
    entry = {"descriptor": dana.descriptor, "allow": 0, "deny": 4}
    body = {"token": token, "merge": True, "accessControlEntries": [entry]}
    raw.ok("POST", f"/_apis/AccessControlEntries/{GIT}", body)
    assert effective(f"dana@{ORGANIZATION}.example") & 7 == 2
