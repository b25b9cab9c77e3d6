"""What GraphQL tells of checks, people and states, in Doneright's words."""

import pytest

from shared.adapters.github.reviews.nodes import checks_of, commits_of, reviews_of, thread_of, with_unreported
from shared.adapters.github.reviews.people import GHOST, account, person
from shared.domain.change import CheckState

HEAD = "a" * 40


def _run(
    name="build",
    status="COMPLETED",
    conclusion="SUCCESS",
    app="github-actions",
    workflow="CI",
    started="2026-01-01T00:00:00Z",
):
    return {
        "__typename": "CheckRun", "name": name, "status": status, "conclusion": conclusion, "isRequired": True,
        "detailsUrl": None, "title": None, "summary": "S", "startedAt": started, "completedAt": None,
        "steps": {"nodes": [{"name": "Lint"}]},
        "checkSuite": {"app": {"slug": app}, "workflowRun": {"workflow": {"name": workflow}} if workflow else None},
    }  # fmt: skip


def _status(state, context="lint"):
    return {
        "__typename": "StatusContext", "context": context, "state": state, "isRequired": False, "description": None,
        "targetUrl": None, "createdAt": "2026-01-01T00:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("COMPLETED", "SUCCESS", CheckState.PASSED),
        ("COMPLETED", "NEUTRAL", CheckState.NEUTRAL),
        ("COMPLETED", "SKIPPED", CheckState.SKIPPED),
        ("COMPLETED", "FAILURE", CheckState.FAILED),
        ("COMPLETED", "CANCELLED", CheckState.FAILED),
        ("COMPLETED", "TIMED_OUT", CheckState.FAILED),
        ("COMPLETED", "ACTION_REQUIRED", CheckState.FAILED),
        ("COMPLETED", "STALE", CheckState.FAILED),
        ("COMPLETED", "SOMETHING_NEW", CheckState.FAILED),
        ("COMPLETED", None, CheckState.FAILED),
        ("QUEUED", None, CheckState.PENDING),
        ("IN_PROGRESS", "SUCCESS", CheckState.PENDING),
    ],
)
def test_only_what_passed_has_passed(status, conclusion, state):
    (check,) = checks_of([_run(status=status, conclusion=conclusion)], HEAD)
    assert (check.state, check.required, check.stages, check.commit) == (state, True, ("Lint",), HEAD)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("SUCCESS", CheckState.PASSED),
        ("PENDING", CheckState.PENDING),
        ("EXPECTED", CheckState.PENDING),
        ("ERROR", CheckState.FAILED),
        ("FAILURE", CheckState.FAILED),
    ],
)
def test_statuses(state, shown):
    (check,) = checks_of([_status(state)], HEAD)
    assert (check.state, check.ended_at is None) == (shown, shown is CheckState.PENDING)


def test_the_latest_of_each_counts_and_no_other_workflow_hides_it():
    earlier, later = _run(conclusion="FAILURE"), _run(started="2026-01-02T00:00:00Z")
    assert [check.state for check in checks_of([later, earlier], HEAD)] == [CheckState.PASSED]
    assert [check.state for check in checks_of([earlier, later], HEAD)] == [CheckState.PASSED]
    waiting = _run(status="QUEUED", conclusion=None, started=None)
    assert [check.state for check in checks_of([waiting, later], HEAD)] == [CheckState.PENDING]
    other = _run(conclusion="FAILURE", workflow="Nightly")
    assert sorted(check.state for check in checks_of([other, later], HEAD)) == [CheckState.FAILED, CheckState.PASSED]


def test_our_own_checks_are_told_apart():
    names = ["doneright/review", "doneright", "build"]
    assert [check.ours for check in checks_of([_run(name) for name in names], HEAD)] == [True, False, False]
    assert [check.ours for check in checks_of([_status("PENDING", "doneright/review")], HEAD)] == [True]


def test_people_and_programs():
    bot = {"__typename": "Bot", "login": "dependabot", "databaseId": 49699333}
    assert (person(bot).login, person(bot).bot, person(bot).id) == ("dependabot[bot]", True, "49699333")
    human = {"__typename": "User", "login": "bob", "databaseId": 5, "name": None}
    assert (person(human).login, person(human).bot, person(human).name) == ("bob", False, "")
    assert person(None) == GHOST == account(None)
    assert account({"id": 7, "login": "x[bot]", "type": "Bot"}).bot


def test_a_review_that_was_not_submitted_is_none():
    node = {"state": "PENDING", "comments": {"totalCount": 0}}
    given = {
        "state": "CHANGES_REQUESTED",
        "comments": {"totalCount": 2},
        "author": None,
        "commit": None,
        "submittedAt": None,
    }
    (review,) = reviews_of([node, given])
    assert (review.state, review.remarks, review.commit, review.reviewer) == ("changes_requested", 2, "", GHOST)


def test_a_commit_of_nobody_known():
    node = {"oid": HEAD, "message": "m", "authoredDate": None, "author": {"email": "x@example.org", "user": None}}
    assert [commit.author for commit in commits_of([{"commit": node}, {"commit": {**node, "author": None}}])] == [
        "x@example.org",
        "",
    ]


def test_what_carries_a_mark_was_written_by_a_program():
    comment = {"fullDatabaseId": "3000000000", "author": {"__typename": "User", "login": "ada"}, "createdAt": None}
    node = {"id": "T", "path": "a.py", "line": None, "isResolved": False, "isOutdated": True}
    thread = thread_of(
        node, [{**comment, "body": "<!-- doneright:remark:0123456789abcdef -->\nx"}, {**comment, "body": "Right"}]
    )
    assert [one.author.bot for one in thread.comments] == [True, False]
    assert thread.comments[0].id == "3000000000"
    assert (thread.line, thread.outdated) == (None, True)


def test_a_required_check_that_nobody_reported_is_pending_and_never_left_out():
    told = with_unreported(checks_of([_run("build")], HEAD), frozenset({"build", "lint", "doneright/review"}), HEAD)
    states = {one.name: (one.state, one.required, one.ours) for one in told}
    assert states == {
        "build": (CheckState.PASSED, True, False),
        "lint": (CheckState.PENDING, True, False),
        "doneright/review": (CheckState.PENDING, True, True),
    }
