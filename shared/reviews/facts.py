"""What is known of a change that decides which criteria are asked of it; what nobody knows stays open and lets none go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.domain.change import Change, ChangeCommit, ChangeEvidence, LinkedItem, Part, Unknown
from shared.domain.definition import ChangeKind, WorkItemKind
from shared.evidence.changes.conventional import ConventionalCommit, conventional
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.prose.tickets import item_kind, meant, plain_name
from shared.policies.applying import Facts

_OF_TYPE = {
    "feat": ChangeKind.FEATURE, "feature": ChangeKind.FEATURE,
    "fix": ChangeKind.BUG_FIX, "bugfix": ChangeKind.BUG_FIX, "security": ChangeKind.BUG_FIX,
    "hotfix": ChangeKind.HOTFIX,
    "docs": ChangeKind.DOCUMENTATION, "doc": ChangeKind.DOCUMENTATION,
    "build": ChangeKind.MAINTENANCE, "chore": ChangeKind.MAINTENANCE, "ci": ChangeKind.MAINTENANCE,
    "deps": ChangeKind.MAINTENANCE, "perf": ChangeKind.MAINTENANCE, "refactor": ChangeKind.MAINTENANCE,
    "revert": ChangeKind.MAINTENANCE, "style": ChangeKind.MAINTENANCE, "test": ChangeKind.MAINTENANCE,
}  # fmt: skip
"""Types of Conventional Commits, and the first part of a branch's name."""

_OF_LABEL = {
    "feature": ChangeKind.FEATURE, "enhancement": ChangeKind.FEATURE,
    "bug": ChangeKind.BUG_FIX, "bugfix": ChangeKind.BUG_FIX, "fix": ChangeKind.BUG_FIX,
    "hotfix": ChangeKind.HOTFIX,
    "breaking": ChangeKind.BREAKING, "breaking change": ChangeKind.BREAKING,
    "documentation": ChangeKind.DOCUMENTATION, "docs": ChangeKind.DOCUMENTATION,
    "chore": ChangeKind.MAINTENANCE, "dependencies": ChangeKind.MAINTENANCE, "maintenance": ChangeKind.MAINTENANCE,
    "refactoring": ChangeKind.MAINTENANCE, "technical debt": ChangeKind.MAINTENANCE,
}  # fmt: skip

_OF_ITEM = {
    WorkItemKind.EPIC: ChangeKind.FEATURE, WorkItemKind.FEATURE: ChangeKind.FEATURE,
    WorkItemKind.REQUIREMENT: ChangeKind.FEATURE, WorkItemKind.BUG: ChangeKind.BUG_FIX,
}  # fmt: skip
"""A task says nothing of itself: what stands above it does."""


def kinds_of(
    change: Change, commits: Part[tuple[ChangeCommit, ...]], items: Part[tuple[LinkedItem, ...]]
) -> Part[tuple[ChangeKind, ...]]:
    """What the change is for, by its title, labels, branch, commits and work items; all that they say together.

    ``Unknown`` when a part that could say more was not had, or when nothing says anything.
    """
    for what, part in (("commits", commits), ("work items", items)):
        if isinstance(part, Unknown) and part.supported:
            return Unknown(reason=f"what the change is for may stand in its {what}, which are not known: {part.reason}")
    found = set(_told(change, _known(commits), meant(change, _known(items))))
    if not found:
        return Unknown(
            reason="no title, label, branch, commit or work item says what the change is for: begin the title with feat:, "
            "fix:, docs: or chore:"
        )
    if ChangeKind.HOTFIX in found:
        # It mends something, so what is asked of whatever mends is asked of it.
        found.add(ChangeKind.BUG_FIX)
    return tuple(kind for kind in ChangeKind if kind in found)


def facts_of(evidence: ChangeEvidence) -> Facts:
    """What the change is measured by; a part that could not be had, or that contradicts itself, stays ``None``."""
    return Facts(
        labels=_labels(evidence),
        paths=_paths(evidence),
        change_kinds=_change_kinds(evidence),
        work_item_kinds=_item_kinds(evidence),
    )


def _known[T](part: Part[tuple[T, ...]]) -> tuple[T, ...]:
    return () if isinstance(part, Unknown) else part


def _told(change: Change, commits: tuple[ChangeCommit, ...], items: tuple[LinkedItem, ...]) -> Iterator[ChangeKind]:
    for message in (change.title, *(commit.message for commit in commits)):
        if one := conventional(message):
            yield from _of_message(one)
    for label in change.labels:
        if kind := _OF_LABEL.get(plain_name(label)):
            yield kind
    first, slash, _ = change.source.casefold().partition("/")
    if slash and (kind := _OF_TYPE.get(first)):
        yield kind
    for item in items:
        yield from _of_item(item)


def _of_message(one: ConventionalCommit) -> Iterator[ChangeKind]:
    if one.breaking:
        yield ChangeKind.BREAKING
    if kind := _OF_TYPE.get(one.type):
        yield kind


def _of_item(item: LinkedItem) -> Iterator[ChangeKind]:
    for one in (item, *item.parents):
        kind = item_kind(one)
        if kind is not WorkItemKind.TASK:
            if kind is not None:
                yield _OF_ITEM[kind]
            return


def _labels(evidence: ChangeEvidence) -> tuple[str, ...] | None:
    if isinstance(evidence.items, Unknown) and evidence.items.supported:
        return None
    tags = (tag for item in meant(evidence.change, _known(evidence.items)) for tag in item.tags)
    return tuple(dict.fromkeys((*evidence.change.labels, *tags)))


def _paths(evidence: ChangeEvidence) -> tuple[str, ...] | None:
    if isinstance(evidence.files, Unknown):
        return None
    return tuple(dict.fromkeys(path for one in evidence.files for path in (one.path, one.previous_path) if path))


def _change_kinds(evidence: ChangeEvidence) -> tuple[ChangeKind, ...] | None:
    kinds = evidence.kinds
    if isinstance(kinds, Unknown) or not kinds:
        return None
    if set(kinds) == {ChangeKind.DOCUMENTATION} and not _documents_alone(evidence):
        # Whoever calls a change of code documentation is not thereby free of what is asked of code.
        return None
    return kinds


def _documents_alone(evidence: ChangeEvidence) -> bool:
    return not isinstance(evidence.files, Unknown) and not any(
        kind_of(path) in {FileKind.CODE, FileKind.MIGRATION, FileKind.INFRASTRUCTURE}
        for one in evidence.files
        for path in (one.path, one.previous_path)
        if path
    )


def _item_kinds(evidence: ChangeEvidence) -> tuple[WorkItemKind, ...] | None:
    items = evidence.items
    if isinstance(items, Unknown):
        return None if items.supported else ()
    found = set(_kinds(meant(evidence.change, items)))
    return None if None in found else tuple(kind for kind in WorkItemKind if kind in found)


def _kinds(items: Iterable[LinkedItem]) -> Iterator[WorkItemKind | None]:
    """The level of each ticket, and of the one a task is a part of: what is asked of that is not escaped by splitting it."""
    for item in items:
        for one in (item, *item.parents):
            kind = item_kind(one)
            yield kind
            if kind is not WorkItemKind.TASK:
                break
