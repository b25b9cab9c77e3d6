"""Moves the tickets behind a change on their forge: labels of an issue, state and tag of a work item, each on record.

Whatever is set is read right before, and set only as it was read; doing it again changes nothing. A ticket that may not
move is explained on the record and in what is told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from shared.definitions.load import ticket_lifecycle
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.change import ChangeEvidence, ChangeRef, LinkedItem, Unknown
from shared.domain.connection import Connection, Mode
from shared.domain.definition import DefinitionOfDone, WorkItemKind
from shared.domain.forge import ForgeName
from shared.domain.project import Process
from shared.domain.publication import MergeOutcome
from shared.domain.review import BegunMove, Finding, Reviewed, ReviewInput, Spoken
from shared.errors import ConflictError, RefusedError, TransientError
from shared.policies.pinning import definition_of_done_of
from shared.projects.ports import CONNECTIONS, ConnectedForges
from shared.reviews import recording
from shared.reviews.desks import Desk, desk_of, seen_in
from shared.reviews.moving import Ground, Journey, ground_of, journey, words_of
from shared.reviews.ports import ReviewPorts
from shared.reviews.recalling import evidence_of
from shared.reviews.words import begin_move, end_move, spoken_of

Moving = Callable[[ReviewInput, Reviewed, MergeOutcome | None], tuple[str, ...]]
"""How ``move_tickets`` looks once its ports are given."""

_TRIES = 4
_MOST_TICKETS = 20
"""A change that names more is told by its gate, and moves none of them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MovePorts:
    """The reviews' ports, and the forges that keep tickets."""

    reviews: ReviewPorts
    forges: Callable[[Connection], ConnectedForges]


def move_tickets(
    ports: MovePorts, run: ReviewInput, reviewed: Reviewed, merged: MergeOutcome | None = None
) -> tuple[str, ...]:
    """Move every ticket of the change as far as the review lets it; what there is to tell about each.

    Raises ``TransientError`` when a forge or storage does not answer, or when people keep changing a ticket meanwhile.
    """
    found = ports.reviews.connections.get(CONNECTIONS, run.connection)
    if found is None or found[0].paused or found[0].mode is Mode.ADVISORY or reviewed.advisory:
        return ()  # who is only advised keeps tickets where people put them
    evidence = evidence_of(ports.reviews.artifacts, reviewed.evidence)
    tickets, none = _tickets(evidence)
    if none:
        return none
    definition = definition_of_done_of(ports.reviews.artifacts, reviewed.definition)
    spoken = spoken_of(ports.reviews, run.ref)
    ground = _ground(evidence, reviewed.findings, spoken, definition, merged=merged is not None and merged.merged)
    try:
        connected, process = ports.forges(found[0]), _process(evidence)
    except RefusedError as error:
        return (f"No ticket is moved: {error.reason}. {error.remedy}".strip(),)
    told = [_moved(ports, run, ground, item, desk_of(connected, ground.lifecycle, item, process)) for item in tickets]
    return tuple(words for words in told if words)


def after_merge(ports: ReviewPorts, moved: Moving, ref: ChangeRef, commit: str = "") -> tuple[str, ...]:
    """What follows for tickets when somebody merged the pull request: as if Doneright had, by what was reviewed last.

    Doing it again, also after a merge of our own, changes nothing. Raises as ``move_tickets``.
    """
    for record in recording.heads_of(ports, ref):
        reviewed = recording.reviewed_of(ports, record)
        if reviewed is not None:
            run = ReviewInput(
                instance=record.instance,
                review=record.id,
                ref=ref,
                project=record.project,
                connection=record.connection,
                head=record.head,
                round=record.wanted,
                reason="it was merged",
            )
            return moved(run, reviewed, MergeOutcome(merged=True, commit=commit))
    return ()


def foretold(
    evidence: ChangeEvidence, findings: tuple[Finding, ...], spoken: Spoken, definition: DefinitionOfDone
) -> tuple[str, ...]:
    """Where each ticket goes, or why it stays, by how it read when the change was looked at. Pure; moves nothing."""
    tickets, none = _tickets(evidence)
    if none:
        return none
    ground, process = _ground(evidence, findings, spoken, definition, merged=False), _process(evidence)
    told = []
    for item in tickets:
        seen = seen_in(ground.lifecycle, item, process)
        told.append(words_of(journey(ground, seen.reading, tagged=seen.tagged), _name(item)))
    return tuple(words for words in told if words)


def _tickets(evidence: ChangeEvidence) -> tuple[list[LinkedItem], tuple[str, ...]]:
    """The tickets that may move; or what there is to tell of there being none."""
    if isinstance(evidence.items, Unknown):
        return [], (f"The tickets behind this are not known, and stay as they are: {evidence.items.reason}",)
    tickets = [one for one in evidence.items if _moves(one)]
    if len(tickets) > _MOST_TICKETS:
        return [], (f"This names {len(tickets)} tickets, of which none is moved; {_MOST_TICKETS} are the most.",)
    return tickets, ()


def _ground(
    evidence: ChangeEvidence,
    findings: tuple[Finding, ...],
    spoken: Spoken,
    definition: DefinitionOfDone,
    *,
    merged: bool,
) -> Ground:
    return ground_of(
        evidence.change,
        evidence.reviews,
        findings,
        spoken,
        lifecycle=ticket_lifecycle(),
        definition=definition,
        merged=merged,
    )


def _process(evidence: ChangeEvidence) -> Process | None:
    return Process(evidence.process) if evidence.process in set(Process) else None


def _moves(item: LinkedItem) -> bool:
    """Whether one change can finish it: an epic or a feature is finished by what hangs on it."""
    return item.kind not in {WorkItemKind.EPIC, WorkItemKind.FEATURE}


def _moved(ports: MovePorts, run: ReviewInput, ground: Ground, item: LinkedItem, desk: Desk) -> str:
    name = _name(item)
    try:
        _finish_what_broke_off(ports, run, item, desk)
        went = _as_it_stands(ports, run, ground, item, desk)
    except RefusedError as error:
        end_move(ports.reviews, run.ref, name)
        _record(ports, run, item, AuditTag.TICKET_STAYED, "refused", reason=error.reason)
        _log.warning("ticket %s was not moved: %s", name, error.reason)
        return f"{name} stays as it is: {error.reason}. {error.remedy}".strip()
    if went.held or went.problem:
        held = went.held
        _record(
            ports,
            run,
            item,
            AuditTag.TICKET_STAYED,
            f"stayed.{held.origin}.{held.to}" if held else "stayed",
            reason=went.problem or (held.reason if held else ""),
            missing=[one.criterion for one in held.missing] if held else [],
        )
    return words_of(went, name)


def _finish_what_broke_off(ports: MovePorts, run: ReviewInput, item: LinkedItem, desk: Desk) -> None:
    begun = spoken_of(ports.reviews, run.ref).moving.get(_name(item))
    if begun is None:
        return
    seen = desk.read()
    # Of a move that broke off, both states may show, or either. Anything else is what people made of it since.
    if set(seen.reading.candidates) <= {begun.origin, begun.to}:
        desk.put(seen, begun.to)
        _on_record(ports, run, item, begun)
    end_move(ports.reviews, run.ref, _name(item))


def _as_it_stands(ports: MovePorts, run: ReviewInput, ground: Ground, item: LinkedItem, desk: Desk) -> Journey:
    name = _name(item)
    for _ in range(_TRIES):
        seen = desk.read()
        went = journey(ground, seen.reading, tagged=seen.tagged)
        if not went.moves or went.to is None:
            return went
        begun = BegunMove(origin=None if went.adopted else went.origin, to=went.to, passed=went.passed)
        begin_move(ports.reviews, run.ref, name, begun)
        try:
            desk.put(seen, went.to)
        except ConflictError:
            end_move(ports.reviews, run.ref, name)
            continue
        _on_record(ports, run, item, begun)
        end_move(ports.reviews, run.ref, name)
        return went
    raise TransientError(f"{name} changes all the time", retry_after=5)


def _on_record(ports: MovePorts, run: ReviewInput, item: LinkedItem, begun: BegunMove) -> None:
    tag = AuditTag.GITHUB_TICKET_MOVED if item.forge is ForgeName.GITHUB else AuditTag.AZURE_DEVOPS_TICKET_MOVED
    origin = begun.origin.value if begun.origin else ""
    passed = [state.value for state in begun.passed]
    _record(ports, run, item, tag, f"{origin}.{begun.to}", origin=origin, to=begun.to.value, passed=passed)


def _name(item: LinkedItem) -> str:
    return f"{item.project}#{item.id}" if item.forge is ForgeName.GITHUB else f"Work item {item.id}"


def _record(ports: MovePorts, run: ReviewInput, item: LinkedItem, tag: AuditTag, step: str, **detail: object) -> None:
    ports.reviews.audit.append(
        run.project,
        NewAuditEvent.model_validate(
            {
                "tag": tag,
                "instance": run.instance,
                "step": f"ticket.{run.round}.{item.forge}.{item.project}.{item.id}.{step}",
                "subject": item.url or _name(item),
                "detail": {"ticket": _name(item), "review": run.review, **detail},
            }
        ),
    )
