"""The audit log on Azure Tables: each event, its dedupe row and the head change in one transaction, or not at all.

Appends of one process to one project are combined (group commit): whoever finds the project free commits for all who
wait. Between processes the head's ETag decides; the loser reads the head again. An append normally costs one round trip
because the head is remembered, and a wrong memory only costs a conflict.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from shared.adapters.storage.audit_rows import (
    HEAD,
    at_sequence,
    dedupe_key,
    dedupe_row,
    event_key,
    event_row,
    head_row,
    new_event,
    read_dedupe,
    read_event,
    read_head,
)
from shared.adapters.storage.failures import error_code, storage_errors
from shared.adapters.storage.group_commit import Lane, Ticket, Tip, next_batch, own_copy
from shared.adapters.storage.limits import Row
from shared.audit.merkle import EMPTY_ROOT, Frontier
from shared.domain.audit import AuditEvent, AuditHead, NewAuditEvent, Recorded
from shared.domain.keys import encode_key
from shared.errors import ConflictError, DefectError, RefusedError, TransientError

if TYPE_CHECKING:
    from azure.data.tables import TableClient

    from shared.adapters.storage.account import StorageAccount
    from shared.ports import Clock

_CONFLICTS = 24
_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.5
_LOST_ANSWERS = 2
_PROJECTS_REMEMBERED = 4096

type _Operation = tuple[Literal["create", "update"], Row, dict[str, Any]]


class TableAuditLog:
    """``ports.AuditLog`` in one table, a partition for each project.

    Args:
        account: the storage account.
        clock: gives events their time.
        table: the table's name.
        sleep: waits the given seconds between tries.
    """

    def __init__(
        self, account: StorageAccount, clock: Clock, table: str = "audit", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._account = account
        self._clock = clock
        self._name = table
        self._sleep = sleep
        self._random = secrets.SystemRandom()
        self._lanes: OrderedDict[str, Lane] = OrderedDict()
        self._lanes_lock = threading.Lock()

    def append(self, project: str, event: NewAuditEvent) -> Recorded:
        """Append exactly once: the same ``(instance, step)`` again returns what was recorded the first time.

        Raises:
            TransientError: storage does not answer, or too many writers collide; the same call may be repeated.
            RefusedError: storage denies access.
            DefectError: the event is too large for a row, or the log's own rows contradict each other.
        """
        drafted = new_event(project, event, self._clock.now())
        lane = self._lane(project)
        ticket = Ticket(drafted, lane.partition)
        lane.waiting.append(ticket)
        while ticket.open:
            with lane.committing:
                if ticket.open:
                    self._commit(lane, next_batch(lane.waiting))
        if ticket.failure is not None:
            raise ticket.failure
        if ticket.answer is None:
            raise DefectError("an append ended without an answer")
        return ticket.answer

    def head(self, project: str) -> AuditHead:
        """Size, root and frontier as they are in storage now; an empty head for a project that has no events."""
        row = self._row(encode_key(project), HEAD)
        if row is None:
            return AuditHead(project=project, root=EMPTY_ROOT.hex())
        return read_head(project, row)[0]

    def events(self, project: str, start: int = 0, limit: int = 100) -> Sequence[AuditEvent]:
        """Events by sequence number from ``start``, at most ``limit``. Raises ``DefectError`` for an altered row."""
        if start < 0 or limit < 1:
            raise RefusedError(f"no events from {start}, {limit} at most", "start at 0 or above and ask for 1 or more")
        query = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @last"
        parameters = {
            "partition": encode_key(project),
            "first": event_key(start),
            "last": event_key(min(start + limit, 10**16 - 1)),
        }
        with storage_errors(f"read the log of {project!r}"):
            rows = list(islice(self._table.query_entities(query, parameters=parameters), limit))
        return [read_event(project, row) for row in rows]

    def erase_detail(self, project: str, sequence: int) -> None:
        """Remove the detail of one event for good, again without effect; its digest stays, so every proof still holds.

        Raises:
            RefusedError: there is no such event.
            TransientError: storage does not answer.
        """
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        partition = encode_key(project)
        row = self._row(partition, event_key(sequence))
        if row is None:
            raise RefusedError(f"the log of {project!r} has no event {sequence}", "look the number up in the log")
        bare = {name: value for name, value in row.items() if name != "detail"}
        with storage_errors(f"erase a detail in the log of {project!r}"):
            self._table.update_entity(
                bare,
                mode=UpdateMode.REPLACE,
                etag=row.metadata["etag"],
                match_condition=MatchConditions.IfNotModified,
            )

    @property
    def _table(self) -> TableClient:
        return self._account.table(self._name)

    def _lane(self, project: str) -> Lane:
        with self._lanes_lock:
            lane = self._lanes.get(project)
            if lane is None:
                lane = self._lanes[project] = Lane(project)
                if len(self._lanes) > _PROJECTS_REMEMBERED:
                    self._lanes.popitem(last=False)  # whoever still holds it finishes there: the ETag keeps both right
            self._lanes.move_to_end(project)
            return lane

    def _commit(self, lane: Lane, batch: list[Ticket]) -> None:
        """Answer every ticket of ``batch``; the lane is ours."""
        try:
            self._commit_all(lane, batch)
        except DefectError as error:
            lane.tip = None
            still_open = [ticket for ticket in batch if ticket.open]
            if len(still_open) == 1:
                still_open[0].failure = error
            else:  # one event that storage will not take must not fail those it happened to travel with
                for ticket in still_open:
                    self._commit(lane, [ticket])
        except (TransientError, RefusedError) as error:
            lane.tip = None
            for ticket in batch:
                if ticket.open:
                    ticket.failure = own_copy(error)
        except BaseException:
            lane.tip = None
            for ticket in batch:
                if ticket.open:
                    ticket.failure = TransientError("the writer that committed for several was interrupted")
            raise
        for ticket in batch:  # one left open would be waited for without end
            if ticket.open:
                ticket.failure = DefectError(f"an append to the log of {lane.project!r} ended without an answer")

    def _commit_all(self, lane: Lane, batch: list[Ticket]) -> None:
        conflicts = lost = 0
        while True:
            firsts = {ticket.key: ticket for ticket in reversed(batch) if ticket.open}
            if not firsts:
                break
            tip = lane.tip = lane.tip or self._read_tip(lane)
            try:
                self._transact(lane, tip, list(firsts.values()))
                break
            except ConflictError as conflict:
                lane.tip = None
                conflicts += 1
                if conflicts > _CONFLICTS:
                    raise TransientError(
                        f"too many writers append to the log of {lane.project!r}: {conflicts} conflicts in a row"
                    ) from conflict
                if not self._settle(lane, tip, conflict, firsts):
                    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2**conflicts)
                    self._sleep(self._random.uniform(0, longest))
            except TransientError as error:
                # The effect may have happened: with the head forgotten, the next try finds the dedupe rows if it did.
                lane.tip = None
                lost += 1
                if lost > _LOST_ANSWERS or error.retry_after is not None:
                    raise
                self._sleep(self._random.uniform(0, _FIRST_WAIT * 2**lost))
        for ticket in batch:  # the same step twice in one batch
            first = firsts[ticket.key].answer if ticket.open else None
            if first is not None:
                ticket.answer = first.model_copy(update={"root": _last_root(firsts.values()), "repeated": True})

    def _transact(self, lane: Lane, tip: Tip, tickets: list[Ticket]) -> None:
        """Append ``tickets`` after ``tip`` in one transaction. Raises ``ConflictError`` when anything was there."""
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        frontier = tip.frontier.copy()
        rows: list[_Operation] = []
        answers: list[Recorded] = []
        for ticket in tickets:
            event, leaf = at_sequence(ticket.event, frontier.size)
            frontier.append(leaf)
            recorded = Recorded(sequence=event.sequence, leaf=leaf.hex(), root=frontier.root().hex())
            rows.append(("create", event_row(lane.partition, event), {}))
            rows.append(("create", dedupe_row(lane.partition, event, recorded), {}))
            answers.append(recorded)
        head = head_row(lane.partition, frontier)
        unchanged = {
            "mode": UpdateMode.REPLACE,
            "etag": tip.etag,
            "match_condition": MatchConditions.IfNotModified,
        }
        # The head goes first: where it has moved, that is what the conflict reports.
        operations: list[_Operation] = [
            ("create", head, {}) if tip.etag is None else ("update", head, unchanged),
            *rows,
        ]
        with storage_errors(f"append to the log of {lane.project!r}"):
            answered = self._table.submit_transaction(operations)
        etag = answered[0].get("etag")
        lane.tip = Tip(frontier, etag) if etag else None
        for ticket, answer in zip(tickets, answers, strict=True):
            ticket.answer = answer

    def _settle(self, lane: Lane, tip: Tip, conflict: ConflictError, firsts: dict[str, Ticket]) -> bool:
        """After a conflict: answer what had been recorded before. Whether anything was.

        Raises:
            DefectError: the head did not move and no step was recorded before, so an event row stands where none can.
        """
        if not _already_exists(conflict):
            return False
        now = lane.tip = self._read_tip(lane)
        found = False
        for key, ticket in firsts.items():
            row = self._row(lane.partition, key)
            if row is not None:
                ticket.answer = self._repeated(lane, now, row)
                found = True
        if not found and now.etag == tip.etag:
            raise DefectError(
                f"the log of {lane.project!r} holds an event after its head's {tip.frontier.size}; "
                "its rows were altered: verify it"
            )
        return found

    def _repeated(self, lane: Lane, tip: Tip, row: Any) -> Recorded:
        """The answer a dedupe row gives, checked against the event it points at."""
        known = read_dedupe(lane.project, row)
        stored = self._row(lane.partition, event_key(known.sequence))
        if stored is not None:
            event = read_event(lane.project, stored)
            same = at_sequence(event, known.sequence)[1].hex() == known.leaf
            root, last = tip.frontier.root().hex(), known.sequence + 1 == tip.frontier.size
            if same and dedupe_key(event.instance, event.step) == row["RowKey"] and (not last or root == known.root):
                return Recorded(sequence=known.sequence, leaf=known.leaf, root=root, repeated=True)
        raise DefectError(f"event {known.sequence} of the log of {lane.project!r} was altered: verify the log")

    def _read_tip(self, lane: Lane) -> Tip:
        row = self._row(lane.partition, HEAD)
        if row is None:
            return Tip(Frontier(), None)
        return Tip(read_head(lane.project, row)[1], row.metadata["etag"])

    def _row(self, partition: str, key: str) -> Any:
        from azure.core.exceptions import ResourceNotFoundError

        with storage_errors(f"read {key} of the log {partition}"):
            try:
                return self._table.get_entity(partition, key)
            except ResourceNotFoundError:
                return None


def _already_exists(conflict: ConflictError) -> bool:
    from azure.core.exceptions import HttpResponseError

    cause = conflict.__cause__
    return isinstance(cause, HttpResponseError) and error_code(cause) == "EntityAlreadyExists"


def _last_root(tickets: Iterable[Ticket]) -> str:
    """The root after the last event of a committed batch."""
    answers = [ticket.answer for ticket in tickets if ticket.answer is not None]
    return max(answers, key=lambda answer: answer.sequence).root
