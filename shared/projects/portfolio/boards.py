"""A portfolio epic on Azure Boards: an Epic with its features in the process's own types, related across projects."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pydantic import Field

from shared.domain.forge import BacklogItem, ForgeName, Frozen, WorkItem
from shared.domain.portfolio import PortfolioEpic, SeededEpic, features_of, key_of
from shared.domain.project import ProjectRequest
from shared.errors import RefusedError, TransientError
from shared.ports import WorkTracker
from shared.projects.backlog import EPIC, FEATURE, REQUIREMENT
from shared.projects.portfolio.ports import WorkItemLinks

KEY_TAG = "doneright:"
"""What the tag of an item's key begins with."""


class Seeded(Frozen):
    """What is there of an epic in one project after seeding it."""

    number: int = Field(description="Of the work item or issue; 0 when people have removed it.")
    url: str
    created: int = Field(description="How many items this seeding made.")
    made: tuple[str, ...] = Field(description="Keys of all that was ever made.")


def tag_of(portfolio: str) -> str:
    """The tag every item of a portfolio carries."""
    return f"portfolio:{portfolio}"


def items(portfolio: str, epic: PortfolioEpic, request: ProjectRequest) -> tuple[BacklogItem, ...]:
    """The epic and its features, the epic first. Basic has no feature level: there they are issues."""
    root = f"portfolio-{portfolio}-{epic.key}"
    below = FEATURE.get(request.process) or REQUIREMENT[request.process]
    features = tuple(
        BacklogItem(key=f"{root}-{key_of(title)}", type=below, title=title, parent=root)
        for title in features_of(epic, request.project_id)
    )
    return (BacklogItem(key=root, type=EPIC, title=epic.title, description=_description(portfolio, epic)), *features)


def seed(
    tracker: WorkTracker, portfolio: str, epic: PortfolioEpic, request: ProjectRequest, made: frozenset[str]
) -> Seeded:
    """Create what was never made, and read all of it back. ``made`` are keys of what was.

    Raises ``TransientError`` while something created does not show, ``RefusedError`` when it hangs elsewhere.
    """
    tag, planned = tag_of(portfolio), items(portfolio, epic, request)
    root = planned[0].key
    found = _by_key(tracker.work_items(request.name, tag))
    created: list[str] = []
    for item in planned:
        # An epic that people removed takes no new features.
        orphaned = item.parent and item.parent not in found
        if item.key in found or item.key in made or orphaned:
            continue
        tagged = item.model_copy(update={"tags": (tag, f"{KEY_TAG}{item.key}")})
        parent = found[item.parent].id if item.parent else None
        found[item.key] = tracker.create_work_item(request.name, tagged, parent_id=parent)
        created.append(item.key)
    if created:
        found = _by_key(tracker.work_items(request.name, tag))
    if unseen := [key for key in created if key not in found]:
        raise TransientError(f"{len(unseen)} work items were created and do not show yet", 2)
    wrong = [
        found[item.key].title
        for item in planned
        if item.key in created and item.parent and found[item.key].parent_id != found[item.parent].id
    ]
    if wrong:
        raise RefusedError(
            f"{', '.join(wrong[:3])} hang elsewhere than under the epic", "Set their parent on the board."
        )
    there = found.get(root)
    return Seeded(
        number=there.id if there else 0,
        url=there.url if there else "",
        created=len(created),
        made=tuple(sorted({*made, *(item.key for item in planned if item.key in found)})),
    )


def link(links: WorkItemLinks, request: ProjectRequest, mine: SeededEpic, others: Sequence[SeededEpic]) -> bool:
    """Relate the epic to those of the other projects, read back; whether something was missing.

    Epics on boards are *Related*, which Azure Boards shows on both sides; issues on GitHub are hyperlinks.
    """
    work_items = {str(other.number) for other in others if other.forge is ForgeName.AZURE_DEVOPS}
    pages = {other.url for other in others if other.forge is not ForgeName.AZURE_DEVOPS}
    there = links.related(request.name, mine.number)
    missing = (work_items | pages) - there
    if not missing:
        return False
    links.add_related(
        request.name, mine.number, sorted(int(item) for item in missing & work_items), sorted(missing & pages)
    )
    if unseen := (work_items | pages) - links.related(request.name, mine.number):
        raise TransientError(f"{len(unseen)} links were made and do not show yet", 2)
    return True


def _description(portfolio: str, epic: PortfolioEpic) -> str:
    parts = [f"<p>{escape(epic.description)}</p>"] if epic.description else []
    if epic.acceptance:
        parts.append("<p>Met when:</p><ul>" + "".join(f"<li>{escape(one)}</li>" for one in epic.acceptance) + "</ul>")
    parts.append(
        f"<p>An epic of the portfolio {escape(portfolio)}; the same epic in other projects is related to it.</p>"
    )
    return "".join(parts)


def _by_key(found: Sequence[WorkItem]) -> dict[str, WorkItem]:
    by_key: dict[str, WorkItem] = {}
    for item in found:
        for tag in item.tags:
            if tag.startswith(KEY_TAG):
                by_key.setdefault(tag.removeprefix(KEY_TAG), item)
    return by_key
