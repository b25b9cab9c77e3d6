"""What becomes of reviews on Azure Repos, on the simulator: statuses, labels, merges, branches, required statuses."""

import pytest

from shared.adapters.azure_devops.reviews import outcomes
from shared.domain.change import CheckState
from shared.domain.forge import BranchRules, MergeKind, RepositoryRef
from shared.domain.publication import CheckConclusion, MergeOutcome, OwnCheck
from shared.domain.pull_request import PullRequestState
from shared.errors import ConflictError, NotSupportedError, RefusedError, TransientError
from tests.integration.adapters.azure_reviews import PIPELINE, REPOSITORY, desk


@pytest.fixture
def place():
    with desk() as made:
        yield made


@pytest.fixture
def change(place):
    place.push("feature/x", {"a.txt": b"1\n"})
    yield place.open()
    place.sandbox.faults.clear()


def check(head, conclusion=CheckConclusion.PASSED, **rest):
    return OwnCheck(head=head, conclusion=conclusion, title=rest.pop("title", "All is well"), **rest)


def statuses(place, change):
    return place.git("GET", f"pullRequests/{change.number}/statuses")["value"]


@pytest.mark.parametrize(
    ("conclusion", "state", "read", "words"),
    [
        (CheckConclusion.PENDING, "pending", CheckState.PENDING, "All is well"),
        (CheckConclusion.PASSED, "succeeded", CheckState.PASSED, "All is well"),
        (CheckConclusion.FAILED, "failed", CheckState.FAILED, "All is well"),
        (CheckConclusion.INCONCLUSIVE, "error", CheckState.FAILED, "All is well"),
        (CheckConclusion.ADVISORY, "succeeded", CheckState.PASSED, "Advice only: All is well"),
    ],
)
def test_a_check_is_a_status_of_the_push(place, change, conclusion, state, read, words):
    head = place.forge.head_of(change)[0]
    assert place.forge.set_check(change, check(head, conclusion, details_url="https://x.example/1")) == (
        "https://x.example/1"
    )
    (status,) = statuses(place, change)
    assert status["context"] == {"name": "review", "genre": "doneright"}
    assert (status["state"], status["description"], status["iterationId"]) == (state, words, 1)
    (shown,) = place.look(change).checks
    assert (shown.name, shown.state, shown.ours, shown.commit) == ("doneright/review", read, True, head)


def test_the_same_check_is_posted_once_and_another_one_replaces_it(place, change):
    head = place.forge.head_of(change)[0]
    place.sandbox.lose_answer("POST", "/statuses")
    with pytest.raises(TransientError):
        place.forge.set_check(change, check(head))
    link = place.forge.set_check(change, check(head))
    assert link.endswith(f"/pullrequest/{change.number}")
    assert len(statuses(place, change)) == 1
    place.forge.set_check(change, check(head, CheckConclusion.FAILED))
    place.forge.set_check(change, check(head))
    assert [one["state"] for one in statuses(place, change)] == ["succeeded", "failed", "succeeded"]
    newer = place.push("feature/x", {"a.txt": b"2\n"})
    place.forge.set_check(change, check(newer))
    assert [one["iterationId"] for one in statuses(place, change)] == [1, 1, 1, 2]


def test_the_same_status_by_somebody_else_does_not_stand_in_for_ours(place, change):
    link = place.forge.set_check(change, check(place.forge.head_of(change)[0]))
    (ours,) = statuses(place, change)
    body = {name: ours[name] for name in ("state", "description", "context", "targetUrl", "iterationId")}
    place.git("POST", f"pullRequests/{change.number}/statuses", {**body, "state": "failed"})
    place.git("POST", f"pullRequests/{change.number}/statuses", body)
    for _ in range(2):
        assert place.forge.set_check(change, check(place.forge.head_of(change)[0])) == link
        assert len(statuses(place, change)) == 4


def test_a_check_of_a_head_that_no_push_brought_is_a_conflict(place, change):
    with pytest.raises(ConflictError):
        place.forge.set_check(change, check("f" * 40))
    assert statuses(place, change) == []


def test_sarif_is_not_supported(place, change):
    with pytest.raises(NotSupportedError) as caught:
        place.forge.upload_sarif(place.look(change).change, b"{}")
    assert caught.value.remedy


def test_labels_are_set_and_taken_off_once(place, change):
    place.git("POST", f"pullRequests/{change.number}/labels", {"name": "Old"})
    place.forge.set_labels(change, ["new", "OLD"], ["gone"])
    place.forge.set_labels(change, ["new"], ["gone"])
    assert set(place.look(change).change.labels) == {"Old", "new"}
    place.forge.set_labels(change, ["new"], ["old", "new"])
    assert place.look(change).change.labels == ("new",)


@pytest.mark.parametrize(("kind", "parents"), [(MergeKind.MERGE, 2), (MergeKind.SQUASH, 1), (MergeKind.REBASE, 1)])
def test_exactly_the_head_is_merged_once(place, change, kind, parents):
    head = place.forge.head_of(change)[0]
    place.sandbox.lose_answer("PATCH", "/pullRequests/")
    with pytest.raises(TransientError):
        place.forge.merge(change, head, kind, "Sell more")
    done = place.forge.merge(change, head, kind, "Sell more")
    assert done == MergeOutcome(merged=True, commit=place.head("main"))
    commit = place.forge.commit(REPOSITORY, done.commit)
    assert (len(commit.parents), commit.message) == (parents, "Sell more")
    assert place.forge.head_of(change) == (head, PullRequestState.MERGED)
    assert place.head("feature/x") == head


def test_what_the_merge_began_is_shown_for_exactly_its_commit(place, change):
    place.push("main", {"azure-pipelines.yml": PIPELINE.replace(b"trigger: none", b"trigger: [main]")})
    place.pipeline("Delivery")
    done = place.forge.merge(change, place.forge.head_of(change)[0], MergeKind.SQUASH, "Sell more")
    (run,) = place.forge.begun_runs(REPOSITORY, "main", done.commit)
    assert run.name.startswith("Delivery ")
    assert "_build/results?buildId=" in run.url
    assert place.forge.begun_runs(REPOSITORY, "feature/x", done.commit) == ()
    assert place.forge.begun_runs(REPOSITORY, "main", "0" * 40) == ()
    assert place.forge.begun_runs(RepositoryRef(owner="Shop", name="Gone"), "main", done.commit) == ()


def test_a_head_that_moved_is_a_conflict(place, change):
    head = place.forge.head_of(change)[0]
    place.push("feature/x", {"a.txt": b"2\n"})
    with pytest.raises(ConflictError):
        place.forge.merge(change, head, MergeKind.SQUASH, "")
    assert place.head("main") == place.main


def test_a_head_that_moves_between_the_calls_is_a_conflict(place, change, monkeypatch):
    head = place.forge.head_of(change)[0]
    look = place.forge._pull_request
    looks = []

    def moving(ref, **options):
        found = look(ref, **options)
        if not looks:
            place.push("feature/x", {"a.txt": b"2\n"})
        looks.append(found)
        return found

    monkeypatch.setattr(place.forge, "_pull_request", moving)
    with pytest.raises(ConflictError):
        place.forge.merge(change, head, MergeKind.SQUASH, "")
    assert len(looks) == 2


def test_what_keeps_it_from_being_merged_is_told(place, change):
    head = place.forge.head_of(change)[0]
    place.forge.require_status(REPOSITORY, "main", "doneright", "review")
    refused = place.forge.merge(change, head, MergeKind.SQUASH, "")
    assert not refused.merged
    assert "Status" in refused.reason
    place.forge.set_check(change, check(head))
    assert place.forge.merge(change, head, MergeKind.SQUASH, "").merged


def test_conflicts_drafts_and_abandoned_ones_are_not_merged(place, change):
    place.push("feature/y", {"README.md": b"ours\n"})
    other = place.open("feature/y")
    place.push("main", {"README.md": b"theirs\n"})
    refused = place.forge.merge(other, place.forge.head_of(other)[0], MergeKind.MERGE, "")
    assert (refused.merged, "conflict" in refused.reason) == (False, True)
    head = place.forge.head_of(change)[0]
    place.git("PATCH", f"pullRequests/{change.number}", {"isDraft": True})
    refused = place.forge.merge(change, head, MergeKind.MERGE, "")
    assert (refused.merged, "draft" in refused.reason) == (False, True)
    place.git("PATCH", f"pullRequests/{change.number}", {"status": "abandoned"})
    assert "abandoned" in place.forge.merge(change, head, MergeKind.MERGE, "").reason


def test_a_merge_under_way_is_looked_at_a_few_times(place, change, monkeypatch):
    monkeypatch.setattr(outcomes, "PAUSES", (0, 0))
    head = place.forge.head_of(change)[0]
    look = place.forge._pull_request
    git = place.forge._client.area("git")
    shown = []

    def slow(ref, **options):
        found = look(ref, **options)
        found.status, found.merge_status = "active", shown.pop(0) if shown else "queued"
        return found

    def queued(wanted, *args, **options):
        return look(change)

    monkeypatch.setattr(place.forge, "_pull_request", slow)
    monkeypatch.setattr(git, "update_pull_request", queued)
    assert place.forge.merge(change, head, MergeKind.MERGE, "") == MergeOutcome(
        merged=False, reason="The merge is under way", under_way=True
    )
    shown[:] = ["queued", "failure"]
    refused = place.forge.merge(change, head, MergeKind.MERGE, "")
    assert refused.reason == "Azure DevOps did not merge: the service could not merge it"


def test_a_merge_that_the_service_queues_is_waited_for(place, change, monkeypatch):
    head = place.forge.head_of(change)[0]
    place.sandbox.service.completion_seconds = 0.3
    done = place.forge.merge(change, head, MergeKind.SQUASH, "x")
    assert done == MergeOutcome(merged=True, commit=place.head("main"))


def test_a_queued_merge_that_takes_longer_is_told_as_under_way_and_found_later(place, change, monkeypatch):
    monkeypatch.setattr(outcomes, "PAUSES", (0, 0))
    head = place.forge.head_of(change)[0]
    place.sandbox.service.completion_seconds = 1
    for _ in range(2):
        outcome = place.forge.merge(change, head, MergeKind.SQUASH, "x")
        assert (outcome.merged, outcome.under_way, outcome.reason) == (False, True, outcomes.UNDER_WAY)
    place.sandbox.service.completion_seconds = 0
    place.until(lambda: place.forge.merge(change, head, MergeKind.SQUASH, "x").merged)


def test_a_push_while_a_merge_is_queued_is_a_conflict(place, change, monkeypatch):
    monkeypatch.setattr(outcomes, "PAUSES", (0,))
    head = place.forge.head_of(change)[0]
    place.sandbox.service.completion_seconds = 60
    assert place.forge.merge(change, head, MergeKind.SQUASH, "x").reason == outcomes.UNDER_WAY
    place.push("feature/x", {"a.txt": b"2\n"})
    with pytest.raises(ConflictError):
        place.forge.merge(change, head, MergeKind.SQUASH, "x")


def test_a_branch_is_deleted_only_at_its_head(place, change):
    head = place.head("feature/x")
    place.forge.delete_branch(REPOSITORY, "feature/x", place.main)
    assert place.head("feature/x") == head
    place.forge.delete_branch(REPOSITORY, "feature/x", head)
    place.forge.delete_branch(REPOSITORY, "feature/x", head)
    assert place.head("feature/x") is None


def test_a_locked_branch_is_refused_with_the_remedy(place, change):
    place.git("PATCH", "refs", {"isLocked": True}, "bo", filter="heads/feature/x")
    with pytest.raises(RefusedError) as caught:
        place.forge.delete_branch(REPOSITORY, "feature/x", place.head("feature/x"))
    assert caught.value.remedy


def test_a_required_status_is_ours_fresh_and_beside_the_other_rules(place):
    forge = place.forge
    assert forge.required_statuses(REPOSITORY, "main") == {}
    forge.require_status(REPOSITORY, "main", "doneright", "review")
    assert forge.required_statuses(REPOSITORY, "main") == {"doneright/review": True}
    assert forge.branch_rules(REPOSITORY, "main") is None
    forge.protect_branch(REPOSITORY, "main", BranchRules(require_build=False))
    forge.require_status(REPOSITORY, "main", "doneright", "review")
    assert forge.branch_rules(REPOSITORY, "main") == BranchRules(require_build=False)
    forge.remove_branch_rules(REPOSITORY, "main")
    assert forge.required_statuses(REPOSITORY, "main") == {"doneright/review": True}
    forge.remove_required_status(REPOSITORY, "main", "doneright", "other")
    assert forge.required_statuses(REPOSITORY, "main") == {"doneright/review": True}
    forge.remove_required_status(REPOSITORY, "main", "doneright", "review")
    assert forge.required_statuses(REPOSITORY, "main") == {}


def test_a_status_policy_that_others_could_fulfil_is_none_and_becomes_one(place, change):
    kind = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
    place.policy(kind, {"statusGenre": "doneright", "statusName": "review"})
    assert place.forge.required_statuses(REPOSITORY, "main") == {"doneright/review": False}
    place.forge.require_status(REPOSITORY, "main", "doneright", "review")
    assert place.forge.required_statuses(REPOSITORY, "main") == {"doneright/review": True}
    body = {"state": "succeeded", "context": {"genre": "doneright", "name": "review"}, "iterationId": 1}
    place.git("POST", f"pullRequests/{change.number}/statuses", body, "bo")
    (shown,) = place.look(change).checks
    assert (shown.state, shown.required) == (CheckState.PENDING, True)
    head = place.forge.head_of(change)[0]
    assert not place.forge.merge(change, head, MergeKind.SQUASH, "").merged
    place.forge.set_check(change, check(head))
    assert place.look(change).checks[0].state is CheckState.PASSED
    place.push("feature/x", {"a.txt": b"2\n"})
    assert place.look(change).checks[0].state is CheckState.PENDING
