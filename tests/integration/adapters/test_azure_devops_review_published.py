"""A whole verdict on Azure Repos, on the simulator: published, published again with answers lost, mended, merged."""

import pytest

from shared.domain.forge import ForgeName, MergeKind
from shared.domain.publication import SUMMARY_MARKER
from shared.errors import TransientError
from shared.reviews.publishing import BLOCKED, READY, announce, publish
from tests.fakes.reviewed import APP, blocked, green
from tests.fakes.talk import Talk
from tests.integration.adapters.azure_reviews import REPOSITORY, desk


@pytest.fixture
def place():
    with desk() as made:
        yield made


def reviewed(place, change, make, head):
    return make(ForgeName.AZURE_DEVOPS, ref=change, head=head, base=place.main, url="https://x.example")


def insist(publication, tries=20):
    for _ in range(tries):
        try:
            return publication()
        except TransientError:
            continue
    raise AssertionError("it never got through")


@pytest.mark.parametrize("lost", [None, "/threads", "/comments", "/statuses", "/labels"])
def test_a_verdict_stands_there_once_is_mended_and_merged(place, lost):
    ports = Talk(ForgeName.AZURE_DEVOPS).ports
    place.forge.require_status(REPOSITORY, "main", "doneright", "review")
    head = place.push("feature/x", {"src/app.py": APP.encode()})
    change = place.open()

    def tell(make, head):
        looked = place.look(change)
        files = place.forge.changed_files(looked.change)
        return publish(place.forge, ports, reviewed(place, change, make, head), looked.change, files)

    announce(place.forge, change, head, "https://x.example/1")
    if lost:
        place.sandbox.faults.add({"kind": "answer_lost", "method": "POST", "path": lost, "count": 2})
    told = insist(lambda: tell(blocked, head))
    assert not told.superseded
    threads = place.threads(change)
    beside = [one for one in threads if one["threadContext"]]
    summaries = [one for one in threads if SUMMARY_MARKER in one["comments"][0]["content"]]
    assert sorted(one["threadContext"]["rightFileStart"]["line"] for one in beside) == [4, 5]
    assert (len(summaries), summaries[0]["status"]) == (1, None)
    assert place.look(change).change.labels == (BLOCKED,)
    assert not place.forge.merge(change, head, MergeKind.SQUASH, "x").merged
    again = tell(blocked, head)
    assert (again.said, again.summary) == ((), f"{summaries[0]['id']}:1")
    assert [one["id"] for one in place.threads(change)] == [one["id"] for one in threads]

    place.sandbox.faults.clear()
    mended = place.push("feature/x", {"src/app.py": APP.replace("AKIA", "").encode()})
    assert tell(blocked, head).superseded
    told = tell(green, mended)
    assert len(told.resolved) == len(beside)
    after = place.threads(change)
    assert {one["status"] for one in after if one["threadContext"]} == {"fixed"}
    assert len(after) == len(threads)
    assert place.look(change).change.labels == (READY,)
    assert place.forge.merge(change, mended, MergeKind.SQUASH, "x").merged
