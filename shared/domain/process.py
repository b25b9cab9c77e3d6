"""What an organisation wants in its processes beside what Azure DevOps ships: states and fields of work item types."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from shared.domain import shapes
from shared.domain.forge import Frozen
from shared.domain.project import Process

_OF_ALL = frozenset({"Epic", "Task"})
TYPES: dict[Process, frozenset[str]] = {
    Process.AGILE: _OF_ALL | {"Feature", "User Story", "Bug", "Issue"},
    Process.BASIC: _OF_ALL | {"Issue"},
    Process.CMMI: _OF_ALL | {"Feature", "Requirement", "Bug", "Issue", "Change Request", "Review", "Risk"},
    Process.SCRUM: _OF_ALL | {"Feature", "Product Backlog Item", "Bug", "Impediment"},
}
"""Work item types of each process that take additions.

https://learn.microsoft.com/azure/devops/boards/work-items/guidance/choose-process
"""


HIERARCHY: dict[Process, tuple[str, ...]] = {
    Process.AGILE: ("Epic", "Feature", "User Story", "Task"),
    Process.BASIC: ("Epic", "Issue", "Task"),
    Process.CMMI: ("Epic", "Feature", "Requirement", "Task"),
    Process.SCRUM: ("Epic", "Feature", "Product Backlog Item", "Task"),
}
"""The usual type of each level, from the top; Basic has no feature level.

https://learn.microsoft.com/azure/devops/boards/work-items/guidance/choose-process
"""


class StateCategory(StrEnum):
    """Where boards and charts count a state. A type has one completed state, which its process brings."""

    PROPOSED = "Proposed"
    IN_PROGRESS = "InProgress"
    RESOLVED = "Resolved"


class FieldType(StrEnum):
    """What a field holds, as Azure DevOps calls it."""

    TEXT = "string"
    LONG_TEXT = "plainText"
    RICH_TEXT = "html"
    WHOLE_NUMBER = "integer"
    NUMBER = "double"
    DATE = "dateTime"
    YES_OR_NO = "boolean"
    PERSON = "identity"


class ExtraState(Frozen):
    """A state that work items of a type can be in besides."""

    name: str = Field(pattern=shapes.PROCESS_NAME.pattern, examples=["In review"])
    category: StateCategory = Field(examples=["InProgress"])
    color: str = Field(
        default="007acc",
        pattern=shapes.COLOR.pattern,
        description="RGB as six lower-case hexadecimal digits.",
        examples=["007acc"],
    )


class ExtraField(Frozen):
    """A field that work items of a type have besides."""

    name: str = Field(pattern=shapes.PROCESS_NAME.pattern, examples=["Release note"])
    type: FieldType = Field(default=FieldType.TEXT, examples=["string"])
    description: str = Field(default="", max_length=255, examples=["One line for the customers."])

    @property
    def reference(self) -> str:
        """Its reference name, which is the organisation's for good."""
        return "Custom." + "".join(c for c in self.name if c.isalnum())


class TypeAdditions(Frozen):
    """What one work item type gets."""

    type: str = Field(pattern=shapes.PROCESS_NAME.pattern, examples=["User Story"])
    states: tuple[ExtraState, ...] = Field(
        default=(), max_length=20, examples=[[{"name": "In review", "category": "InProgress"}]]
    )
    fields: tuple[ExtraField, ...] = Field(default=(), max_length=50, examples=[[{"name": "Release note"}]])


class ProcessAdditions(Frozen):
    """An inherited process: one of the four with additions, which projects that ask for that one get instead."""

    process: Process = Field(examples=["agile"])
    name: str = Field(
        default="",
        pattern=shapes.OWN_PROCESS_NAME.pattern,
        description="Of the inherited process; empty: `Doneright` and the name of its parent.",
        examples=["Doneright Agile"],
    )
    types: tuple[TypeAdditions, ...] = Field(
        min_length=1, max_length=10, examples=[[{"type": "User Story", "fields": [{"name": "Release note"}]}]]
    )

    @field_validator("name")
    @classmethod
    def _is_its_own(cls, name: str) -> str:
        if name.lower() in set(Process):
            raise ValueError(f"{name!r} is a process of Azure DevOps itself, which takes no additions")
        return name

    @model_validator(mode="after")
    def _has_the_types(self) -> ProcessAdditions:
        known = TYPES[self.process]
        if unknown := [one.type for one in self.types if one.type not in known]:
            raise ValueError(
                f"names the work item type {unknown[0]!r}, which {self.process} lacks; it has {', '.join(sorted(known))}"
            )
        return self

    @property
    def title(self) -> str:
        """The inherited process' name."""
        return self.name or f"Doneright {self.process.upper() if self.process == 'cmmi' else self.process.capitalize()}"


class InheritedProcess(Frozen):
    """A process as Azure DevOps shows it."""

    id: str
    name: str
    parent: str = Field(default="", description="agile, basic, cmmi or scrum; empty for those themselves.")
    projects: tuple[str, ...] = Field(default=(), description="Names of the projects that use it.")


class ProcessType(Frozen):
    """A work item type of a process: its states and the fields it has, by lower-case name."""

    states: dict[str, str] = Field(description="Name → category.")
    fields: dict[str, str] = Field(description="Name → type.")
