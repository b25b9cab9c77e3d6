"""Categorises issues and work items, keeps Doneright's own label on them, and links them to the project they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from shared.domain.backlog import Backlog, Entry, Standing
from shared.domain.connection import Mode
from shared.domain.forge import ForgeName, IssueSnapshot, RepositoryRef
from shared.domain.issue_category import Belonging, IssueToSort, LabelState, SortedItem, SortingView
from shared.domain.run import ProjectRecord
from shared.errors import ConflictError, RefusedError, TransientError
from shared.planning import labelling, linking
from shared.planning.belonging import belongs, work_items_in
from shared.planning.categorising import Text
from shared.planning.desk import Desk, log_of
from shared.planning.parents import OURS
from shared.planning.ports import Asker, PlanningPorts
from shared.planning.reading import read, repository_of

MOST_CHANGES = 40
"""So many issues are changed in one call, which answers within the time an HTTP call has."""


def sort_delivered(ports: PlanningPorts, issue: IssueToSort, asker: Asker) -> SortedItem:
    """Sort the issue as it stands now, whatever the delivery said; sorting twice does no more than once.

    Raises ``TransientError``; what the forge refuses is told in the item.
    """
    connection = ports.projects.connection(issue.connection)
    desk = Desk.of(ports, connection, asker, dry=connection.mode is Mode.ADVISORY)
    return _issue(desk, desk.forges.issues.issue(RepositoryRef.parse(issue.repository), issue.number))


def sort_project(ports: PlanningPorts, project_id: str, asker: Asker, *, dry: bool) -> SortingView:
    """Sort every open issue and work item of a project; with ``dry`` only say what would be done."""
    record = ports.project(project_id)
    connection = ports.projects.connection(record.connection) if dry else ports.changeable(record)
    desk = Desk.of(ports, connection, asker, dry=dry)
    items: list[SortedItem] = []
    unavailable: dict[str, str] = {}
    left, retry_after = 0, None
    for forge in sorted(record.request.forges):
        try:
            for item in _of(desk, record, forge, room=MOST_CHANGES - _changed(items)):
                items.append(item)
        except RefusedError as error:
            unavailable[forge] = error.reason
        except TransientError as error:
            if not items:
                raise
            unavailable[forge], retry_after = error.reason, error.retry_after or 5
    left = sum(item.state is LabelState.WAITING for item in items)
    counts = Counter(item.verdict.category or desk.rules.uncategorised for item in items)
    return SortingView(
        project=record.id,
        dry_run=dry,
        version=desk.rules.version,
        items=tuple(items),
        counts=dict(sorted(counts.items())),
        left=left,
        retry_after=retry_after,
        unavailable=unavailable,
    )


def _changed(items: Sequence[SortedItem]) -> int:
    return sum(item.state in labelling.CHANGES for item in items)


def _of(desk: Desk, record: ProjectRecord, forge: ForgeName, room: int) -> Iterator[SortedItem]:
    if forge is ForgeName.GITHUB:
        yield from _issues(desk, repository_of(desk.ports, record), room)
        return
    yield from _work_items(desk, record, read(desk.ports, record, forge, described=True), room)


def _issues(desk: Desk, ref: RepositoryRef, room: int) -> Iterator[SortedItem]:
    request = desk.ports.projects.request_label.casefold()
    open_ = [
        issue
        for issue in desk.forges.issues.listed_issues(ref)
        if request not in {label.casefold() for label in issue.labels} and not labelling.common(issue.labels, OURS)
    ]
    # One question for all of them together.
    desk.entries(sorted({number for issue in open_ for number in work_items_in(f"{issue.title}\n{issue.body}")}))
    for issue in open_:
        item = _issue(desk, issue, waiting=room <= 0)
        room -= item.state in labelling.CHANGES
        yield item


def _issue(desk: Desk, issue: IssueSnapshot, *, waiting: bool = False) -> SortedItem:
    text = Text(title=issue.title, body=issue.body, labels=issue.labels, type=issue.type)
    kept = desk.kept(ForgeName.GITHUB, str(issue.ref), issue.number)
    chosen = labelling.decide(text, kept, desk.rules)
    said = f"{issue.title}\n{issue.body}"
    named = work_items_in(said)
    # A work item is changed for those alone who may change the code that is linked to it.
    found = desk.entries(named) if named and desk.may_write(issue.ref, issue.author) else []
    where = belongs(issue.ref, said, desk.projects, desk.repositories, found)
    item = SortedItem(
        forge=ForgeName.GITHUB,
        place=str(issue.ref),
        number=issue.number,
        title=issue.title,
        url=issue.url,
        verdict=chosen.verdict,
        belongs=where,
        label=chosen.wanted,
        state=chosen.state,
        reason=chosen.reason,
    )
    if waiting and chosen.state in labelling.CHANGES:
        return item.model_copy(update={"state": LabelState.WAITING, "reason": "it waits for the next call"})
    if desk.dry:
        return item
    try:
        if chosen.state in labelling.CHANGES:
            _relabel(desk, issue, item, chosen)
        elif chosen.state is LabelState.LEFT_TO_PEOPLE:
            desk.keep(item, left_to_people=bool(kept and kept.label), settled=False)
        linking.link(desk.ports, desk.connection, desk.asker, issue, where, found, log_of(where))
    except RefusedError as error:
        return item.model_copy(update={"state": LabelState.REFUSED, "reason": f"{error.reason} {error.remedy}".strip()})
    return item


def _relabel(desk: Desk, issue: IssueSnapshot, item: SortedItem, chosen: labelling.Labelling) -> None:
    issues, settings = desk.forges.issues, desk.forges.settings
    # Remembered first: a label that was set and not remembered would be taken for a person's.
    desk.keep(item, settled=False)
    if item.label:
        key = (item.place, item.label)
        if settings is not None and key not in desk.labelled:
            settings.create_label(issue.ref, desk.rules.label(chosen.verdict.category))
            desk.labelled.add(key)
        issues.add_issue_label(issue.ref, issue.number, item.label)
    if chosen.own and chosen.own != item.label:
        issues.remove_issue_label(issue.ref, issue.number, chosen.own)
    shown = {label.casefold() for label in issues.issue(issue.ref, issue.number).labels}
    if item.label and item.label.casefold() not in shown:
        raise RefusedError(f"the label {item.label!r} was set and is not seen", "Ask again.")
    desk.keep(item, settled=bool(item.label))
    desk.record(item)


def _work_items(desk: Desk, record: ProjectRecord, backlog: Backlog, room: int) -> Iterator[SortedItem]:
    done: list[tuple[SortedItem, Entry, tuple[str, ...]]] = []
    for entry in backlog.entries:
        if not _is_reported(entry, backlog):
            continue
        text = Text(title=entry.title, body=entry.description, labels=entry.tags, type=entry.type)
        kept = desk.kept(ForgeName.AZURE_DEVOPS, entry.project, entry.id)
        chosen = labelling.decide(text, kept, desk.rules)
        item = SortedItem(
            forge=ForgeName.AZURE_DEVOPS,
            place=entry.project,
            number=entry.id,
            title=entry.title,
            url=entry.url,
            verdict=chosen.verdict,
            belongs=Belonging(project=record.id, reason=f"{entry.project} is its team project"),
            label=chosen.wanted,
            state=chosen.state,
            reason=chosen.reason,
        )
        if chosen.state in labelling.CHANGES:
            if room <= 0:
                yield item.model_copy(update={"state": LabelState.WAITING, "reason": "it waits for the next call"})
                continue
            room -= 1
            if not desk.dry and (problem := _retag(desk, entry, item, chosen.own)):
                yield item.model_copy(update={"state": LabelState.REFUSED, "reason": problem})
                continue
            done.append((item, entry, entry.tags))
            continue
        if chosen.state is LabelState.LEFT_TO_PEOPLE and not desk.dry:
            desk.keep(item, left_to_people=bool(kept and kept.label), settled=False)
        yield item
    yield from _read_back(desk, done)


def _is_reported(entry: Entry, backlog: Backlog) -> bool:
    """Whether people report with it: stories, bugs and issues; what plans or divides work has no category."""
    level, last = backlog.ladder.level_of(entry.type), len(backlog.ladder.levels) - 1
    reported = (level is None and "test" not in entry.type.casefold()) or level == last - 1 or entry.type == "Bug"
    return entry.standing is Standing.OPEN and reported and not labelling.common(entry.tags, OURS)


def _retag(desk: Desk, entry: Entry, item: SortedItem, own: str) -> str:
    """Why the tag could not be set; empty when it was."""
    tracker = desk.forges.tracker
    if tracker is None:
        return "the connection has no Azure DevOps organisation"
    tags = [tag for tag in entry.tags if tag.casefold() not in {own.casefold(), item.label.casefold()}]
    desk.keep(item, settled=False)
    try:
        tracker.set_work_item_tags(entry.id, [*tags, item.label] if item.label else tags, revision=entry.revision)
    except ConflictError as error:
        return f"{error.reason}; look at it again"
    except RefusedError as error:
        return f"{error.reason} {error.remedy}".strip()
    return ""


def _read_back(desk: Desk, done: Sequence[tuple[SortedItem, Entry, tuple[str, ...]]]) -> Iterator[SortedItem]:
    tracker = desk.forges.tracker
    if desk.dry or tracker is None or not done:
        yield from (item for item, _, _ in done)
        return
    shown = {
        one.id: {tag.casefold() for tag in one.tags} for one in tracker.entries([entry.id for _, entry, _ in done])
    }
    for item, entry, _ in done:
        if item.label and item.label.casefold() not in shown.get(entry.id, set()):
            reason = f"the tag {item.label!r} was set and is not seen"
            yield item.model_copy(update={"state": LabelState.REFUSED, "reason": reason})
            continue
        desk.keep(item, settled=bool(item.label))
        desk.record(item)
        yield item
