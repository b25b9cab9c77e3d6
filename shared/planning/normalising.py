"""Applies exactly the fixes that were asked for, each only to an item that still stands as it was judged, and reads back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.audit import AuditTag
from shared.domain.backlog import Backlog, Entry, Fix, FixOutcome, FixState, NormalisationView, Standing
from shared.domain.forge import BacklogItem, ForgeName, RepositoryRef
from shared.domain.run import ProjectRecord
from shared.errors import ConflictError, RefusedError, TransientError
from shared.planning.forest import UNSORTED, Forest, container_key, is_container
from shared.planning.hierarchy import judge
from shared.planning.levels import label_for
from shared.planning.ports import Asker, PlanningPorts
from shared.planning.reading import read, repository_of
from shared.projects.ports import ConnectedForges

MOST_FIXES = 50
"""So many are applied in one call, which answers within the time an HTTP call has."""


_TAGS = {
    ForgeName.AZURE_DEVOPS: AuditTag.AZURE_DEVOPS_ITEM_MOVED,
    ForgeName.GITHUB: AuditTag.GITHUB_ITEM_MOVED,
}
_CONTAINER_TEXT = "Items that no evidence places, kept here by Doneright until a person has sorted them."


def plan(ports: PlanningPorts, project_id: str, chosen: Sequence[str] | None, *, containers: bool) -> NormalisationView:
    """The fixes that would be applied; ``chosen`` names some, ``None`` means all."""
    record = ports.project(project_id)
    fixes = []
    for forge in _forges(record, chosen):
        findings = judge(read(ports, record, forge), containers=containers or _asks_container(chosen))
        fixes += [one.fix for one in findings if one.fix and (chosen is None or one.fix.id in chosen)]
    return NormalisationView(project=record.id, dry_run=True, fixes=tuple(fixes))


def normalise(
    ports: PlanningPorts, project_id: str, chosen: Sequence[str] | None, asker: Asker, *, containers: bool
) -> NormalisationView:
    """Apply ``chosen`` fixes, or all. One that fails does not stop the others; asked again it changes nothing more."""
    record = ports.project(project_id)
    ports.changeable(record)
    outcomes: list[FixOutcome] = []
    left, retry_after = 0, None
    for forge in _forges(record, chosen):
        wanted = None if chosen is None else [one for one in chosen if one.startswith(f"{forge}:")]
        run = _Run(ports, record, forge, read(ports, record, forge), asker)
        room = MOST_FIXES - sum(one.state is not FixState.ALREADY for one in outcomes)
        left += run.apply(wanted, containers=containers or _asks_container(chosen), room=room)
        outcomes += run.read_back()
        retry_after = run.retry_after if retry_after is None else retry_after
    return NormalisationView(project=record.id, outcomes=tuple(outcomes), left=left, retry_after=retry_after)


def _forges(record: ProjectRecord, chosen: Sequence[str] | None) -> list[ForgeName]:
    named = None if chosen is None else {one.partition(":")[0] for one in chosen}
    return [forge for forge in sorted(record.request.forges) if named is None or forge in named]


def _asks_container(chosen: Sequence[str] | None) -> bool:
    return chosen is not None and any(one.endswith("-under-unsorted") for one in chosen)


@dataclass
class _Run:
    """The fixes of one forge."""

    ports: PlanningPorts
    record: ProjectRecord
    forge: ForgeName
    backlog: Backlog
    asker: Asker
    outcomes: dict[str, FixOutcome] = field(default_factory=dict)
    retry_after: float | None = None

    def apply(self, wanted: Sequence[str] | None, *, containers: bool, room: int) -> int:
        """Apply what is proposed and wanted, in the order of the proposals; how many had no room any more."""
        proposed = {one.fix.id: one.fix for one in judge(self.backlog, containers=containers) if one.fix}
        for name in dict.fromkeys(wanted or ()):
            if name not in proposed:
                self.outcomes[name] = self._not_proposed(name)
        fixes = [fix for name, fix in proposed.items() if wanted is None or name in wanted]
        forest = Forest(self.backlog)
        waiting = ""
        for fix in fixes[:room]:
            if waiting:
                self._say(fix, FixState.WAITING, waiting, "Ask again.")
                continue
            try:
                self._move(forest, fix)
            except ConflictError as error:
                self._say(fix, FixState.CONFLICT, error.reason, "Look at it again, and ask again.")
            except RefusedError as error:
                self._say(fix, FixState.REFUSED, error.reason, error.remedy)
            except TransientError as error:
                # The next call to this forge would end the same way.
                waiting, self.retry_after = error.reason, error.retry_after or 5
                self._say(fix, FixState.WAITING, waiting, "Ask again.")
        return max(0, len(fixes) - room)

    def _not_proposed(self, name: str) -> FixOutcome:
        item, _, where = name.partition(":")[2].partition("-")
        entries = {entry.id: entry for entry in self.backlog.entries}
        entry = entries.get(int(item))
        if entry is None:
            return FixOutcome(
                fix=name, state=FixState.STALE, item=int(item), reason=f"there is no open #{item}", remedy="Look again."
            )
        above = entries.get(entry.parent) if entry.parent is not None else None
        there = {
            "alone": entry.parent is None,
            "under-unsorted": above is not None and is_container(above),
            f"under-{entry.parent}": entry.parent is not None,
        }
        if there.get(where):
            return FixOutcome(fix=name, state=FixState.ALREADY, item=entry.id, parent=entry.parent)
        return FixOutcome(
            fix=name,
            state=FixState.STALE,
            item=entry.id,
            parent=entry.parent,
            reason="the backlog has changed, and this is not proposed any more",
            remedy="Look at what is proposed now, and ask for that.",
        )

    def _move(self, forest: Forest, fix: Fix) -> None:
        where = fix
        if fix.container:
            where = fix.model_copy(update={"parent": self._container(forest, fix.container), "container": ""})
        if where.parent is not None and forest.reaches(where.parent, fix.item):
            raise ConflictError(f"#{fix.item} is above #{where.parent} as long as another fix is not applied")
        connected = self._connected()
        if self.forge is ForgeName.GITHUB:
            connected.issues.set_issue_parent(self._ref(), fix.item, where.parent, before=fix.before)
        elif connected.tracker is not None:
            connected.tracker.set_work_item_parent(fix.item, where.parent, before=fix.before, revision=fix.revision)
        forest.hang(where)
        self.outcomes[fix.id] = FixOutcome(
            fix=fix.id, state=FixState.APPLIED, item=fix.item, parent=where.parent, reason=fix.reason
        )

    def _container(self, forest: Forest, type_: str) -> int:
        """The container of ``type_``, made with those above it where they lack."""
        rank = forest.ladder.level_of(type_)
        level = forest.ladder.levels[rank or 0]
        there = forest.container(level)
        if there is not None and there.id > 0:
            if there.standing is not Standing.OPEN:
                raise RefusedError(
                    f"#{there.id} {UNSORTED!r} is {there.state}", "Reopen it, or sort the items by hand."
                )
            return there.id
        above = self._container(forest, forest.ladder.levels[rank - 1].name) if rank else None
        made = self._make(level.name, above)
        tags = (f"doneright:{container_key(level.name)}",)
        forest.entries[made] = Entry(id=made, type=level.name, title=UNSORTED, parent=above, tags=tags)
        forest.parents[made] = above
        return made

    def _make(self, type_: str, above: int | None) -> int:
        connected, key = self._connected(), container_key(type_)
        if self.forge is ForgeName.GITHUB:
            labels = [label_for(self.backlog, type_), f"doneright:{key}"]
            made = connected.issues.create_issue(self._ref(), UNSORTED, _CONTAINER_TEXT, labels).number
            if above is not None:
                connected.issues.set_issue_parent(self._ref(), made, above, before=None)
            return made
        if connected.tracker is None:
            raise RefusedError("the connection has no Azure DevOps organisation", "Add one to the connection.")
        item = BacklogItem(key=key, type=type_, title=UNSORTED, description=_CONTAINER_TEXT)
        return connected.tracker.create_work_item(self.record.name, item, parent_id=above).id

    def read_back(self) -> list[FixOutcome]:
        """What became of each fix, as the forge shows it now; every one that was applied is put on record."""
        done = [one for one in self.outcomes.values() if one.state is FixState.APPLIED]
        if done:
            shown = self._parents()
            for one in done:
                self.outcomes[one.fix] = self._seen(one, shown)
        return list(self.outcomes.values())

    def _parents(self) -> Mapping[int, int | None] | None:
        try:
            return {entry.id: entry.parent for entry in read(self.ports, self.record, self.forge).entries}
        except TransientError as error:
            self.retry_after = self.retry_after or error.retry_after or 5
            return None

    def _seen(self, one: FixOutcome, shown: Mapping[int, int | None] | None) -> FixOutcome:
        if shown is not None and (one.item not in shown or shown[one.item] != one.parent):
            return one.model_copy(
                update={
                    "state": FixState.CONFLICT,
                    "parent": shown.get(one.item),
                    "reason": "it was changed and is not seen there; somebody may have moved it at the same moment",
                    "remedy": "Look at it again.",
                }
            )
        before = next((entry.parent for entry in self.backlog.entries if entry.id == one.item), None)
        self.ports.record(
            self.record.id,
            _TAGS[self.forge],
            self.asker,
            f"move.{one.fix}",
            self._url(one.item),
            item=one.item,
            before=before,
            parent=one.parent,
            why=one.reason,
            read_back=shown is not None,
        )
        if shown is None:
            return one.model_copy(
                update={
                    "state": FixState.WAITING,
                    "reason": "it was changed and not read back yet",
                    "remedy": "Ask again.",
                }
            )
        return one

    def _say(self, fix: Fix, state: FixState, reason: str, remedy: str) -> None:
        self.outcomes[fix.id] = FixOutcome(
            fix=fix.id, state=state, item=fix.item, parent=fix.before, reason=reason, remedy=remedy
        )

    def _url(self, item: int) -> str:
        return next((entry.url for entry in self.backlog.entries if entry.id == item), f"#{item}") or f"#{item}"

    def _connected(self) -> ConnectedForges:
        return self.ports.projects.connect(self.ports.projects.connection(self.record.connection))

    def _ref(self) -> RepositoryRef:
        return repository_of(self.ports, self.record)
