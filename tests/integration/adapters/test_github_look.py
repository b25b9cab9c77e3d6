"""Looking at a pull request of GitHub, against the simulator and its contract."""

import pytest

from local.sandbox.github import graphql_fields
from local.sandbox.github.graphql_resolvers import GraphError
from local.sandbox.github.graphql_schema import SCHEMA
from local.sandbox.github.pushes import move
from shared.domain.change import ChangeRef, CheckState, ReviewState, Unknown
from shared.domain.forge import ForgeName
from shared.domain.publication import PlacedRemark
from shared.domain.pull_request import PullRequestState
from shared.errors import TransientError
from tests.integration.adapters.github_reviews import DESK, known, world


@pytest.fixture(scope="module")
def desk():
    with world() as made:
        yield made


def _issue(desk, title, body="", labels=()):
    return desk.ask("ada", "POST", "/repos/acme/desk/issues", {"title": title, "body": body, "labels": list(labels)})


def test_one_look_tells_all_of_it(desk):
    epic = _issue(desk, "All of it", labels=["epic"])
    story = _issue(desk, "As a user", "Given …", labels=["type: user-story"])
    other = _issue(desk, "Also", "Named")
    desk.ask("ada", "POST", f"/repos/acme/desk/issues/{epic['number']}/sub_issues", {"sub_issue_id": story["id"]})
    desk.ask("ada", "POST", f"/repos/acme/desk/issues/{story['number']}/comments", {"body": "Choose the second"})
    branch = f"feature/{other['number']}-greet"
    desk.commit({"app.py": b"def hail(name):\n    return name\n"}, branch, "feat: hail")
    head = desk.commit({"new.py": b"x = 1\ny = 2\n"}, branch, "feat: more")
    desk.commit({"README.md": b"# Desk, moved\n"}, "main", "Move on", by="ada")
    ref = desk.pull(branch, "Greet", f"Closes #{story['number']}. Not AB#{epic['number']}.\n<!-- Fixes #999 -->")
    url = f"/repos/acme/desk/pulls/{ref.number}"
    review = {
        "event": "APPROVE",
        "body": "Fine",
        "commit_id": head,
        "comments": [{"path": "new.py", "line": 2, "body": "Why?"}],
    }
    desk.ask("ada", "POST", f"{url}/reviews", review)
    desk.ask("mia", "POST", f"/repos/acme/desk/issues/{ref.number}/comments", {"body": "Nice"})
    desk.ask("ada", "POST", f"/repos/acme/desk/statuses/{head}", {"state": "pending", "context": "lint"})
    desk.ask("ada", "POST", f"/repos/acme/desk/statuses/{head}", {"state": "success", "context": "lint"})
    run = {"name": "build", "head_sha": head, "status": "completed", "conclusion": "failure"}
    desk.app._client.request("POST", "/repos/acme/desk/check-runs", run)
    desk.app._client.request("POST", "/repos/acme/desk/check-runs", run | {"name": "doneright/review"})
    desk.ask("ada", "POST", f"/repos/acme/desk/issues/{ref.number}/labels", {"labels": ["bug"]})

    before = desk.app.calls
    looked = desk.app.look_at(ref)
    assert looked is not None
    # Two queries, a comparison, and what protects the branch: that nothing binds us does not say that nothing is there.
    assert desk.app.calls - before == 4

    change = looked.change
    assert (change.title, change.source, change.target, change.head) == ("Greet", branch, "main", head)
    assert change.base == desk.repo["refs"]["refs/heads/main"]
    assert (change.behind, change.conflicts, change.fork, change.draft) == (1, False, False, False)
    assert change.merge_base not in {"", change.base}
    assert (change.author.login, change.author.bot, change.labels) == ("bob", False, ("bug",))
    assert change.state is PullRequestState.OPEN
    commits = known(looked.commits)
    assert [commit.message for commit in commits] == ["feat: hail", "feat: more"]
    assert {commit.author for commit in commits} == {"bob"}
    items = {item.id: item for item in known(looked.items)}
    assert set(items) == {story["number"], other["number"]}
    assert [parent.title for parent in items[story["number"]].parents] == ["All of it"]
    assert (items[story["number"]].kind, items[story["number"]].parents[0].kind) == ("requirement", "epic")
    assert items[story["number"]].comments == ("Choose the second",)
    assert {item.fields["doneright.link"] for item in items.values()} == {"closes", "names"}
    (given,) = known(looked.reviews)
    assert (given.reviewer.login, given.state, given.commit, given.remarks) == ("ada", ReviewState.APPROVED, head, 1)
    threads = known(looked.threads)
    assert [(t.path, t.line, t.resolvable, t.comments[0].body) for t in threads] == [
        ("new.py", 2, True, "Why?"),
        ("", None, False, "Nice"),
    ]
    checks = {check.name: check for check in known(looked.checks)}
    assert checks["lint"].state is CheckState.PASSED
    assert (checks["build"].state, checks["build"].ours) == (CheckState.FAILED, False)
    assert checks["doneright/review"].ours
    assert looked.template == "## What\n\n## Why\n"


def test_lists_longer_than_a_page_are_told_whole(desk):
    branch = "feature/1-long"
    for n in range(104):
        head = desk.commit({"long.py": f"x = {n}\n".encode()}, branch, f"feat: step {n}")
    desk.commit({"code.py": "".join(f"y = {n}\n" for n in range(110)).encode()}, branch)
    ref = desk.pull(branch, "Long")
    head = desk.repo["issues"][str(ref.number)]["pull"]["head_sha"]
    lines = [{"path": "code.py", "line": n + 1, "body": f"Line {n}"} for n in range(102)]
    url = f"/repos/acme/desk/pulls/{ref.number}"
    desk.ask("ada", "POST", f"{url}/reviews", {"event": "COMMENT", "body": "Many", "comments": lines})
    first = desk.ask("ada", "GET", f"{url}/comments", per_page=1)[0]["id"]
    for n in range(60):
        desk.ask("bob", "POST", f"{url}/comments/{first}/replies", {"body": f"Reply {n}"})
    for n in range(101):
        desk.ask("ada", "POST", f"/repos/acme/desk/statuses/{head}", {"state": "success", "context": f"check {n}"})
    looked = desk.app.look_at(ref)
    assert [commit.message for commit in known(looked.commits)][:2] == ["feat: step 0", "feat: step 1"]
    assert len(known(looked.commits)) == 105
    threads = known(looked.threads)
    assert len(threads) == 102
    assert [comment.body for comment in threads[0].comments] == ["Line 0", *(f"Reply {n}" for n in range(60))]
    assert len(known(looked.checks)) == 101


def test_commits_that_github_does_not_list_make_the_rest_unknown(desk, monkeypatch):
    monkeypatch.setattr(graphql_fields, "MOST_COMMITS", 3)
    branch = "feature/1-commits"
    for n in range(5):
        desk.commit({"c.py": f"{n}".encode()}, branch)
    looked = desk.app.look_at(desk.pull(branch, "Commits"))
    assert isinstance(looked.commits, Unknown)
    assert "3 of 5 commits" in looked.commits.reason


def test_our_own_words_are_no_voices(desk):
    branch = "feature/1-voices"
    head = desk.commit({"v.py": b"x = 1\n"}, branch)
    ref = desk.pull(branch, "Voices", by="bob")
    for forge in (desk.app, desk.person("ada")):
        forge.say(ref, "<!-- doneright:summary -->\nAll.")
        mark = "a" * 16 if forge is desk.app else "b" * 16
        body = f"<!-- doneright:remark:{mark} -->\nWrong."
        forge.remark(ref, head, [PlacedRemark(fingerprint=mark, path="v.py", line=1, body=body)])
    desk.ask("ada", "POST", f"/repos/acme/desk/issues/{ref.number}/comments", {"body": "By hand"})
    by_app, by_token = desk.app.look_at(ref), desk.person("ada").look_at(ref)
    assert [review.reviewer.login for review in known(by_app.reviews)] == ["ada"]
    assert [review.reviewer.login for review in known(by_token.reviews)] == ["done-right[bot]"]
    for looked in (by_app, by_token):
        threads = known(looked.threads)
        assert [thread.comments[0].author.bot for thread in threads if thread.path] == [True, True]
        assert "By hand" in [thread.comments[0].body for thread in threads if not thread.path]
    assert len([thread for thread in known(by_token.threads) if not thread.path]) == 2


def test_drafts_forced_pushes_and_deleted_branches(desk):
    branch = "feature/1-states"
    desk.commit({"s.py": b"x = 1\n"}, branch)
    ref = desk.pull(branch, "States")
    node = desk.ask("bob", "GET", f"/repos/acme/desk/pulls/{ref.number}")["node_id"]
    desk.person("bob")._change_draft(node, draft=True)
    assert desk.app.look_at(ref).change.draft
    desk.commit({"README.md": b"# Theirs\n"}, "main", by="ada")
    desk.commit({"README.md": b"# Ours\n"}, branch)
    assert desk.app.look_at(ref).change.conflicts is True
    main = desk.repo["refs"]["refs/heads/main"]
    move(desk.hub, desk.repo, f"refs/heads/{branch}", main, desk.user("bob"), force=True)
    forced = desk.commit({"other.py": b"y = 1\n"}, branch)
    looked = desk.app.look_at(ref)
    assert (looked.change.head, looked.change.merge_base, looked.change.behind) == (forced, main, 0)
    desk.ask("bob", "PATCH", f"/repos/acme/desk/pulls/{ref.number}", {"state": "closed"})
    move(desk.hub, desk.repo, f"refs/heads/{branch}", None, desk.user("bob"))
    closed = desk.app.look_at(ref)
    assert (closed.change.state, closed.change.head) == (PullRequestState.CLOSED, forced)


def test_a_target_that_is_gone_leaves_its_standing_unknown(desk):
    desk.commit({"t.py": b"x = 1\n"}, "target", by="ada")
    tip = desk.repo["refs"]["refs/heads/target"]
    move(desk.hub, desk.repo, "refs/heads/source", tip, desk.user("bob"))
    desk.commit({"u.py": b"x = 1\n"}, "source")
    data = desk.ask("bob", "POST", "/repos/acme/desk/pulls", {"title": "T", "head": "source", "base": "target"})
    ref = ChangeRef(forge=ForgeName.GITHUB, repository=DESK, number=data["number"])
    move(desk.hub, desk.repo, "refs/heads/target", None, desk.user("ada"))
    looked = desk.app.look_at(ref)
    assert looked.change.base == tip
    assert looked.template == ""


@pytest.mark.parametrize("path", ["/graphql", "/compare/"])
def test_a_throttle_halfway_carries_its_wait(desk, path):
    branch = f"feature/1-throttled{path.replace('/', '-')}"
    desk.commit({"th.py": b"x\n"}, branch)
    ref = desk.pull(branch, "Throttled")
    desk.faults.clear()
    desk.faults.add({"kind": "rate_limited", "path": path, "seconds": 17})
    forge = desk.forge_of_app()
    with pytest.raises(TransientError) as caught:
        forge.look_at(ref)
    assert caught.value.retry_after == 17
    desk.faults.clear()


def test_a_required_check_is_told_as_such_by_protection_and_ruleset(desk):
    branch = "feature/1-required"
    head = desk.commit({"r.py": b"x\n"}, branch)
    ref = desk.pull(branch, "Required")
    for name in ("by protection", "by ruleset", "by nobody"):
        desk.ask("ada", "POST", f"/repos/acme/desk/statuses/{head}", {"state": "success", "context": name})
    desk.repo["protection"]["main"] = {"required_status_checks": {"contexts": ["by protection"], "checks": []}}
    rule = {"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "by ruleset"}], "strict_required_status_checks_policy": True}}  # fmt: skip
    body = {"name": "Main", "target": "branch", "enforcement": "active", "rules": [rule], "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}}  # fmt: skip
    desk.ask("ada", "POST", "/repos/acme/desk/rulesets", body)
    required = {check.name: check.required for check in known(desk.app.look_at(ref).checks)}
    assert required == {"by protection": True, "by ruleset": True, "by nobody": False}
    desk.repo["protection"], desk.repo["rulesets"] = {}, {}


@pytest.mark.parametrize("by", ["protection", "ruleset"])
def test_checks_that_the_target_requires_are_told_before_anybody_reports_them(desk, by):
    target = f"guarded-by-{by}"
    desk.commit({"a.txt": b"a\n"}, target, "Begin", by="ada")
    branch = f"feature/into-{by}"
    head = desk.commit({"b.txt": b"b\n"}, branch, "feat: b")
    ref = desk.pull(branch, "B", "b", base=target)
    checks = [{"context": "unit", "app_id": -1}]
    if by == "protection":
        rules = {
            "required_status_checks": {"strict": True, "checks": checks},
            "enforce_admins": None,
            "required_pull_request_reviews": None,
            "restrictions": None,
        }
        desk.ask("ada", "PUT", f"/repos/acme/desk/branches/{target}/protection", rules)
    else:
        parameters = {"strict_required_status_checks_policy": True, "required_status_checks": [{"context": "unit"}]}
        ruleset = {
            "name": "guard",
            "target": "branch",
            "enforcement": "active",
            "conditions": {"ref_name": {"include": [f"refs/heads/{target}"], "exclude": []}},
            "rules": [{"type": "required_status_checks", "parameters": parameters}],
        }
        desk.ask("ada", "POST", "/repos/acme/desk/rulesets", ruleset)
    for who in (desk.app, desk.person("ada")):  # an administrator, whom the protection does not bind
        (check,) = [one for one in known(who.look_at(ref).checks) if one.name == "unit"]
        assert (check.state, check.required, check.commit) == (CheckState.PENDING, True, head)


@pytest.mark.parametrize("field", ["rules", "refUpdateRule"])
def test_what_graphql_does_not_tell_of_a_branch_is_asked_by_rest(desk, monkeypatch, field):
    target, branch = f"told-by-rest-{field}", f"feature/by-rest-{field}"
    desk.commit({"a.txt": b"a\n"}, target, "Begin", by="ada")
    desk.commit({"b.txt": b"b\n"}, branch, "feat: b")
    ref = desk.pull(branch, "B", "b", base=target)
    desk.repo["protection"][target] = {"required_status_checks": {"contexts": ["old"], "checks": []}}
    parameters = {"strict_required_status_checks_policy": True, "required_status_checks": [{"context": "new"}]}
    ruleset = {
        "name": f"guard {field}",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{target}"], "exclude": []}},
        "rules": [{"type": "required_status_checks", "parameters": parameters}],
    }
    desk.ask("ada", "POST", "/repos/acme/desk/rulesets", ruleset)

    def refused(*_):
        raise GraphError("FORBIDDEN", "Resource not accessible by integration")

    kind, _ = SCHEMA["Ref"][field]
    monkeypatch.setitem(SCHEMA["Ref"], field, (kind, refused))
    names = {one.name for one in known(desk.app.look_at(ref).checks) if one.required}
    assert names == {"old", "new"}
    desk.repo["protection"], desk.repo["rulesets"] = {}, {}
