"""A later run of a project that fails for good takes back what it made itself, and nothing that stood there before.

A first run makes a small project, whose reviews advise. A second one asks for more of everything and finds that reviews
block; one of its steps fails, and it is compensated, while the forges fail in turn at what compensating sends. In the
end the small project stands as it did.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.domain.connection import Mode
from shared.domain.decision import Choice
from shared.domain.forge import ForgeName
from shared.domain.project import ProjectRequest
from tests.integration.bootstrap import inventory
from tests.integration.bootstrap.forges import Sandboxes, Sent
from tests.integration.bootstrap.matrix import FAULTS, SEED, Fault, plan, targets
from tests.integration.bootstrap.runs import Ended, Player, a_request

SMALL: dict[str, Any] = {"teams": [], "environments": [], "topics": [], "areas": [], "backlog": []}
LOST_THEN_EXPIRED = next(fault for fault in FAULTS if fault.name == "answer lost, then expired credential")
EXPIRED = next(fault for fault in FAULTS if fault.name == "expired credential")
PASSING = [fault for fault in FAULTS if fault.ends]
IN_THE_SAMPLE = {"answer lost", "process killed", "server error"}


def large(forge: ForgeName) -> ProjectRequest:
    """All of what can be asked for on ``forge``."""
    return a_request(frozenset({forge}))


def last_step(sent: list[Sent]) -> str:
    """The last step of the plan that asks the forge anything, and that no other needs."""
    needed = {name for step in plan().steps for name in step.depends_on}
    asking = {one.work for one in sent}
    return [step.id for step in plan().steps if step.id in asking - needed][-1]


@dataclass(frozen=True)
class Grown:
    """What a second run sends that nothing happens to, and one that is compensated when its last step fails."""

    making: list[Sent]
    compensating: list[Sent]


def small(player: Player, forge: ForgeName) -> Ended:
    """A small project that needs no review, and nothing else."""
    player.sandboxes.reset()
    ended = player.play(a_request(frozenset({forge}), **SMALL), review_mode=Mode.ADVISORY)
    assert ended.state == "completed", ended.why()
    player.sandboxes.sent.clear()
    return ended


def compensated(player: Player, forge: ForgeName, first: Ended) -> Ended:
    """The second run, compensated after somebody mended what was aimed at its steps; what is aimed at reversals stays."""
    faults = player.sandboxes.faults[forge]

    def lift() -> None:
        faults.aims = [(work, rules) for work, rules in faults.aims if work.startswith("reverse ")]

    return player.play(large(forge), after=first, decide=Choice.COMPENSATE, lift=lift)


def assert_as_it_was(first: Ended, ended: Ended, told: str) -> None:
    """The small project stands as it did, and the record of both runs verifies."""
    told = f"seed {SEED}, {told}\n" + "\n".join(ended.why())
    assert ended.state == "compensated", told
    assert inventory.differences(first.found, ended.found) == [], told
    ended.assert_on_record()


@pytest.fixture(scope="session")
def grown(served_forges: Sandboxes) -> Iterator[dict[ForgeName, Grown]]:
    """Played once on each forge."""
    with pytest.MonkeyPatch.context() as patch:
        player, found = Player(served_forges, patch), {}
        for forge in ForgeName:
            ended = player.play(large(forge), after=small(player, forge))
            assert ended.state == "completed", ended.why()
            making = list(served_forges.sent)
            first = small(player, forge)
            served_forges.faults[forge].aim(last_step(making), *EXPIRED.rules(0))
            assert_as_it_was(first, compensated(player, forge, first), "calm")
            found[forge] = Grown(making, list(served_forges.sent))
        yield found


def changing(sent: list[Sent]) -> list[str]:
    """The steps that changed something, each once."""
    return list(
        dict.fromkeys(one.work for one in sent if one.work and one.method in {"PUT", "PATCH", "DELETE", "POST"})
    )


@pytest.mark.parametrize("forge", ForgeName)
def test_wherever_a_later_run_fails_the_project_stands_as_it_did(
    player: Player, grown: dict[ForgeName, Grown], forge: ForgeName
) -> None:
    steps = changing(grown[forge].making)
    assert f"{forge}.review_check" in steps
    for step in steps:
        first = small(player, forge)
        request = targets(grown[forge].making, step, LOST_THEN_EXPIRED)[-1]
        aimed = player.sandboxes.faults[forge].aim(step, *LOST_THEN_EXPIRED.rules(request))
        ended = compensated(player, forge, first)
        assert all(rule["fired"] for rule in aimed.listing()), step
        assert_as_it_was(first, ended, f"{step} fails after request {request}")


@pytest.mark.parametrize("forge", ForgeName)
@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=[] if fault.name in IN_THE_SAMPLE else [pytest.mark.slow]) for fault in PASSING],
    ids=lambda fault: fault.name,
)
def test_whatever_happens_to_a_reversal_the_project_stands_as_it_did(
    player: Player, grown: dict[ForgeName, Grown], forge: ForgeName, fault: Fault
) -> None:
    reversals = [work for work in changing(grown[forge].compensating) if work.startswith("reverse ")]
    assert f"reverse {forge}.review_check" in reversals
    draw = random.Random(f"{SEED} {forge} {fault.name}")
    for work in reversals:
        first = small(player, forge)
        player.sandboxes.faults[forge].aim(last_step(grown[forge].making), *EXPIRED.rules(0))
        request = draw.choice(targets(grown[forge].compensating, work, fault))
        if fault.kills:
            player.sandboxes.deaths[work] = request
            ended = compensated(player, forge, first)
            assert ended.deaths == 1, work
        else:
            aimed = player.sandboxes.faults[forge].aim(work, *fault.rules(request))
            ended = compensated(player, forge, first)
            assert any(rule["fired"] for rule in aimed.listing()), work
        assert_as_it_was(first, ended, f"{fault.name} at request {request} of {work}")
