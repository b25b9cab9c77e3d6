"""Reads the process's hierarchy out of GitHub issues: a label or an issue type names the level an issue stands on.

A level that no open issue stands on is not missed: a repository without epics has none to hang features on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.domain.backlog import Backlog, BacklogLevel, Entry, Ladder, Standing
from shared.domain.forge import ForgeName, IssueSnapshot, RepositoryRef

_PREFIX = re.compile(r"^(?:type|kind|level)\s*[:/]\s*", re.IGNORECASE)
_ALSO = {
    "story": "User Story",
    "userstory": "User Story",
    "pbi": "Product Backlog Item",
    "backlog item": "Product Backlog Item",
}


def type_named(name: str, ladder: Ladder) -> str:
    """The type of ``ladder`` that a label or issue type names: ``epic``, ``type: user-story``; empty for none."""
    plain = _PREFIX.sub("", name.strip()).replace("-", " ").replace("_", " ").casefold()
    plain = _ALSO.get(plain, plain).casefold()
    return next((type_ for level in ladder.levels for type_ in level.types if type_.casefold() == plain), "")


def backlog_of(
    ref: RepositoryRef, issues: Sequence[IssueSnapshot], ladder: Ladder, *, calls: int = 0, described: bool = False
) -> Backlog:
    """The issues of ``ref``, and those of other repositories they hang on, as a backlog.

    Of two levels that an issue names, the higher counts.
    """
    own: list[Entry] = []
    elsewhere: list[Entry] = []
    used: set[str] = set()
    numbers = {issue.parent: int(issue.parent.rsplit("#", 1)[1]) for issue in issues if issue.parent}
    away = {f"{issue.ref}#{issue.number}" for issue in issues if issue.ref != ref}
    for issue in issues:
        named = [found for name in (issue.type, *issue.labels) if name and (found := type_named(name, ladder))]
        type_ = min(named, key=lambda one: ladder.level_of(one) or 0, default="")
        mine = issue.ref == ref
        parent = issue.parent
        entry = Entry(
            # Numbers of other repositories would be taken for this one's.
            id=issue.number if mine else -issue.number,
            type=type_,
            title=issue.title,
            state=issue.state,
            standing=Standing.OPEN if issue.state == "open" else Standing.CLOSED,
            parent=_parent(ref, parent, numbers.get(parent), away) if parent else None,
            tags=issue.labels,
            project=str(issue.ref),
            url=issue.url,
            description=issue.body if described else "",
        )
        (own if mine else elsewhere).append(entry)
        if mine and type_ and entry.standing is Standing.OPEN:
            used.add(type_)
    levels = [
        BacklogLevel(types=kept)
        for level in ladder.levels
        if (kept := tuple(one for one in level.types if one in used))
    ]
    return Backlog(
        forge=ForgeName.GITHUB,
        place=str(ref),
        ladder=Ladder(levels=tuple(levels)),
        entries=tuple(sorted(own, key=lambda entry: entry.id)),
        elsewhere=tuple(elsewhere),
        calls=calls,
    )


def _parent(ref: RepositoryRef, parent: str, number: int | None, away: set[str]) -> int | None:
    here = parent.rsplit("#", 1)[0].casefold() == str(ref).casefold()
    return number if number is None or (here and parent not in away) else -number


def label_for(backlog: Backlog, type_: str) -> str:
    """The label by which the repository names ``type_``; the type itself in lower case where only issue types do."""
    return next(
        (
            tag
            for entry in backlog.entries
            if entry.type == type_
            for tag in entry.tags
            if type_named(tag, backlog.ladder) == type_
        ),
        type_.casefold(),
    )
