from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agents.health import FAILING_AFTER, REMEMBERED, AgentHealth, HealthState, after, remember
from shared.domain.review import AgentName, AgentReport
from shared.errors import ConflictError
from tests.fakes.changes import NOW
from tests.fakes.storage import MemoryRecords

Q = AgentName.QUALITY


def report(trouble: str = "", seconds: float = 1.0, **rest: object) -> AgentReport:
    return AgentReport.model_validate({"agent": Q, "trouble": trouble, "seconds": seconds} | rest)


def course(*troubles: str) -> AgentHealth:
    health: AgentHealth | None = None
    for number, trouble in enumerate(troubles):
        health = after(health, report(trouble, seconds=number + 1), NOW + timedelta(minutes=number))
    return health or AgentHealth(agent=Q)


@pytest.mark.parametrize(
    ("troubles", "state"),
    [
        ((), HealthState.SILENT),
        (("",), HealthState.HEALTHY),
        (("429", ""), HealthState.HEALTHY),
        (("", "429"), HealthState.TROUBLED),
        (("429", "429"), HealthState.TROUBLED),
        (("429", "429", "429"), HealthState.FAILING),
        (("429", "429", "429", ""), HealthState.HEALTHY),
    ],
)
def test_the_state_follows_the_latest_answers(troubles, state):
    assert course(*troubles).state is state


def test_answers_are_kept_newest_first_with_their_figures():
    health = after(course("", "slow"), report(seconds=9, tokens=50, model="m", opinions=()), NOW)
    assert [one.seconds for one in health.answers] == [9, 2, 1]
    assert health.median_seconds == 2
    assert (health.asked, health.failed) == (3, 1)
    assert health.last_trouble is not None
    assert health.last_trouble.trouble == "slow"
    assert (health.answers[0].model, health.answers[0].tokens) == ("m", 50)


def test_an_agent_that_was_never_asked_has_no_figures():
    health = AgentHealth(agent=Q)
    assert health.median_seconds is None
    assert health.last_trouble is None


def test_an_answer_of_another_agent_is_refused():
    with pytest.raises(ValueError, match="security is none of quality"):
        after(course(""), AgentReport(agent=AgentName.SECURITY), NOW)


def test_long_trouble_is_cut_and_json_keeps_all():
    health = course("x" * 2_000)
    assert len(health.answers[0].trouble) == 500
    assert AgentHealth.model_validate_json(health.model_dump_json()) == health


@given(st.lists(st.booleans(), max_size=60))
@settings(deadline=None)
def test_only_so_many_are_remembered_and_all_are_counted(failures):
    health = course(*("trouble" if one else "" for one in failures))
    assert len(health.answers) == min(REMEMBERED, len(failures))
    assert (health.asked, health.failed) == (len(failures), sum(failures))
    latest = failures[::-1][:FAILING_AFTER]
    assert (health.state is HealthState.FAILING) == (len(latest) == FAILING_AFTER and all(latest))


class Contended(MemoryRecords[AgentHealth]):
    """Somebody else writes right before each of the first writes."""

    def __init__(self, others: int) -> None:
        super().__init__(AgentHealth)
        self.others = others

    def _write(self, partition: str, key: str, record: AgentHealth) -> str:
        if self.others:
            self.others -= 1
            found = self._rows.get((partition, key))
            before = AgentHealth.model_validate_json(found[2]) if found else None
            super()._write(partition, key, after(before, report(), NOW))
            raise ConflictError("somebody was first")
        return super()._write(partition, key, record)


def test_answers_that_arrive_at_the_same_moment_are_all_counted():
    records = Contended(others=2)
    remember(records, report("429"), NOW)
    (kept,) = [one for _, _, one in records.list()]
    assert (kept.asked, kept.failed) == (3, 1)


def test_a_crowd_costs_one_answer_and_never_a_review():
    records = Contended(others=50)
    remember(records, report("429"), NOW)
    assert all(one.failed == 0 for _, _, one in records.list())
