"""Counts the forge calls of one bootstrap, and of a run that changes nothing, beside one read and one write a resource.

The real runbook, activities and adapters play against both simulators on a virtual clock; the calls are those that the
simulators saw, by their own ``/_requests``. Counted is the second project of a process, since the first one of the Azure
DevOps client asks once what the service offers. A resource is what a forge can have or lack by itself, and what one call
can make: a project, a commit, a policy, a label, a page, a subscription, a work item, the membership of a team. How many
there are follows from the plan, by the table below, and from nothing that the adapters do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.result import BenchError, Result, compare
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan, PlanStep
from tests.integration.bootstrap.forges import Sandboxes, both_forges
from tests.integration.bootstrap.runs import Ended, Player, a_request

GOAL = 1.2
PEER, PEER_UNCHANGED = "one read and one write a resource", "one read a resource"


def _policies(step: PlanStep) -> int:
    """On GitHub the protection and the repository's merge kinds; on Azure DevOps each is a policy of its own."""
    rules: Any = step.inputs["rules"]
    if step.forge is ForgeName.GITHUB:
        return 2
    asked = (rules["minimum_reviewers"] > 0, rules["require_resolved_comments"], rules["require_linked_work_items"])
    return sum(asked) + 1


def _teams(step: PlanStep) -> int:
    """Each team, its membership of the group whose role it has, and its members."""
    teams: Any = step.inputs["teams"]
    return sum(2 + len(team["members"]) for team in teams)


def _classification(step: PlanStep) -> int:
    """Each area and iteration, each iteration that the default team plans in, and the areas it sees."""
    areas, iterations = step.inputs["areas"], step.inputs["iterations"] or step.inputs["otherwise"]
    assert isinstance(areas, list)
    assert isinstance(iterations, list)
    return len(areas) + 2 * len(iterations) + bool(areas)


def _environments(step: PlanStep) -> int:
    """Each environment, and each check on one."""
    environments: Any = step.inputs["environments"]
    return len(environments) + sum(bool(environment["approvers"]) for environment in environments)


def _listed(name: str, beside: int = 0) -> Callable[[PlanStep], int]:
    return lambda step: len(list(step.inputs[name])) + beside  # type: ignore[arg-type]


RESOURCES: Mapping[str, Callable[[PlanStep], int]] = {
    "backlog": _listed("items"),
    "branch_rules": _policies,
    "build_validation": lambda _: 1,
    "classification": _classification,
    "deployment_environments": _listed("environments"),
    "environments": _environments,
    "hook": lambda step: 1 if step.inputs["one_hook"] else len(list(step.inputs["events"])),  # type: ignore[arg-type]
    "labels": _listed("labels"),
    "notifications": _listed("notifications"),
    "pipeline": lambda _: 1,
    "pipeline_permissions": _listed("environments", beside=1),
    "project": lambda _: 1,
    "repository": lambda _: 1,
    "review_check": lambda _: 1,
    "scaffold": lambda _: 1,
    "security": _listed("features"),
    "teams": _teams,
    "topics": lambda _: 1,
    "variable_group": lambda _: 1,
    "wiki": _listed("pages", beside=1),
}
"""By kind of step: how many resources it is about."""


def resources(plan: Plan) -> int:
    """How many resources ``plan`` is about.

    Raises:
        BenchError: it has a kind of step whose resources nobody has counted.
    """
    if unknown := sorted({step.kind for step in plan.steps} - set(RESOURCES)):
        raise BenchError(f"bench/bootstrap_calls.py does not say how many resources these steps make: {unknown}")
    return sum(RESOURCES[step.kind](step) for step in plan.steps)


class Counted:
    """A process that has made a project before, and the calls of the next runs."""

    def __init__(self, sandboxes: Sandboxes, patch: pytest.MonkeyPatch) -> None:
        self._player = Player(sandboxes, patch)
        self._sandboxes = sandboxes
        self.play(name="First Desk")

    def play(self, *, after: Ended | None = None, **changes: Any) -> tuple[Ended, Counter[str]]:
        """A run and its calls by the step that made them.

        Raises:
            BenchError: it did not complete.
        """
        for url in self._sandboxes.urls.values():
            httpx.delete(f"{url}/_requests", timeout=30)
        self._sandboxes.sent.clear()
        ended = self._player.play(a_request(**changes), after=after)
        if ended.state != "completed":
            raise BenchError(f"the counted bootstrap ended {ended.why()}")
        by_work = Counter(sent.work for sent in self._sandboxes.sent)
        seen = sum(len(httpx.get(f"{url}/_requests", timeout=30).json()) for url in self._sandboxes.urls.values())
        if seen != by_work.total():
            raise BenchError(f"the simulators saw {seen} calls, of which {by_work.total()} are known by their step")
        return ended, by_work


@contextmanager
def counted() -> Iterator[Counted]:
    """Both forges, served for as long as is counted. Projects are made at once, so that nobody asks twice."""
    with both_forges(project_seconds=(0.0, 0.0)) as sandboxes, pytest.MonkeyPatch.context() as patch:
        yield Counted(sandboxes, patch)


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Count both rows; the same on any machine. ``folder`` is not needed, and nothing can be shortened."""
    del folder, quick
    with counted() as world:
        made, making = world.play()
        _, looking = world.play(after=made)
        count = resources(made.plan())
    return [
        compare("forge calls of a bootstrap", "calls", [making.total()], peer_name=PEER, peer=[2.0 * count], goal=GOAL),
        compare(
            "forge calls of a run that changes nothing",
            "calls",
            [looking.total()],
            peer_name=PEER_UNCHANGED,
            peer=[float(count)],
            goal=GOAL,
        ),
    ]
