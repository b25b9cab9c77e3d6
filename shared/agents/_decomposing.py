"""Breaks an epic into features and tasks, and shows for every requirement it states which of them cover it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from shared.agents._requirements import StatedRequirement, stated
from shared.domain.forge import Frozen
from shared.errors import RefusedError

MOST_IN_A_FEATURE = 8
"""Requirements of one feature: what a team can bring to its users in a few weeks."""
_ALIKE = 0.3
"""Share of common words from which two requirements are about one thing."""
_COVERS = 0.5
"""Share of a requirement's words that a feature must say to cover it."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_EMPTY_WORDS = frozenset([
    "the", "and", "for", "with", "that", "this", "from", "into", "must", "shall", "should", "can", "may", "will",
    "are", "has", "have", "want", "wants", "able", "user", "users", "not", "their", "they", "them", "each",
    "every", "all", "any", "when", "then", "given", "than", "such", "our", "your", "its", "who", "which",
])  # fmt: skip


class TaskNature(StrEnum):
    """What a task does."""

    DESIGN = "design"
    BUILD = "build"
    TEST = "test"
    DOCUMENT = "document"


class Epic(Frozen):
    """An epic as it is written."""

    title: str
    body: str = Field(default="", description="Markdown, HTML or plain text.")


class ExistingFeature(Frozen):
    """A feature that somebody planned already."""

    title: str
    body: str = ""


class PlannedTask(Frozen):
    """One task of a feature."""

    id: str
    title: str
    nature: TaskNature
    requirements: tuple[str, ...] = Field(description="Ids of the requirements it serves.")


class PlannedFeature(Frozen):
    """One feature of an epic."""

    id: str
    title: str
    requirements: tuple[str, ...]
    tasks: tuple[PlannedTask, ...] = ()
    existing: bool = Field(default=False, description="Somebody planned it already; only what it covers was looked at.")


class CoverageRow(Frozen):
    """What covers one requirement."""

    requirement: StatedRequirement
    features: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    @property
    def covered(self) -> bool:
        """Whether any feature serves it."""
        return bool(self.features)


class Decomposition(Frozen):
    """Features and tasks for an epic, with the requirement-coverage matrix."""

    epic: str
    features: tuple[PlannedFeature, ...]
    matrix: tuple[CoverageRow, ...]

    @property
    def uncovered(self) -> tuple[StatedRequirement, ...]:
        """Requirements that no feature serves."""
        return tuple(row.requirement for row in self.matrix if not row.covered)

    def markdown(self) -> str:
        """Features with their tasks, and the matrix as a table."""
        lines: list[str] = []
        for feature in self.features:
            lines.append(f"**{feature.id} {feature.title}**" + (" (planned already)" if feature.existing else ""))
            lines += [f"- {task.id} {task.title} ({', '.join(task.requirements)})" for task in feature.tasks]
            lines.append("")
        lines += ["| Requirement | Features | Tasks |", "| --- | --- | --- |"]
        for row in self.matrix:
            text = row.requirement.text.replace("|", "\\|")
            lines.append(
                f"| {row.requirement.id} {text} | {', '.join(row.features) or '**none**'} | {', '.join(row.tasks) or '-'} |"
            )
        return "\n".join(lines)


def decompose(epic: Epic, existing: Sequence[ExistingFeature] = ()) -> Decomposition:
    """Features and tasks for every requirement that ``epic`` states and no ``existing`` feature covers.

    Requirements stand together as the epic's headings group them, else by the words they share.

    Raises:
        RefusedError: the epic has no title, or states nothing that could be covered.
    """
    if not epic.title.strip():
        raise RefusedError("the epic has no title", "Name in a few words what it brings.")
    requirements = stated(epic.body)
    if not requirements:
        raise RefusedError(
            f"the epic {epic.title[:80]!r} states no requirement",
            "List what it must do, one requirement a line, or write sentences with must, can or so that.",
        )
    planned = [
        PlannedFeature(
            id=f"F{number}",
            title=one.title,
            requirements=tuple(r.id for r in requirements if _covers(one, r)),
            existing=True,
        )
        for number, one in enumerate(existing, 1)
    ]
    served = {id for feature in planned for id in feature.requirements}
    for title, group in _groups([one for one in requirements if one.id not in served]):
        planned.append(_feature(len(planned) + 1, title or epic.title, group))
    return Decomposition(epic=epic.title, features=tuple(planned), matrix=matrix(requirements, planned))


def matrix(requirements: Sequence[StatedRequirement], features: Sequence[PlannedFeature]) -> tuple[CoverageRow, ...]:
    """For each requirement the features and tasks that serve it."""
    return tuple(
        CoverageRow(
            requirement=one,
            features=tuple(feature.id for feature in features if one.id in feature.requirements),
            tasks=tuple(task.id for feature in features for task in feature.tasks if one.id in task.requirements),
        )
        for one in requirements
    )


def _feature(number: int, title: str, group: Sequence[StatedRequirement]) -> PlannedFeature:
    ids = tuple(one.id for one in group)
    name = f"F{number}"
    told: list[tuple[str, TaskNature, tuple[str, ...]]] = [
        (f"Weigh designs and model threats for {_short(title)}", TaskNature.DESIGN, ids)
    ]
    for one in group:
        told.append((f"Build: {_short(one.text)}", TaskNature.BUILD, (one.id,)))
        told.append((f"Test positive, negative and edge cases: {_short(one.text)}", TaskNature.TEST, (one.id,)))
    told.append((f"Document {_short(title)} for those who use it", TaskNature.DOCUMENT, ids))
    return PlannedFeature(
        id=name,
        title=_short(title),
        requirements=ids,
        tasks=tuple(
            PlannedTask(id=f"{name}.{place}", title=text, nature=nature, requirements=serves)
            for place, (text, nature, serves) in enumerate(told, 1)
        ),
    )


def _groups(requirements: Sequence[StatedRequirement]) -> list[tuple[str, list[StatedRequirement]]]:
    groups: list[tuple[str, list[StatedRequirement]]] = []
    for one in requirements:
        home = next(
            (
                group
                for heading, group in groups
                if len(group) < MOST_IN_A_FEATURE
                and (heading == one.heading if one.heading else not heading and _alike(group, one))
            ),
            None,
        )
        if home is None:
            groups.append((one.heading, [one]))
        else:
            home.append(one)
    return [(heading or _common_title(group), group) for heading, group in groups]


def _alike(group: Sequence[StatedRequirement], one: StatedRequirement) -> bool:
    mine = _words(one.text)
    return any(
        len(mine & _words(other.text)) >= _ALIKE * max(1, min(len(mine), len(_words(other.text)))) for other in group
    )


def _common_title(group: Sequence[StatedRequirement]) -> str:
    return group[0].text if len(group) == 1 else f"{group[0].text} and {len(group) - 1} more"


def _covers(feature: ExistingFeature, requirement: StatedRequirement) -> bool:
    wanted = _words(requirement.text)
    return bool(wanted) and len(wanted & _words(f"{feature.title} {feature.body}")) >= _COVERS * len(wanted)


def _words(text: str) -> frozenset[str]:
    found = (word.casefold() for word in _WORD.findall(text))
    # Endings of plural and tense would hide that two texts speak of one thing.
    return frozenset(re.sub(r"(?:ies|es|s|ed|ing)$", "", word) for word in found if word not in _EMPTY_WORDS)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 120 else text[:117].rsplit(" ", 1)[0] + " …"
