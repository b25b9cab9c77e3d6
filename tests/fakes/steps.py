"""A bench to try single steps of a plan on, over in-memory forges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.plan import Plan, PlanStep, Reversal, ReversalState, StepOutcome, StepState
from shared.projects.steps import definitions
from shared.projects.steps.step import StepContext
from tests.fakes.app import App
from tests.fakes.forges import MemoryForge


@dataclass
class Bench:
    """The plan's steps can be tried one at a time; each try sees what a worker on another machine would see."""

    app: App
    plan: Plan
    instance: str = "run-1"

    def forge(self, name: str) -> MemoryForge:
        """The forge of that name."""
        return self.app.github if name == "github" else self.app.azure

    def step(self, step_id: str, **inputs: Any) -> PlanStep:
        """A step of the plan, with inputs changed."""
        found = self.plan.step(step_id)
        return found.model_copy(update={"inputs": {**found.inputs, **inputs}})

    def ref(self, step_id: str) -> RepositoryRef:
        """The repository a step is about."""
        inputs = self.plan.step(step_id).inputs
        return RepositoryRef(owner=str(inputs["owner"]), name=str(inputs["repository"]))

    def attempt(
        self, step_id: str, *, tracker: bool = True, memory: Mapping[str, Any] | None = None, **inputs: Any
    ) -> StepOutcome:
        """One try, which remembers ``memory`` of the one before."""
        step = self.step(step_id, **inputs)
        return definitions()[step.kind].ensure(self._context(tracker=tracker, memory=memory), step)

    def reverse(self, step_id: str, *, memory: Mapping[str, Any] | None = None, **inputs: Any) -> Reversal:
        """One try of taking a step back, which remembers ``memory`` of the one before."""
        step = self.step(step_id, **inputs)
        reverse = definitions()[step.kind].reverse
        assert reverse is not None
        return reverse(self._context(memory=memory), step)

    def reversed(self, step_id: str, **inputs: Any) -> Reversal:
        """Take a step back to its end."""
        memory: Mapping[str, Any] = {}
        for _ in range(10):
            reversal = self.reverse(step_id, memory=memory, **inputs)
            memory = reversal.observed
            if reversal.state is not ReversalState.WAITING:
                break
        return reversal

    def intents(self) -> list[str]:
        """Every resource and mark in the project's ledger."""
        return list(self.app.ports.ledger(self.plan.project).intents())

    def of_an_earlier_run(self) -> None:
        """What was made so far is now an earlier run's."""
        self.instance = f"{self.instance}+"

    def _context(self, *, tracker: bool = True, memory: Mapping[str, Any] | None = None) -> StepContext:
        return StepContext(
            forges={ForgeName.GITHUB: self.app.github, ForgeName.AZURE_DEVOPS: self.app.azure},
            tracker=self.app.azure if tracker else None,
            artifacts=self.app.artifacts,
            ledger=self.app.ports.ledger(self.plan.project, self.instance),
            hook_secret=lambda forge: f"secret of {forge}",
            together=self.app.ports.together,
            memory=memory or {},
            settings=self.app.github,
        )

    def made(self, *step_ids: str) -> None:
        """Bring steps to their end; each must succeed."""
        for step_id in step_ids:
            for _ in range(5):
                outcome = self.attempt(step_id)
                if outcome.state is not StepState.WAITING:
                    break
            assert outcome.state in {StepState.APPLIED, StepState.CONFIRMED}, outcome

    def twice(self, step_id: str) -> StepOutcome:
        """Made, then tried again: nothing may change the second time."""
        self.made(step_id)
        before = [len(forge.changes()) for forge in (self.app.github, self.app.azure)]
        outcome = self.attempt(step_id)
        assert [len(forge.changes()) for forge in (self.app.github, self.app.azure)] == before
        return outcome
