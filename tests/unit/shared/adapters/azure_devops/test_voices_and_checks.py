"""What votes, threads, statuses and evaluations of Azure Repos come to, in shapes that its simulator does not send."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Made

import pytest

from shared.adapters.azure_devops.protection import PolicyType
from shared.adapters.azure_devops.reviews import checks, voices
from shared.adapters.azure_devops.reviews.asking import head_of_pull, person, plain, utc
from shared.adapters.azure_devops.reviews.checks import CheckCalls
from shared.adapters.azure_devops.reviews.items import kind_of
from shared.domain.change import Check, CheckState
from shared.domain.definition import WorkItemKind
from shared.errors import RefusedError, TransientError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = "1" * 40, "2" * 40


def someone(name="ada", **rest):
    return Made(id=name.upper(), unique_name=f"{name}@x", display_name=name, descriptor=f"aad.{name}", **rest)


def pull(*votes):
    return Made(reviewers=[someone(name, vote=vote, is_container=group) for name, vote, group in votes])


def push(number, commit, at):
    return Made(id=number, source_ref_commit=Made(commit_id=commit), created_date=at)


PUSHES = [push(1, FIRST, NOON), push(2, SECOND, NOON + timedelta(hours=1))]


def thread(at=NOON, comments=None, status=None, **properties):
    made = {name: {"$type": "System.String", "$value": value} for name, value in properties.items()}
    return Made(
        id=1,
        published_date=at,
        properties=made or None,
        identities=None,
        comments=comments if comments is not None else [comment("ada", "system")],
        thread_context=None,
        status=status,
    )


def comment(who, kind="text", *, deleted=False, body="x"):
    return Made(id=1, author=someone(who), comment_type=kind, is_deleted=deleted, content=body, published_date=NOON)


def cast(who, vote, at):
    return thread(at, [comment(who, "system")], CodeReviewThreadType="VoteUpdate", CodeReviewVoteResult=vote)


@pytest.mark.parametrize(("resets", "commit"), [(True, SECOND), (False, "")])
def test_a_vote_that_no_thread_tells_of_is_of_the_head_only_where_pushes_take_votes_back(resets, commit):
    (review,) = voices.reviews(pull(("ada", 10, False)), [], PUSHES, reset_on_push=resets, head=SECOND)
    assert (review.commit, review.at) == (commit, None)


def test_a_vote_is_of_the_push_before_it_and_only_the_latest_same_one_counts():
    said = [
        cast("ada", "10", NOON - timedelta(hours=1)),
        cast("ada", "10", NOON + timedelta(minutes=1)),
        cast("ada", "-5", NOON + timedelta(hours=2)),
        cast("bo", "10", NOON + timedelta(hours=2)),
        cast("ada", "nonsense", NOON + timedelta(hours=3)),
        thread(CodeReviewThreadType="ResetMultipleVotes"),
    ]
    people = pull(("ada", 10, False), ("bo", 10, False), ("team", 10, True), ("eve", 0, False))
    ada, bo = voices.reviews(people, said, PUSHES, reset_on_push=False, head=SECOND)
    assert (ada.commit, ada.at) == (FIRST, NOON + timedelta(minutes=1))
    assert bo.commit == SECOND
    early = voices.reviews(pull(("ada", 10, False)), said[:1], PUSHES, reset_on_push=False, head=SECOND)
    assert early[0].commit == ""


def test_emptied_threads_and_the_services_own_are_no_discussions():
    emptied = thread(comments=[comment("ada", deleted=True)], status="active")
    mixed = thread(comments=[comment("ada", "system"), comment("bo")], status="byDesign")
    (shown,) = voices.threads([emptied, thread(), mixed])
    assert ([one.author.login for one in shown.comments], shown.resolved) == (["bo@x"], True)


def evaluation(kind, status, context=None, *, blocking=True, **settings):
    return Made(
        configuration=Made(type=Made(id=kind.value.upper()), settings=settings, is_blocking=blocking),
        status=status,
        context=context,
        started_date=NOON,
        completed_date=None,
    )


class Asking(CheckCalls):
    def __init__(self, *, refuse=False):
        self.refuse = refuse
        self._client = self

    def anew(self):
        from contextlib import nullcontext

        return nullcontext()

    def page(self, *parts):
        return "/".join(parts)

    def area(self, name):
        assert name == "build"
        return self

    def get_build_timeline(self, project, build):
        if self.refuse:
            raise RefusedError("no", "yes")
        records = [("Job", "Unit", "succeeded"), ("Stage", "__default", None), ("Stage", "Deploy", "skipped")]
        return Made(records=[Made(type=kind, name=name, result=result, order=1) for kind, name, result in records])


def test_a_build_that_counts_no_more_waits_and_one_that_never_ran_has_no_page():
    expired = {"isExpired": True, "buildId": 7, "buildDefinitionName": "Gate", "lastMergeSourceCommitId": FIRST}
    found = Asking()._policy_checks(
        "Shop",
        [
            evaluation(PolicyType.BUILD, "approved", expired),
            evaluation(PolicyType.BUILD, "queued", None, blocking=False, displayName="Later"),
            evaluation(PolicyType.BUILD, "broken", {"buildId": 8}, buildDefinitionId=3),
            evaluation(PolicyType.MINIMUM_REVIEWERS, "queued"),
        ],
        SECOND,
    )
    assert [(one.name, one.state, one.required, one.commit) for one in found] == [
        ("Gate", CheckState.PENDING, True, FIRST),
        ("Later", CheckState.PENDING, False, ""),
        ("build 3", CheckState.FAILED, True, SECOND),
    ]
    assert found[0].stages == ("Unit",)
    assert found[0].summary
    assert found[1].url == ""


def test_a_build_whose_stages_are_not_told_still_tells_how_it_ended():
    (check,) = Asking(refuse=True)._policy_checks(
        "Shop", [evaluation(PolicyType.BUILD, "approved", {"buildId": 7})], SECOND
    )
    assert (check.state, check.stages) == (CheckState.PASSED, ())


def test_of_two_policies_over_one_pipeline_the_one_that_blocks_counts():
    asked, wanted = (Check(name="Gate", state=CheckState.PASSED, required=one) for one in (False, True))
    for both in ([asked, wanted], [wanted, asked]):
        (check,) = checks.merged([], [], [], both, [], iteration=1, head=SECOND)
        assert check.required


def test_what_a_policy_says_of_a_status_counts_before_the_status():
    status = Made(
        id=1, iteration_id=None, context=Made(genre=None, name="lint"), state="succeeded", description=None,
        target_url=None, creation_date=NOON, updated_date=None,
    )  # fmt: skip
    policy = evaluation(PolicyType.STATUS, "rejected", statusName="lint")
    (check,) = checks.merged([], [status], [policy], [], [], iteration=1, head=SECOND)
    assert (check.name, check.state, check.required, check.commit) == ("lint", CheckState.FAILED, True, "")


def test_a_pull_request_without_any_commit_yet_is_asked_for_again():
    with pytest.raises(TransientError) as caught:
        head_of_pull(Made(last_merge_source_commit=None), [])
    assert caught.value.retry_after
    assert head_of_pull(Made(last_merge_source_commit=None), PUSHES) == (SECOND, 2)
    assert head_of_pull(Made(last_merge_source_commit=Made(commit_id=FIRST)), PUSHES) == (FIRST, 1)


def test_programs_are_told_from_people():
    assert not person(someone()).bot
    for kind in ("svc", "aadsp", "s2s"):
        assert person(Made(id="1", unique_name=None, display_name="B", descriptor=f"{kind}.x")).bot
    assert person(Made(id="1", unique_name=None, display_name="", descriptor=None)).login == "1"


def test_properties_and_moments_in_both_of_their_shapes():
    assert [plain(one) for one in ({"$value": 5}, "x", None, {})] == ["5", "x", "", ""]
    assert utc(datetime(2026, 3, 1, 12)) == NOON  # noqa: DTZ001 - as the package may answer it
    assert utc(None) is None


def test_types_have_the_level_of_their_process():
    assert [kind_of(name, "scrum") for name in ("Product Backlog Item", "Impediment", "issue", "TASK", "Bug")] == [
        WorkItemKind.REQUIREMENT,
        None,
        None,
        WorkItemKind.TASK,
        WorkItemKind.BUG,
    ]
