"""Whatever happens to whichever call of a review, its verdict stands on the forge once, or it says that there is none.

The real runbook, activities, adapters and gates run against both simulators on a virtual clock. Each case hits one request
of one activity, of the first verdict or of the one after a further push. `make test` plays a sixth of the cases with one
request each, drawn with a fixed seed; `make test-all` plays all of them: what is most harmful hits every request, the rest
the first read and the first, middle and last change.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from shared.domain.forge import ForgeName
from shared.domain.review import ReviewState, Ruling
from tests.integration.bootstrap.forges import Sandboxes, Sent
from tests.integration.bootstrap.matrix import FAULTS, SEED, Fault, targets
from tests.integration.reviews.rounds import Rounds, Stands

SHARE = 6
MOMENTS = (("first", "collect_evidence"), ("first", "publish_review"), ("next", "publish_review"))
"""Which verdict, and which of its activities asks the forge."""
MOST_HARMFUL = frozenset({"unavailable", "answer lost", "process killed", "outage without end"})
READS = frozenset({"GET", "OPTIONS"})


@dataclass(frozen=True)
class Case:
    """What happens, and when."""

    forge: ForgeName
    verdict: str
    work: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.forge}, {self.verdict} verdict, {self.work}, {self.fault.name}"


WHOLE = [Case(forge, *moment, fault) for forge, moment, fault in product(ForgeName, MOMENTS, FAULTS)]
SAMPLE = random.Random(SEED).sample(WHOLE, len(WHOLE) // SHARE)


@dataclass(frozen=True)
class Calm:
    """What becomes of a review that nothing happens to."""

    stands: Stands
    sent: list[Sent]


def _until(case_verdict: str, rounds: Rounds) -> None:
    """Let happen what comes before the verdict that a case is about."""
    rounds.open()
    if case_verdict == "next":
        rounds.play()
        rounds.push()


@pytest.fixture(scope="session")
def calm(review_sandboxes: Sandboxes) -> Iterator[dict[tuple[ForgeName, str], Calm]]:
    """Each verdict once on each forge."""
    with pytest.MonkeyPatch.context() as patch:
        made = {}
        for forge, verdict in product(ForgeName, ("first", "next")):
            rounds = Rounds(review_sandboxes, patch, forge)
            _until(verdict, rounds)
            before = len(review_sandboxes.sent)
            rounds.play()
            assert rounds.record().ruling is Ruling.FAILED, rounds.record()
            stands = rounds.stands()
            assert stands.check == "failure"
            rounds.assert_said_once()
            made[forge, verdict] = Calm(stands, review_sandboxes.sent[before:])
        yield made


def requests_of(calm: Calm, case: Case) -> list[int]:
    """Numbers of the requests of the case's work that its fault may hit."""
    requests = [one for one in calm.sent if one.work == case.work]
    assert requests
    return [place for place, one in enumerate(requests) if case.fault.hits_reads or one.method not in READS]


def played(rounds: Rounds, case: Case, request: int, calm: Calm) -> None:
    """One case, from the opening of the pull request to what must stand there."""
    told = f"seed {SEED}, {case}, request {request}"
    _until(case.verdict, rounds)
    sandboxes, faults = rounds.sandboxes, rounds.sandboxes.faults[case.forge]
    # Requests are counted by the activity's name: what the verdict before sent is not what the case is about.
    sandboxes.sent.clear()
    aimed: Any = None
    if case.fault.kills:
        sandboxes.deaths[case.work] = request
    else:
        aimed = faults.aim(case.work, *case.fault.rules(request))
    rounds.play()
    fired = rounds.deaths if aimed is None else sum(rule["fired"] for rule in aimed.listing())
    assert fired, f"the fault never hit: {told}"
    rounds.assert_said_once(told)
    record = rounds.record()
    if case.fault.ends:
        assert record.state is ReviewState.COMPLETED, f"{record}: {told}"
    else:
        assert rounds.stands().check != "success", told
        assert record.reason, told
        faults.clear()
        rounds.play()
        rounds.assert_said_once(told)
    assert rounds.record().ruling is Ruling.FAILED, f"{rounds.record()}: {told}"
    assert rounds.stands() == calm.stands, told
    rounds.assert_on_record()


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_a_sampled_fault_leaves_the_verdict_standing_once(
    review_sandboxes: Sandboxes,
    monkeypatch: pytest.MonkeyPatch,
    calm: dict[tuple[ForgeName, str], Calm],
    case: Case,
) -> None:
    expected = calm[case.forge, case.verdict]
    request = random.Random(f"{SEED} {case}").choice(requests_of(expected, case))
    played(Rounds(review_sandboxes, monkeypatch, case.forge), case, request, expected)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_every_fault_leaves_the_verdict_standing_once(
    review_sandboxes: Sandboxes,
    monkeypatch: pytest.MonkeyPatch,
    calm: dict[tuple[ForgeName, str], Calm],
    case: Case,
) -> None:
    expected = calm[case.forge, case.verdict]
    every = case.fault.name in MOST_HARMFUL
    for request in requests_of(expected, case) if every else targets(expected.sent, case.work, case.fault):
        played(Rounds(review_sandboxes, monkeypatch, case.forge), case, request, expected)


def test_the_matrix_knows_both_forges_every_fault_and_every_activity_that_asks_one(
    calm: dict[tuple[ForgeName, str], Calm],
) -> None:
    assert {case.forge for case in SAMPLE} == set(ForgeName)
    for (_, verdict), one in calm.items():
        asking = {sent.work for sent in one.sent} - {""}
        assert asking == {"collect_evidence", "publish_review"}, verdict
