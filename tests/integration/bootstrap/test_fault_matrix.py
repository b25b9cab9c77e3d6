"""Whatever happens to whichever step ends in exactly one of each resource, or in nothing left behind.

The real runbooks, activities and adapters run against both simulators on a virtual clock. Each case hits requests of one
step alone: its first read, and its first, middle and last change. `make test` plays a sixth of the cases with one request
each, drawn with a fixed seed; `make test-all` plays all of them, and a sixth of those of a further repository's steps,
which are the main one's about another repository.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest

from shared.domain.decision import Choice
from shared.domain.forge import ForgeName
from shared.projects.further_repositories import OF_A_STACK, OF_EVERY_REPOSITORY
from shared.projects.steps import definitions
from tests.integration.bootstrap import inventory
from tests.integration.bootstrap.forges import Sandboxes, Sent
from tests.integration.bootstrap.matrix import (
    FAULTS,
    FURTHER,
    SEED,
    Case,
    Fault,
    Outcome,
    cases,
    further_cases,
    further_steps,
    plan,
    sampled,
    targets,
)
from tests.integration.bootstrap.runs import Ended, Player, a_request

WHOLE = cases()
SAMPLE = sampled(WHOLE)
FURTHER_SAMPLE = sampled(further_cases())


@dataclass(frozen=True)
class Calm:
    """What becomes of a bootstrap that nothing happens to."""

    found: dict[str, Any]
    states: dict[str, str]
    sent: list[Sent]


@pytest.fixture(scope="session")
def calm(served_forges: Sandboxes) -> dict[ForgeName, Calm]:
    """Played once on each forge."""
    return calmly(served_forges)


@pytest.fixture(scope="session")
def calm_further(served_forges: Sandboxes) -> dict[ForgeName, Calm]:
    """Played once on each forge, with a further repository."""
    return calmly(served_forges, **FURTHER)


def calmly(served_forges: Sandboxes, **changes: Any) -> dict[ForgeName, Calm]:
    """A bootstrap on each forge."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        for forge in ForgeName:
            served_forges.reset()
            ended = Player(served_forges, patch).play(a_request(frozenset({forge}), **changes))
            assert ended.state == "completed", ended.why()
            made[forge] = Calm(ended.found, ended.states(), list(served_forges.sent))
    return made


def requests_of(calm: Calm, case: Case) -> list[int]:
    """The requests of the case's step that are worth hitting. A step that says "not supported" may send none."""
    there = targets(calm.sent, case.step, case.fault)
    if not there:
        assert calm.states[case.step] == "unsupported"
        pytest.skip(f"{case.step} asks the forge nothing: it is not supported there")
    return there


def hit(player: Player, forge: ForgeName, work: str, fault: Fault, request: int) -> Any:
    """Aim ``fault`` at that request of ``work``; what tells how often it fired."""
    if fault.kills:
        player.sandboxes.deaths[work] = request
        return None
    return player.sandboxes.faults[forge].aim(work, *fault.rules(request))


def played(player: Player, case: Case, request: int, calm: Calm, **changes: Any) -> None:
    """One case, from the first state of the forges to what must stand there; ``changes`` of the request are as calm had."""
    player.sandboxes.reset()
    before = inventory.of(player.sandboxes.state.data)
    aimed = hit(player, case.forge, case.step, case.fault, request)
    faults = player.sandboxes.faults[case.forge]
    asked = a_request(frozenset({case.forge}), **changes)
    ended = player.play(asked, decide=case.outcome.decision, lift=faults.clear)
    told = f"seed {SEED}, {case}, request {request}\n" + "\n".join(ended.why())
    fired = ended.deaths if aimed is None else sum(rule["fired"] for rule in aimed.listing())
    assert fired, f"the fault never hit: {told}"
    ended.assert_on_record()
    if case.outcome is Outcome.COMPENSATED:
        assert_nothing_left(ended, before, told)
    else:
        assert_one_of_each(ended, calm, told)


def assert_one_of_each(ended: Ended, calm: Calm, told: str) -> None:
    """The project stands as if nothing had happened."""
    assert ended.state == "completed", told
    assert {step: state for step, state in ended.states().items() if state != "confirmed"}.items() <= (
        calm.states.items()
    ), told
    assert inventory.differences(calm.found, ended.found) == [], told


def assert_nothing_left(ended: Ended, before: dict[str, Any], told: str) -> None:
    """The forges stand as they did before, and the project's ledger claims nothing."""
    assert ended.state == "compensated", told
    assert inventory.differences(before, ended.found) == [], told
    assert list(ended.app.ports.ledger("order-desk").intents()) == [], told


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_a_sampled_fault_ends_in_one_of_each_or_in_nothing_left(
    player: Player, calm: dict[ForgeName, Calm], case: Case
) -> None:
    there = requests_of(calm[case.forge], case)
    played(player, case, random.Random(f"{SEED} {case}").choice(there), calm[case.forge])


@pytest.mark.slow
@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_every_fault_of_every_step_ends_in_one_of_each_or_in_nothing_left(
    player: Player, calm: dict[ForgeName, Calm], case: Case
) -> None:
    for request in requests_of(calm[case.forge], case):
        played(player, case, request, calm[case.forge])


@pytest.mark.slow
@pytest.mark.parametrize("case", FURTHER_SAMPLE, ids=str)
def test_a_fault_at_a_further_repository_ends_in_one_of_each_or_in_nothing_left(
    player: Player, calm_further: dict[ForgeName, Calm], case: Case
) -> None:
    there = requests_of(calm_further[case.forge], case)
    request = random.Random(f"{SEED} {case}").choice(there)
    played(player, case, request, calm_further[case.forge], **FURTHER)


def test_the_matrix_has_every_step_that_is_planned_and_every_fault_of_the_sandbox() -> None:
    assert {case.step for case in WHOLE} == {step.id for step in plan().steps}
    assert {step.forge for step in plan().steps} == set(ForgeName)
    kinds = {rule["kind"] for fault in FAULTS for rule in fault.rules(0)}
    assert kinds == {
        "answer_lost", "connection_reset", "expired_token", "latency", "rate_limited", "server_error", "unavailable",
    }  # fmt: skip
    assert {case.outcome.decision for case in WHOLE} == {None, Choice.RETRY, Choice.COMPENSATE}
    for sample, steps in ((SAMPLE, plan().steps), (FURTHER_SAMPLE, further_steps())):
        assert {case.step for case in sample} == {step.id for step in steps}
        assert {case.fault.name for case in sample} == {fault.name for fault in FAULTS}


def test_the_matrix_has_every_kind_of_step_that_a_request_can_draw() -> None:
    # An inherited process and what was there before are asked for by the connection and by adopting.
    elsewhere = {"existing_project", "existing_repository", "inherited_process"}
    assert {step.kind for step in plan().steps} == definitions().keys() - elsewhere
    for forge in ForgeName:
        kinds = {step.kind for step in further_steps() if step.forge is forge}
        assert kinds == OF_EVERY_REPOSITORY[forge] | OF_A_STACK[forge]
