"""What the sorting of issues looks up once for all of them, and what it remembers of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from shared.domain.audit import TENANT, AuditTag
from shared.domain.backlog import Entry
from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.issue_category import Belonging, KeptCategory, SortedItem
from shared.domain.run import ProjectRecord
from shared.planning.ports import Asker, PlanningPorts
from shared.planning.reading import repository_of
from shared.planning.rules import Rules, rules
from shared.projects.ports import PROJECTS, ConnectedForges

_TAGS = {
    ForgeName.GITHUB: AuditTag.GITHUB_ISSUE_CATEGORISED,
    ForgeName.AZURE_DEVOPS: AuditTag.AZURE_DEVOPS_ITEM_CATEGORISED,
}


def log_of(where: Belonging) -> str:
    """The log an issue is recorded in: its project's, else the tenant's."""
    return where.project or TENANT


@dataclass
class Desk:
    """What is looked up once for all issues of a call."""

    ports: PlanningPorts
    connection: Connection
    asker: Asker
    dry: bool
    projects: Sequence[ProjectRecord]
    rules: Rules = field(default_factory=rules)
    work_items: dict[int, Entry] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    writers: dict[tuple[str, str], bool] = field(default_factory=dict)
    labelled: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, ports: PlanningPorts, connection: Connection, asker: Asker, *, dry: bool) -> Self:
        """A desk for issues of ``connection``."""
        rows = ports.projects.projects.list(PROJECTS, limit=10_000)
        mine = [record for _, _, record in rows if record.connection == connection.id]
        return cls(ports=ports, connection=connection, asker=asker, dry=dry, projects=mine)

    @property
    def forges(self) -> ConnectedForges:
        """The forges of the connection."""
        return self.ports.projects.connect(self.connection)

    @property
    def repositories(self) -> Mapping[str, RepositoryRef]:
        """Each project's repository on GitHub."""
        return {one.id: repository_of(self.ports, one) for one in self.projects}

    def entries(self, ids: Sequence[int]) -> list[Entry]:
        """Those of the work items that are there; each is asked for once."""
        tracker = self.forges.tracker
        if tracker is not None and (new := [number for number in ids if number not in self.asked]):
            self.asked.update(new)
            self.work_items |= {entry.id: entry for entry in tracker.entries(new)}
        return [self.work_items[number] for number in ids if number in self.work_items]

    def may_write(self, ref: RepositoryRef, login: str) -> bool:
        """Whether a person may write to the repository; asked once."""
        key = (str(ref), login)
        if key not in self.writers:
            self.writers[key] = self.forges.issues.may_write(ref, login)
        return self.writers[key]

    def kept(self, forge: ForgeName, place: str, number: int) -> KeptCategory | None:
        """What Doneright remembers of an issue or work item."""
        found = self.ports.categories.get(f"{forge}.{place}".lower(), str(number))
        return found[0] if found else None

    def keep(self, item: SortedItem, *, settled: bool, left_to_people: bool = False) -> None:
        """Remember what was done with the label; ``settled`` once it was seen."""
        self.ports.categories.put(
            f"{item.forge}.{item.place}".lower(),
            str(item.number),
            KeptCategory(
                forge=item.forge,
                place=item.place,
                number=item.number,
                label=item.label,
                settled=settled,
                left_to_people=left_to_people,
                verdict=item.verdict,
                project=item.belongs.project,
                updated_at=self.ports.projects.clock.now(),
            ),
        )

    def record(self, item: SortedItem) -> None:
        """Put on the log of the project it belongs to what became of the label."""
        self.ports.record(
            log_of(item.belongs),
            _TAGS[item.forge],
            self.asker,
            f"categorise.{item.place}#{item.number}",
            item.url or f"{item.place}#{item.number}",
            category=item.verdict.category,
            label=item.label,
            change=item.state.value,
            rules=item.verdict.version,
            why=item.verdict.explanation,
        )
