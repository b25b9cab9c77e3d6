"""Decides which agents are asked about a change: by its work items, paths, labels and kind, as ``agents.yaml`` says."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from shared.definitions.load import HERE
from shared.definitions.reading import UnreadableError, read
from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import AppliesWhen, WorkItemKind
from shared.domain.faults import faults_of
from shared.domain.forge import Frozen
from shared.domain.review import AgentName
from shared.errors import DefectError
from shared.policies.applying import Applicability, Facts, applied


class Route(Frozen):
    """When one agent is asked."""

    agent: AgentName
    rules: tuple[AppliesWhen, ...] = Field(min_length=1, description="Any of them lets it be asked.")
    exceptions: tuple[AppliesWhen, ...] = Field(
        default=(), alias="except", description="Any of them keeps it away, if it is known to hold."
    )

    @model_validator(mode="after")
    def _exceptions_are_narrow(self) -> Self:
        if any(one.always for one in self.exceptions):
            raise ValueError("an exception without a condition always holds; take the agent's rules out instead")
        return self


class Routing(Frozen):
    """One version of all routes."""

    version: int = Field(ge=1)
    agents: tuple[Route, ...]

    @model_validator(mode="after")
    def _names_each_agent_once(self) -> Self:
        names = [one.agent for one in self.agents]
        if sorted(names) != sorted(AgentName):
            raise ValueError(f"names each of {', '.join(AgentName)} exactly once")
        return self


@cache
def routing() -> Routing:
    """The routes in force. Raises ``DefectError`` when they are at fault."""
    return read_routing(HERE / "agents.yaml")


def read_routing(path: Path) -> Routing:
    """The routes in ``path``. Raises ``DefectError`` naming every line and field at fault."""
    try:
        document = read(path.read_bytes())
    except FileNotFoundError as error:
        raise DefectError(f"{path.name} is missing") from error
    except UnreadableError as error:
        raise DefectError(f"{path.name}: {error.reason}") from error
    try:
        return Routing.model_validate(document.value)
    except ValidationError as error:
        told = [
            f"{path.name}:{document.line(detail['loc'])}: {fault.field} {fault.problem}"
            for detail, fault in zip(error.errors(include_url=False), faults_of(error), strict=True)
        ]
        raise DefectError("; ".join(told)) from error


def chosen(evidence: ChangeEvidence, routes: Routing | None = None) -> tuple[AgentName, ...]:
    """The agents to ask, in the order of the routes. One is asked when nobody can tell whether it should be."""
    return tuple(
        route.agent
        for route in (routes or routing()).agents
        if any(_fits(rule, evidence) is not Applicability.NOT_APPLICABLE for rule in route.rules)
        and not any(_fits(rule, evidence) is Applicability.APPLIES for rule in route.exceptions)
    )


def _fits(rule: AppliesWhen, evidence: ChangeEvidence) -> Applicability:
    return applied(rule, _facts(rule, evidence)).applicability


def _facts(rule: AppliesWhen, evidence: ChangeEvidence) -> Facts:
    items = evidence.items
    labels: tuple[str, ...] | None = evidence.change.labels
    kinds: tuple[WorkItemKind, ...] | None
    if isinstance(items, Unknown):
        kinds = None
        wanted = {one.casefold() for one in rule.labels}
        if not wanted & {one.casefold() for one in evidence.change.labels}:
            # The work items may carry it.
            labels = None
    else:
        kinds = tuple(item.kind for item in items if item.kind is not None)
        labels = evidence.change.labels + tuple(tag for item in items for tag in item.tags)
    files = evidence.files
    return Facts(
        labels=labels,
        paths=None
        if isinstance(files, Unknown)
        else tuple(path for file in files for path in (file.path, file.previous_path) if path),
        change_kinds=None if isinstance(evidence.kinds, Unknown) else evidence.kinds,
        work_item_kinds=kinds,
    )
