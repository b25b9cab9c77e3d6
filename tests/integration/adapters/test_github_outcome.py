"""What a review comes to on GitHub: the check, alerts in and findings out, labels, the merge and the branch."""

import json

import pytest

from local.sandbox.github.security_alerts import add_dependabot_alert, add_secret_alert
from shared.domain.change import CheckState, Unknown
from shared.domain.definition import Severity
from shared.domain.evidence import Severity as FoundSeverity
from shared.domain.forge import ForgeName, MergeKind, RepositoryRef
from shared.domain.publication import Annotation, CheckConclusion, OwnCheck, Permission
from shared.domain.pull_request import PullRequestState
from shared.errors import ConflictError, NotSupportedError, RefusedError, TransientError
from tests.integration.adapters.github_reviews import DESK, known, world


@pytest.fixture(scope="module")
def served_desk():
    with world() as made:
        yield made


@pytest.fixture
def desk(served_desk):
    served_desk.faults.clear()
    served_desk.repo["protection"] = {}
    return served_desk


_opened = []


@pytest.fixture
def branch():
    _opened.append(1)
    return f"feature/{200 + len(_opened)}-outcome"


@pytest.fixture
def ref(desk, branch):
    desk.commit({f"{branch.replace('/', '_')}.py": b"a = 1\n"}, branch)
    return desk.pull(branch, "Outcome")


def _head(desk, ref):
    return desk.repo["issues"][str(ref.number)]["pull"]["head_sha"]


def _annotations(count, text="Wrong"):
    return tuple(
        Annotation(
            path="app.py", line=n + 1, end_line=n + 1, severity=Severity.HIGH, title="T", message=f"{text} {n} 👋"
        )
        for n in range(count)
    )


def _check(head, conclusion=CheckConclusion.FAILED, **rest):
    return OwnCheck(head=head, conclusion=conclusion, title="Two criteria are unmet", **rest)


def _runs(desk, head):
    return [run for run in desk.repo["check_runs"].values() if run["head_sha"] == head]


@pytest.mark.parametrize(
    ("conclusion", "shown"),
    [
        (CheckConclusion.PENDING, ("in_progress", None)),
        (CheckConclusion.PASSED, ("completed", "success")),
        (CheckConclusion.FAILED, ("completed", "failure")),
        (CheckConclusion.INCONCLUSIVE, ("completed", "action_required")),
        (CheckConclusion.ADVISORY, ("completed", "neutral")),
    ],
)
def test_a_check_run_says_how_the_review_stands(desk, ref, conclusion, shown):
    link = desk.app.set_check(ref, _check(_head(desk, ref), conclusion, summary="**No**", external_id="r1"))
    (run,) = _runs(desk, _head(desk, ref))
    assert (run["status"], run["conclusion"]) == shown
    assert (run["name"], run["external_id"], run["output"]["summary"]) == ("doneright/review", "r1", "**No**")
    assert link.endswith(f"/runs/{run['id']}")


def test_a_check_run_is_updated_in_place(desk, ref):
    head = _head(desk, ref)
    first = desk.app.set_check(ref, _check(head, CheckConclusion.PENDING))
    second = desk.app.set_check(ref, _check(head, annotations=_annotations(3), details_url="https://example.org/r/1"))
    third = desk.app.set_check(ref, _check(head, annotations=_annotations(3)))
    assert first == second == third
    (run,) = _runs(desk, head)
    assert (run["details_url"], len(run["annotations"])) == ("https://example.org/r/1", 3)


def test_annotations_go_in_batches_and_the_verdict_comes_last(desk, ref):
    head = _head(desk, ref)
    desk.faults.add({"kind": "unavailable", "method": "PATCH", "path": "/check-runs/", "count": 1})
    with pytest.raises(TransientError):
        desk.app.set_check(ref, _check(head, CheckConclusion.PASSED, annotations=_annotations(120)))
    (run,) = _runs(desk, head)
    assert (run["status"], len(run["annotations"])) == ("in_progress", 50)
    desk.app.set_check(ref, _check(head, CheckConclusion.PASSED, annotations=_annotations(120)))
    (run,) = _runs(desk, head)
    assert (run["conclusion"], [a["start_line"] for a in run["annotations"]]) == ("success", list(range(1, 121)))


def test_annotations_that_no_longer_hold_are_left_behind_with_their_run(desk, ref):
    head = _head(desk, ref)
    desk.app.set_check(ref, _check(head, annotations=_annotations(2)))
    desk.app.set_check(ref, _check(head, CheckConclusion.PASSED, annotations=_annotations(1)))
    assert [(run["conclusion"], len(run["annotations"])) for run in _runs(desk, head)] == [
        ("failure", 2),
        ("success", 1),
    ]
    (check,) = [one for one in known(desk.app.look_at(ref).checks) if one.ours]
    assert check.state is CheckState.PASSED


def test_a_check_run_whose_answer_was_lost_is_one(desk, ref):
    desk.lose_answer("POST", "/check-runs$")
    with pytest.raises(TransientError):
        desk.app.set_check(ref, _check(_head(desk, ref)))
    desk.app.set_check(ref, _check(_head(desk, ref)))
    assert len(_runs(desk, _head(desk, ref))) == 1


def test_a_check_run_of_another_app_is_not_touched(desk, ref):
    head = _head(desk, ref)
    desk.app.set_check(ref, _check(head))
    (run,) = _runs(desk, head)
    run["app_id"] = 4711
    desk.app.set_check(ref, _check(head, CheckConclusion.PASSED))
    assert [one["conclusion"] for one in _runs(desk, head)] == ["failure", "success"]


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        (CheckConclusion.PENDING, "pending"),
        (CheckConclusion.PASSED, "success"),
        (CheckConclusion.FAILED, "failure"),
        (CheckConclusion.INCONCLUSIVE, "error"),
        (CheckConclusion.ADVISORY, "success"),
    ],
)
def test_a_token_sets_the_status_of_the_same_name_once(desk, ref, conclusion, state):
    head, forge = _head(desk, ref), desk.person("ada")
    check = _check(head, conclusion, annotations=_annotations(1), details_url="https://example.org/r/2")
    assert forge.set_check(ref, check) == "https://example.org/r/2"
    forge.set_check(ref, check)
    assert [(one["context"], one["state"]) for one in desk.repo["statuses"][head]] == [("doneright/review", state)]


def test_how_it_stands_is_asked_each_time(desk, ref, branch):
    head = _head(desk, ref)
    assert desk.app.head_of(ref) == (head, PullRequestState.OPEN)
    newer = desk.commit({"b.py": b"b\n"}, branch)
    assert desk.app.head_of(ref) == (newer, PullRequestState.OPEN)
    desk.ask("bob", "PATCH", f"/repos/acme/desk/pulls/{ref.number}", {"state": "closed"})
    assert desk.app.head_of(ref) == (newer, PullRequestState.CLOSED)
    assert desk.app.head_of(ref.model_copy(update={"number": 99_999})) is None
    assert desk.app.look_at(ref.model_copy(update={"number": 99_999})) is None


def test_the_latest_pull_requests_come_first(desk, ref):
    changes = desk.app.changes(DESK, open_only=False, limit=3)
    assert len(changes) == 3
    assert [change.ref.number for change in changes] == sorted((c.ref.number for c in changes), reverse=True)
    assert changes[0].ref == ref
    assert (changes[0].head, changes[0].author.login, changes[0].fork) == (_head(desk, ref), "bob", False)
    assert all(change.state is PullRequestState.OPEN for change in desk.app.changes(DESK, open_only=True, limit=50))
    assert desk.app.changes(DESK, open_only=True, limit=0) == ()


@pytest.mark.parametrize(
    ("login", "held"),
    [
        ("ada", Permission.ADMIN),
        ("mia", Permission.WRITE),
        ("bob", Permission.WRITE),
        ("eve", Permission.NONE),
        ("nobody", Permission.NONE),
        ("dependabot[bot]", Permission.NONE),
    ],
)
def test_what_somebody_may_do(desk, login, held):
    assert desk.app.permission(DESK, login) is held


def test_labels_are_set_made_and_taken_off(desk, ref):
    desk.app.set_labels(ref, ["needs work", "bug", "Bug"], [])
    desk.app.set_labels(ref, ["needs work"], ["absent"])
    assert desk.repo["issues"][str(ref.number)]["labels"] == ["needs work", "bug"]
    assert desk.repo["labels"]["needs work"]["color"] == "5319e7"
    desk.app.set_labels(ref, ["done"], ["needs work", "bug"])
    assert desk.repo["issues"][str(ref.number)]["labels"] == ["done"]
    before = desk.app.calls
    desk.app.set_labels(ref, [], [])
    assert desk.app.calls == before


@pytest.mark.parametrize("kind", list(MergeKind))
def test_the_reviewed_head_is_merged_once(desk, ref, kind):
    head = _head(desk, ref)
    with pytest.raises(ConflictError):
        desk.app.merge(ref, "0" * 40, kind, "No")
    done = desk.app.merge(ref, head, kind, "feat: outcome (#1)\n\nWhy it is so.")
    assert done.merged
    assert done.commit == desk.repo["refs"]["refs/heads/main"]
    message = desk.hub.table("commits")[done.commit]["message"]
    assert (message == "feat: outcome (#1)\n\nWhy it is so.") is (kind is not MergeKind.REBASE)
    assert desk.app.merge(ref, head, kind, "feat: outcome") == done


def test_what_the_merge_began_is_shown_for_exactly_its_commit(desk, ref, branch):
    desk.commit({".github/workflows/deliver.yml": b"name: Delivery\non:\n  push:\n    branches: [main]\n"}, "main")
    done = desk.app.merge(ref, _head(desk, ref), MergeKind.SQUASH, "feat: begin")
    (run,) = desk.app.begun_runs(DESK, "main", done.commit)
    assert run.name == "Delivery"
    assert "/acme/desk/actions/runs/" in run.url
    assert desk.app.begun_runs(DESK, branch, done.commit) == ()
    assert desk.app.begun_runs(DESK, "main", "0" * 40) == ()


def test_a_merge_whose_answer_was_lost_was_done(desk, ref):
    desk.lose_answer("PUT", "/merge$")
    done = desk.app.merge(ref, _head(desk, ref), MergeKind.SQUASH, "feat: lost")
    assert (done.merged, done.commit) == (True, desk.repo["refs"]["refs/heads/main"])


def test_what_rules_forbid_is_told_in_githubs_words(desk, ref):
    desk.repo["protection"]["main"] = {"required_status_checks": {"contexts": ["build"], "checks": []}}
    done = desk.app.merge(ref, _head(desk, ref), MergeKind.SQUASH, "feat: too early")
    assert not done.merged
    assert 'Required status check "build" is expected' in done.reason
    desk.ask("bob", "PATCH", f"/repos/acme/desk/pulls/{ref.number}", {"state": "closed"})
    assert desk.app.merge(ref, _head(desk, ref), MergeKind.SQUASH, "x").reason == "The pull request is closed"


def test_a_branch_is_deleted_while_it_shows_what_was_merged(desk, ref, branch):
    head = _head(desk, ref)
    desk.app.delete_branch(DESK, branch, "0" * 40)
    assert desk.repo["refs"][f"refs/heads/{branch}"] == head
    desk.app.delete_branch(DESK, branch, head)
    desk.app.delete_branch(DESK, branch, head)
    assert f"refs/heads/{branch}" not in desk.repo["refs"]
    looked = desk.app.look_at(ref)
    assert looked is not None and looked.change.head == head


def test_a_protected_branch_is_kept_and_says_so(desk, ref, branch):
    desk.repo["protection"][branch] = {}
    with pytest.raises(RefusedError, match="Cannot delete"):
        desk.app.delete_branch(DESK, branch, _head(desk, ref))


def _sarif(tool, *results):
    return json.dumps(
        {
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {"name": tool, "rules": [{"id": "r1", "properties": {"security-severity": "9.8"}}]}
                    },
                    "results": [
                        {
                            "ruleId": rule,
                            "level": "error",
                            "message": {"text": text},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": "app.py"},
                                        "region": {"startLine": line},
                                    }
                                }
                            ],
                        }
                        for rule, text, line in results
                    ],
                }
            ],
        }
    ).encode()


def _by_codeql(desk, change, *results):
    """What CodeQL's own workflow uploads."""
    ref = change.ref.model_copy()
    by = desk.app.upload_sarif(change, _sarif("CodeQL", *results))
    assert by
    return ref


def test_alerts_tell_what_was_found_and_keep_silence_from_being_clean(desk, ref):
    change = desk.app.look_at(ref).change
    unasked = desk.app.alerts(change)
    assert isinstance(unasked, Unknown)
    assert "secret scanning" in unasked.reason and "Dependabot" in unasked.reason and "code scanning" in unasked.reason

    identifier = desk.app.upload_sarif(change, _sarif("Doneright", ("own", "ours", 1)))
    assert (
        desk.ask("ada", "GET", f"/repos/acme/desk/code-scanning/sarifs/{identifier}")["processing_status"] == "complete"
    )
    desk.repo["vulnerability_alerts"] = True
    desk.repo["security_and_analysis"]["secret_scanning"] = "enabled"
    only_ours = desk.app.alerts(change)
    assert isinstance(only_ours, Unknown)
    assert only_ours.supported
    assert "no analysis of" in only_ours.reason

    _by_codeql(desk, change)
    assert desk.app.alerts(change) == ()
    _by_codeql(desk, change, ("r1", "Injection", 2), ("r2", "Odd", 3))
    add_dependabot_alert(
        desk.hub, desk.repo, package="jinja2", ecosystem="pip", manifest="requirements.txt", ghsa="GHSA-cpwx-vrp4-4pq7",
        severity="medium", summary="Sandbox breakout",
    )  # fmt: skip
    add_secret_alert(
        desk.hub, desk.repo, kind="npm_access_token", name="npm token", path="app.py", line=4, commit=change.head
    )
    found = {finding.rule: finding for finding in known(desk.app.alerts(change))}
    assert set(found) == {"r1", "r2", "GHSA-cpwx-vrp4-4pq7", "npm_access_token"}
    assert (found["r1"].severity, found["r1"].path, found["r1"].line) == (FoundSeverity.CRITICAL, "app.py", 2)
    assert found["r2"].severity is FoundSeverity.HIGH
    assert found["GHSA-cpwx-vrp4-4pq7"].path == "requirements.txt"
    assert (found["npm_access_token"].severity, found["npm_access_token"].line) == (FoundSeverity.CRITICAL, 4)
    assert "example-secret" not in str(found)
    desk.repo["dependabot_alerts"], desk.repo["secret_alerts"] = [], []


def test_an_analysis_of_an_earlier_push_says_nothing_of_this_one(desk, ref, branch):
    change = desk.app.look_at(ref).change
    _by_codeql(desk, change, ("r1", "Injection", 2))
    assert known(desk.app.alerts(change))
    desk.commit({"later.py": b"x\n"}, branch)
    part = desk.app.alerts(desk.app.look_at(ref).change)
    assert isinstance(part, Unknown)


def test_many_dependency_alerts_come_page_by_page(desk, ref):
    for n in range(105):
        add_dependabot_alert(
            desk.hub, desk.repo, package=f"p{n}", ecosystem="pip", manifest="r.txt", ghsa=f"GHSA-{n}", severity="low", summary="s"
        )  # fmt: skip
    found = known(desk.app.alerts(desk.app.look_at(ref).change))
    assert len([one for one in found if one.rule.startswith("GHSA")]) == 105
    desk.repo["dependabot_alerts"] = []


def test_a_plan_without_code_scanning_is_told_as_such():
    with world(plan="team") as desk:
        desk.commit({"x.py": b"x\n"}, "feature/1-x")
        ref = desk.pull("feature/1-x")
        change = desk.app.look_at(ref).change
        part = desk.app.alerts(change)
        assert isinstance(part, Unknown)
        assert not part.supported
        assert "Advanced Security must be enabled" in part.reason
        with pytest.raises(NotSupportedError):
            desk.app.upload_sarif(change, _sarif("Doneright"))


def test_permissions_that_are_missing_are_named_and_no_silence():
    with world(checks="none", security_events="none", issues="none") as desk:
        desk.commit({"x.py": b"x\n"}, "feature/1-x")
        looked = desk.app.look_at(desk.pull("feature/1-x"))
        assert isinstance(looked.checks, Unknown)
        assert isinstance(looked.items, Unknown)
        assert known(looked.commits)
        part = desk.app.alerts(looked.change)
        assert isinstance(part, Unknown)
        assert part.supported
        with pytest.raises(RefusedError, match="Resource not accessible"):
            desk.app.set_check(looked.change.ref, _check(looked.change.head))
        with pytest.raises(RefusedError):
            desk.app.upload_sarif(looked.change, _sarif("Doneright"))


def test_a_pull_request_of_a_fork_is_told_as_one():
    with world(private=False) as desk:
        desk.ask("eve", "POST", "/repos/acme/desk/forks", {})
        fork = RepositoryRef(owner="eve", name="desk")
        forge = desk.person("eve")
        tip = desk.repo["refs"]["refs/heads/main"]
        forge._client.request("POST", "/repos/eve/desk/git/refs", {"ref": "refs/heads/fix", "sha": tip})
        body = {"message": "fix: it", "content": "eCA9IDEK", "branch": "fix"}
        forge._client.request("PUT", "/repos/eve/desk/contents/fixed.py", body)
        opened = forge._client.request(
            "POST", "/repos/acme/desk/pulls", {"title": "Fix", "head": "eve:fix", "base": "main", "body": "Fixes #7"}
        )[1]
        ref = desk.app.changes(DESK, open_only=True, limit=1)[0].ref
        assert (ref.number, ref.forge) == (opened["number"], ForgeName.GITHUB)
        change = desk.app.look_at(ref).change
        assert (change.fork, change.source, change.head) == (
            True,
            "fix",
            desk.hub.repo("eve", "desk")["refs"]["refs/heads/fix"],
        )
        assert desk.app.changes(DESK, open_only=True, limit=1)[0].fork
        (file,) = known(desk.app.changed_files(change))
        assert (file.path, file.content) == ("fixed.py", "x = 1\n")
        desk.app.set_check(ref, _check(change.head))
        assert [one.ours for one in known(desk.app.look_at(ref).checks)] == [True]
        forge._client.request("PUT", "/repos/eve/desk/contents/more.py", body)
        assert desk.app.head_of(ref)[0] != change.head
        assert desk.app.file_at(fork, "fixed.py", "fix") == b"x = 1\n"


def test_a_hundred_files_are_reviewed_within_the_budget(desk, branch):
    desk.commit({f"{branch}/f{n:03}.py": b"x = %d\n" % n for n in range(100)}, branch)
    ref = desk.pull(branch, "Hundred", "Closes #1")
    forge = desk.forge_of_app()
    change = forge.look_at(ref).change
    forge.own_identity()
    known(forge.changed_files(change))
    forge.alerts(change)
    forge.file_at(DESK, ".doneright/policy.yaml", change.base)
    forge.head_of(ref)
    assert forge.calls <= 15
