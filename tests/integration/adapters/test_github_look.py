"""Looking at a pull request of GitHub, against the simulator and its contract."""

import pytest

from shared.domain.change import CheckState, ReviewState
from shared.domain.pull_request import PullRequestState
from tests.integration.adapters.github_reviews import known, world


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
    assert desk.app.calls - before == 3

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
