"""Which category an issue has, why, which project it belongs to, and what was done about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import ForgeName, Frozen


class Reason(Frozen):
    """One rule that spoke for a category."""

    rule: str = Field(description="words, phrases, labels, types, forms or paths.")
    found: str
    points: int


class Candidate(Frozen):
    """A category with what speaks for it."""

    category: str
    points: int
    reasons: tuple[Reason, ...] = ()


class Verdict(Frozen):
    """The category of a text, or that the rules do not tell it."""

    category: str = Field(default="", description="Empty: uncategorised.")
    version: int = Field(description="Of the rules.")
    candidates: tuple[Candidate, ...] = Field(default=(), description="The best first; two where it is uncategorised.")
    by_person: str = Field(default="", description="The label by which a person said it.")
    explanation: str


class LabelState(StrEnum):
    """What became of the label."""

    SET = "set"
    CHANGED = "changed"
    TAKEN_OFF = "taken_off"
    UNCHANGED = "unchanged"
    NONE = "none"
    LEFT_TO_PEOPLE = "left_to_people"
    REFUSED = "refused"
    WAITING = "waiting"


class Belonging(Frozen):
    """The project an issue belongs to, and the work items it names."""

    project: str = Field(default="", description="Id of the project; empty for none.")
    reason: str = ""
    work_items: tuple[int, ...] = Field(default=(), description="Named as AB#123, and there.")
    unknown: tuple[int, ...] = Field(default=(), description="Named as AB#123, and not there or not a project's.")


class SortedItem(Frozen):
    """An issue or work item as it was sorted."""

    forge: ForgeName
    place: str
    number: int
    title: str
    url: str = ""
    verdict: Verdict
    belongs: Belonging = Belonging()
    label: str = Field(default="", description="The label that Doneright keeps on it; empty for none.")
    state: LabelState = LabelState.NONE
    reason: str = ""


class KeptCategory(Frozen):
    """What Doneright remembers of an issue, to tell its own labels from people's."""

    forge: ForgeName
    place: str
    number: int
    label: str = Field(default="", description="The label it set last; empty for none.")
    settled: bool = Field(default=False, description="Whether that label was seen on the issue.")
    left_to_people: bool = Field(default=False, description="Whether a person took it off or set another.")
    verdict: Verdict
    project: str = ""
    updated_at: datetime


class IssueToSort(Frozen):
    """An issue that somebody opened or edited."""

    connection: str
    repository: str = Field(description="owner/name.")
    number: int


class SortingView(Frozen):
    """``POST /api/projects/{id}/issues/categorise``."""

    project: str
    dry_run: bool = False
    version: int = Field(description="Of the rules.")
    items: tuple[SortedItem, ...]
    counts: dict[str, int] = Field(description="Items by category; those without one under `uncategorised`.")
    left: int = Field(default=0, description="Items that wait for the next call.")
    retry_after: float | None = None
    unavailable: dict[str, str] = Field(default_factory=dict, description="By forge: why it could not be read.")
