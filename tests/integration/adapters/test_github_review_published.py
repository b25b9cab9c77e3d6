"""A whole verdict on GitHub, on the simulator: published, published again with answers lost, mended, merged."""

import pytest

from shared.domain.forge import ForgeName, MergeKind
from shared.domain.publication import SUMMARY_MARKER
from shared.errors import TransientError
from shared.reviews.publishing import BLOCKED, READY, announce, publish
from tests.fakes.reviewed import APP, blocked, green
from tests.fakes.talk import Talk
from tests.integration.adapters.github_reviews import DESK, world

BRANCH = "feature/7-x"


@pytest.fixture
def desk():
    with world() as made:
        yield made


def insist(publication, tries=20):
    for _ in range(tries):
        try:
            return publication()
        except TransientError:
            continue
    raise AssertionError("it never got through")


@pytest.mark.parametrize(
    ("by", "lost"),
    [
        ("app", None),
        ("app", "/reviews"),
        ("app", "/comments"),
        ("app", "/check-runs"),
        ("app", "/labels"),
        ("app", "/graphql"),
        ("app", "/sarifs"),
        ("token", "/statuses/"),
        ("token", "/comments"),
    ],
)
def test_a_verdict_stands_there_once_is_mended_and_merged(desk, lost, by):
    forge = desk.app if by == "app" else desk.person("ada")
    ports = Talk(ForgeName.GITHUB).ports
    base = desk.repo["refs"]["refs/heads/main"]
    head = desk.commit({"src/app.py": APP.encode()}, BRANCH)
    change = desk.pull(BRANCH)
    pull = desk.repo["issues"][str(change.number)]
    desk.repo["protection"]["main"] = {
        "required_status_checks": {"contexts": ["doneright/review"], "checks": []},
        "enforce_admins": True,
    }

    def tell(make, head):
        looked = forge.look_at(change).change
        files = forge.changed_files(looked)
        reviewed = make(ForgeName.GITHUB, ref=change, head=head, base=base, url="https://x.example")
        return publish(forge, ports, reviewed, looked, files)

    announce(forge, change, head, "https://x.example/1")
    if lost:
        desk.faults.add({"kind": "answer_lost", "method": "POST", "path": lost, "count": 2})
    told = insist(lambda: tell(blocked, head))
    desk.faults.clear()
    assert not told.superseded
    beside = list(pull["pull"]["review_comments"].values())
    summaries = [one for one in pull["comments"].values() if SUMMARY_MARKER in one["body"]]
    assert sorted((one["start_line"] or one["line"]) for one in beside) == [4, 5]
    assert len(summaries) == 1
    assert forge.look_at(change).change.labels == (BLOCKED,)
    assert not forge.merge(change, head, MergeKind.SQUASH, "x").merged
    again = tell(blocked, head)
    assert again.said == ()
    assert len(pull["pull"]["review_comments"]) == len(beside)
    assert len(pull["comments"]) == 1

    mended = desk.commit({"src/app.py": APP.replace("AKIA", "").encode()}, BRANCH)
    assert tell(blocked, head).superseded
    told = tell(green, mended)
    assert len(told.resolved) == len(beside)
    assert all(thread["resolved"] for thread in pull["pull"]["threads"].values())
    assert (len(pull["comments"]), len(pull["pull"]["review_comments"])) == (1, len(beside))
    assert forge.look_at(change).change.labels == (READY,)
    assert forge.merge(change, mended, MergeKind.SQUASH, "x").merged
    forge.delete_branch(DESK, BRANCH, mended)
    assert f"refs/heads/{BRANCH}" not in desk.repo["refs"]
