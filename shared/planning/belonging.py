"""Decides which project an issue belongs to: its repository's, else the one it names; never by likeness."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shared.domain.backlog import Entry
from shared.domain.forge import RepositoryRef
from shared.domain.issue_category import Belonging
from shared.domain.run import ProjectRecord

# https://learn.microsoft.com/azure/devops/boards/github/link-to-from-github#use-ab-to-link-from-github-to-azure-boards-work-items
_WORK_ITEM = re.compile(r"(?<![\w#])AB#([1-9][0-9]{0,8})(?!\w)", re.IGNORECASE)
_QUOTED = re.compile(r"^(?P<fence>`{3,}|~{3,}).*?(?:^(?P=fence)[ \t]*$|\Z)|<!--.*?(?:-->|\Z)|`[^`\n]*`", re.MULTILINE | re.DOTALL)  # fmt: skip
MOST_WORK_ITEMS = 20
"""So many mentions are followed."""


def work_items_in(text: str) -> tuple[int, ...]:
    """The ids of the work items a text names as ``AB#123``, each once; what stands in code is no mention."""
    named = dict.fromkeys(int(found) for found in _WORK_ITEM.findall(_QUOTED.sub(" ", text.replace("\r\n", "\n"))))
    return tuple(named)[:MOST_WORK_ITEMS]


def belongs(
    ref: RepositoryRef,
    text: str,
    projects: Sequence[ProjectRecord],
    repositories: Mapping[str, RepositoryRef],
    found: Sequence[Entry],
) -> Belonging:
    """The project of an issue in ``ref`` that says ``text``.

    ``repositories`` holds each project's repository by id, ``found`` the work items that the text names and that are
    there. Its own repository decides; else the one project of the work items it names; else the one whose name it
    holds, as whole words. Two of a kind decide nothing.
    """
    named = work_items_in(text)
    by_name = {project.name.casefold(): project for project in projects}
    known = {entry.id: by_name[entry.project.casefold()] for entry in found if entry.project.casefold() in by_name}
    items = tuple(number for number in named if number in known)
    unknown = tuple(number for number in named if number not in known)

    def decided(project: str, reason: str) -> Belonging:
        return Belonging(project=project, reason=reason, work_items=items, unknown=unknown)

    own = next((one for one in projects if str(repositories[one.id]).casefold() == str(ref).casefold()), None)
    if own is not None:
        return decided(own.id, f"{ref} is its repository")
    owners = {known[number].id for number in items}
    if len(owners) == 1:
        return decided(owners.pop(), f"it names AB#{items[0]}")
    if len(owners) > 1:
        return decided("", f"it names work items of several projects: {', '.join(sorted(owners))}")
    mentioned = _mentioned(text, projects)
    if len(mentioned) == 1:
        return decided(mentioned[0].id, f"it names {mentioned[0].name!r}")
    if mentioned:
        return decided("", f"it names several projects: {', '.join(sorted(one.id for one in mentioned))}")
    return decided("", "it names no project")


def _mentioned(text: str, projects: Sequence[ProjectRecord]) -> list[ProjectRecord]:
    plain = _QUOTED.sub(" ", text.replace("\r\n", "\n")).casefold()
    found = []
    # The longest first: who names "Order Desk Archive" does not name "Order Desk".
    for project in sorted(projects, key=lambda one: -len(one.name)):
        # One word alone is too often an ordinary word; its id in full is as well, unless it has a hyphen.
        names = [name for name in (project.name.casefold(), project.id) if " " in name or "-" in name]
        pattern = "|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names)
        if pattern and re.search(pattern, plain):
            found.append(project)
            plain = re.sub(pattern, " ", plain)
    return found
