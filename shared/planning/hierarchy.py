"""Judges every open item of a backlog against its process's hierarchy, and proposes what mends it without guessing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from shared.domain.backlog import (
    Backlog,
    BacklogFinding,
    BacklogLevel,
    Entry,
    FindingKind,
    Fix,
    Ladder,
    Standing,
    TreeNode,
)
from shared.domain.project import Process
from shared.planning.forest import Forest, is_container
from shared.planning.parents import Plausible, most_plausible
from shared.projects.backlog import hierarchy

STRUCTURAL = frozenset(
    {
        FindingKind.ORPHAN,
        FindingKind.WRONG_PARENT,
        FindingKind.LEVEL_SKIPPED,
        FindingKind.CYCLE,
        FindingKind.PARENT_REMOVED,
    }
)
"""What another parent mends. The others need a person: to merge, to reopen, to know whether it is meant so."""


def ladder_of(process: Process) -> Ladder:
    """The levels of a system process."""
    return Ladder(levels=tuple(BacklogLevel(types=(name,)) for name in hierarchy(process)))


def judge(backlog: Backlog, *, containers: bool = False) -> tuple[BacklogFinding, ...]:
    """Everything wrong with ``backlog``, by item, each with the change that mends it where that is mechanical.

    A change counts on those before it: they are proposed from the top down, and tried on the forest one by one, so
    that no two of them close a circle. With ``containers`` an item that no evidence places goes to `Unsorted`.
    """
    fixes = _proposed(backlog, containers=containers)
    forest = Forest(backlog)
    found = []
    for fault in _faults(forest):
        fix = fixes.fixes.get(fault.item) if fault.kind in STRUCTURAL else None
        remedy = fault.remedy
        if fix is not None:
            remedy = _in_words(forest, fix)
        elif fault.kind in STRUCTURAL:
            remedy = f"{fault.remedy} Nothing is proposed: {fixes.unplaced.get(fault.item, 'no parent fits')}."
        if fix is not None:
            fix = fix.model_copy(update={"id": f"{backlog.forge}:{fix.id}"})
        told = {"id": f"{backlog.forge}:{fault.id}", "fix": fix, "remedy": remedy}
        found.append(fault.model_copy(update=told))
    order = {item: place for place, item in enumerate(fixes.fixes)}
    return tuple(sorted(found, key=lambda one: (order.get(one.item, len(order)), one.item, one.kind)))


class _Proposals:
    """Changes by item in the order they are applied in, and why the other items got none."""

    def __init__(self) -> None:
        self.fixes: dict[int, Fix] = {}
        self.unplaced: dict[int, str] = {}


def _proposed(backlog: Backlog, *, containers: bool) -> _Proposals:
    forest, made = Forest(backlog), _Proposals()
    # Each change can be the evidence, or open the circle, that another was waiting for; what is done without evidence
    # comes last.
    while _round(forest, made) or _round(forest, made, last_resort=True, containers=containers):
        pass
    return made


def _round(forest: Forest, made: _Proposals, *, last_resort: bool = False, containers: bool = False) -> bool:
    changed = False
    # Nothing is moved twice: the order in which changes are applied is the one they were tried in.
    faults = [fault for fault in _faults(forest) if fault.kind in STRUCTURAL and fault.item not in made.fixes]
    for fault in sorted(faults, key=lambda one: (forest.level(forest.entries[one.item]) or 0, one.item)):
        fix, why = _fix(forest, fault, last_resort=last_resort, containers=containers)
        made.unplaced[fault.item] = why
        if fix is not None and forest.hang(fix):
            made.fixes[fix.item] = fix
            changed = True
    return changed


def _fix(forest: Forest, fault: BacklogFinding, *, last_resort: bool, containers: bool) -> tuple[Fix | None, str]:
    item = forest.entries[fault.item]
    level = forest.level(item)
    if not level:
        reason = "it ends the circle" if level is None else f"a {item.type} stands at the top"
        return _move(item, None, reason), reason
    found = most_plausible(item, forest.candidates(item, level - 1), forest.parents)
    if found.parent is not None:
        return _move(item, found.parent, found.reason), found.reason
    if not last_resort:
        return None, _told(found)
    return _without_evidence(forest, fault, item, level, found, containers=containers)


def _without_evidence(
    forest: Forest, fault: BacklogFinding, item: Entry, level: int, found: Plausible, *, containers: bool
) -> tuple[Fix | None, str]:
    if containers and forest.contain(level - 1) is not None:
        reason = f"{found.reason}; a person can take it from there"
        above = forest.ladder.levels[level - 1].name
        return _move(item, None, reason).model_copy(
            update={"id": f"{item.id}-under-unsorted", "container": above}
        ), reason
    if fault.kind is FindingKind.CYCLE:
        return _move(item, None, "it ends the circle"), found.reason
    if not forest.ladder.needs_parent(item.type):
        reason = f"a {item.type} needs no parent, and {found.reason}"
        return _move(item, None, reason), reason
    return None, _told(found)


def _told(found: Plausible) -> str:
    named = " or ".join(f"#{one}" for one in found.candidates)
    return f"{found.reason}; choose {named}" if named else found.reason


def _move(item: Entry, parent: int | None, reason: str) -> Fix:
    where = f"under-{parent}" if parent is not None else "alone"
    return Fix(
        id=f"{item.id}-{where}", item=item.id, revision=item.revision, before=item.parent, parent=parent, reason=reason
    )


def _in_words(forest: Forest, fix: Fix) -> str:
    if fix.container:
        return f"Hang it on the {fix.container} 'Unsorted', which is made for such items."
    if fix.parent is None:
        return f"Take it off #{fix.before}."
    return f"Hang it on {_named(forest.entries[fix.parent])}."


def _named(entry: Entry) -> str:
    return f"the {entry.type or 'item'} #{entry.id} {entry.title!r}"


def _faults(forest: Forest) -> Iterator[BacklogFinding]:
    cut = {}
    for members in forest.cycles():
        item = _weakest(forest, members)
        if item is not None:
            cut[item] = members
            yield _circle(forest, forest.entries[item], members)
    for number, entry in sorted(forest.entries.items()):
        if number not in cut and entry.standing is Standing.OPEN and not is_container(entry):
            yield from _misplaced(forest, entry)
    yield from _doubles(forest)


def _weakest(forest: Forest, members: tuple[int, ...]) -> int | None:
    """The member whose own link is wrong, or the first; circles of finished items alone concern nobody."""
    open_ = [item for item in members if forest.entries[item].standing is Standing.OPEN]
    wrong = []
    for item in open_:
        level, parent = forest.level(forest.entries[item]), forest.parents[item]
        above = forest.level(forest.entries[parent]) if parent is not None else None
        if level is not None and (above is None or above >= level):
            wrong.append(item)
    return next(iter([*wrong, *open_]), None)


def _finding(kind: FindingKind, item: Entry, explanation: str, remedy: str, *others: int) -> BacklogFinding:
    return BacklogFinding(
        id=f"{kind}-{item.id}",
        kind=kind,
        item=item.id,
        title=item.title,
        url=item.url,
        others=others,
        explanation=explanation,
        remedy=remedy,
    )


def _circle(forest: Forest, item: Entry, members: tuple[int, ...]) -> BacklogFinding:
    if len(members) == 1:
        return _finding(FindingKind.CYCLE, item, f"{_subject(item)} is its own parent.", "Take it off itself.", item.id)
    names = ", ".join(f"#{one}" for one in members)
    return _finding(
        FindingKind.CYCLE,
        item,
        f"{names} stand above each other in a circle, so that none of them is below anything.",
        f"Take #{item.id} off #{forest.parents[item.id]}.",
        *(one for one in members if one != item.id),
    )


def _subject(item: Entry) -> str:
    article = "An" if item.type[:1].upper() in "AEIO" and item.type else "A"
    return f"{article} {item.type} (#{item.id} {item.title!r})" if item.type else f"#{item.id} {item.title!r}"


def _misplaced(forest: Forest, item: Entry) -> Iterator[BacklogFinding]:
    level, parent = forest.level(item), forest.parents[item.id]
    if level is None:
        return
    wanted = forest.ladder.levels[level - 1] if level else None
    should = f"a {' or '.join(wanted.types)}" if wanted else "nothing: it is the top"
    chain = forest.ladder.described()
    if parent is None:
        if forest.ladder.needs_parent(item.type):
            explanation = f"{_subject(item)} hangs on nothing; in {chain} it hangs on {should}."
            yield _finding(FindingKind.ORPHAN, item, explanation, f"Hang it on {should}.")
        return
    above = forest.entries.get(parent)
    if above is None:
        yield _away(forest, item, parent, should)
        return
    held = forest.level(above)
    place = f"{_subject(item)} hangs on {_named(above)}"
    if above.standing is Standing.REMOVED:
        explanation = f"{place}, which was removed ({above.state}), and is open itself."
        yield _finding(FindingKind.PARENT_REMOVED, item, explanation, f"Hang it on {should}, or remove it.", parent)
    elif held is None or held >= level:
        why = "stands outside of the hierarchy" if held is None else "stands on the same level" if held == level else "stands below it"  # fmt: skip
        explanation = f"{place}, which {why}; in {chain} it hangs on {should}."
        remedy = f"Hang it on {should}." if wanted else f"Take it off #{parent}."
        yield _finding(FindingKind.WRONG_PARENT, item, explanation, remedy, parent)
    elif held < level - 1:
        between = " and ".join(one.name for one in forest.ladder.levels[held + 1 : level])
        explanation = f"{place} and leaves out {between}; in {chain} it hangs on {should}."
        yield _finding(FindingKind.LEVEL_SKIPPED, item, explanation, f"Hang it on {should}.", parent)
    elif above.standing is Standing.CLOSED:
        explanation = f"{place}, which is finished ({above.state}), while it is open itself."
        remedy = f"Reopen #{parent}, or finish #{item.id}; which of the two is true, only people know."
        yield _finding(FindingKind.PARENT_CLOSED, item, explanation, remedy, parent)


def _away(forest: Forest, item: Entry, parent: int, should: str) -> BacklogFinding:
    seen = forest.elsewhere.get(parent)
    where = f"{_named(seen)} of {seen.project}" if seen else f"#{parent}, which is not shown to Doneright"
    explanation = f"{_subject(item)} hangs on {where}, in another project."
    if seen is not None and (held := forest.level(seen)) is not None and held != (forest.level(item) or 0) - 1:
        explanation += f" It would hang on {should}."
    remedy = "Leave it if a portfolio is kept there; otherwise hang it on an item of its own project."
    return _finding(FindingKind.PARENT_ELSEWHERE, item, explanation, remedy, parent)


def _doubles(forest: Forest) -> Iterator[BacklogFinding]:
    groups: dict[tuple[int | None, str, str], list[Entry]] = defaultdict(list)
    for _, entry in sorted(forest.entries.items()):
        parent = forest.parents[entry.id]
        top = forest.level(entry) == 0
        if entry.standing is Standing.OPEN and forest.level(entry) is not None and (parent is not None or top):
            groups[parent, entry.type.casefold(), " ".join(entry.title.casefold().split())].append(entry)
    for (parent, _, _), (first, *others) in groups.items():
        where = f"under #{parent}" if parent is not None else "at the top"
        for other in others:
            yield _finding(
                FindingKind.DUPLICATE_TITLE,
                other,
                f"{_subject(other)} has the title of #{first.id}, {where}.",
                f"Close one of them as a duplicate, or say in the titles how they differ: #{first.id}, #{other.id}.",
                first.id,
            )


def tree(backlog: Backlog, findings: tuple[BacklogFinding, ...]) -> tuple[TreeNode, ...]:
    """The forest as people read it: from the top level down, the items of a circle where it was cut."""
    forest = Forest(backlog)
    said: dict[int, list[FindingKind]] = defaultdict(list)
    for finding in findings:
        said[finding.item].append(finding.kind)
    below: dict[int | None, list[int]] = defaultdict(list)
    cut = {finding.item for finding in findings if finding.kind is FindingKind.CYCLE}
    cut |= {min(members) for members in forest.cycles() if not cut & set(members)}
    for number, parent in sorted(forest.parents.items()):
        below[parent if parent in forest.entries and number not in cut else None].append(number)
    built: dict[int, TreeNode] = {}
    # From the leaves up: a chain of items may be longer than the interpreter's stack.
    order: list[int] = list(below[None])
    for number in order:
        order.extend(below[number])
    for number in reversed(order):
        entry = forest.entries[number]
        built[number] = TreeNode(
            id=number,
            type=entry.type,
            title=entry.title,
            state=entry.state,
            standing=entry.standing,
            url=entry.url,
            findings=tuple(said[number]),
            children=tuple(built[child] for child in below[number]),
        )
    last = len(forest.ladder.levels)

    def rank(node: TreeNode) -> tuple[int, int]:
        level = forest.ladder.level_of(node.type)
        return (last if level is None else level, node.id)

    return tuple(sorted((built[number] for number in below[None]), key=rank))
