"""What each command does, what it demands of who gives it, and what there is to answer and to record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from shared.definitions.load import definition_of_done
from shared.domain.audit import AuditTag
from shared.domain.definition import Criterion, GateId, KnownByAttestation, KnownByGate, OwnerRole, Severity
from shared.domain.review import Attestation, Outcome, Waiver
from shared.errors import RefusedError
from shared.reviews import naming, replies, roles, words
from shared.reviews.grammar import (
    AttestCommand,
    ChooseCommand,
    Command,
    DecideCommand,
    ExplainCommand,
    HelpCommand,
    ReviewCommand,
    Unparsed,
    Verb,
    WaiveCommand,
)
from shared.reviews.hearing import Hearing

LONGEST_WAIVER = timedelta(days=90)
LONGEST_CRITICAL_WAIVER = timedelta(days=14)
"""What does the worst harm is let go for one sprint at the most: a leaked key is leaked however long nobody minds."""

ATTESTABLE = frozenset({Outcome.NOT_AVAILABLE, Outcome.NOT_SUPPORTED})
"""What somebody may say in a gate's place: it saw nothing. One that broke is a defect, and one that decided has decided."""


@dataclass(frozen=True)
class Told:
    """What became of one command."""

    text: str
    verb: Verb | None = None
    problem: str = ""
    look_again: bool = False
    records: tuple[tuple[AuditTag, dict[str, Any]], ...] = ()


def refused(error: RefusedError, verb: Verb | None = None) -> Told:
    """A command that is not followed."""
    detail = {"word": verb.value if verb else "", "reason": error.reason}
    return Told(
        text=replies.refused(error.reason, error.remedy),
        verb=verb,
        problem=error.reason,
        records=((AuditTag.COMMAND_REFUSED, detail),),
    )


def unparsed(hearing: Hearing, line: Unparsed) -> Told:
    """A line that is no command, with how it would be one."""
    day = hearing.ports.clock.now().date() + timedelta(days=14)
    return Told(
        text=replies.unparsed(line, day),
        verb=line.verb,
        problem=line.problem,
        records=((AuditTag.COMMAND_REFUSED, {"word": "", "reason": line.problem}),),
    )


def obey(hearing: Hearing, command: Command) -> Told:
    """Do what the command says. Raises ``RefusedError`` with what to do instead."""
    match command:
        case ReviewCommand():
            told = _review(hearing)
        case ExplainCommand():
            told = _explain(hearing, command)
        case AttestCommand():
            told = _attest(hearing, command)
        case WaiveCommand():
            told = _waive(hearing, command)
        case DecideCommand():
            told = _decide(hearing, command)
        case ChooseCommand():
            told = _choose(hearing, command)
        case HelpCommand():
            told = _followed(Verb.HELP, replies.table())
    return told


def _followed(verb: Verb, text: str, *, look_again: bool = False, **detail: Any) -> Told:
    record = (AuditTag.COMMAND_FOLLOWED, {"word": verb.value, **detail})
    return Told(text=text, verb=verb, look_again=look_again, records=(record,))


def _review(hearing: Hearing) -> Told:
    hearing.must_be_open()
    return _followed(Verb.REVIEW, replies.looking(hearing.head), look_again=True, head=hearing.head)


def _explain(hearing: Hearing, command: ExplainCommand) -> Told:
    named = naming.named(command.name, definition_of_done())
    text = replies.explained(
        named,
        hearing.reviewed,
        words.spoken_of(hearing.ports, hearing.ref),
        hearing.ports.clock.now(),
    )
    return _followed(Verb.EXPLAIN, text, name=command.name)


def _attest(hearing: Hearing, command: AttestCommand) -> Told:
    hearing.must_be_open()
    criterion = naming.one(command.name, definition_of_done(), _undecided(hearing))
    role = _attesting_role(hearing, criterion)
    hearing.must_hold(role)
    attestation = Attestation(
        criterion=criterion.id,
        link=command.link,
        by=hearing.author.login,
        actor=hearing.actor,
        role=role,
        at=hearing.at,
        head=hearing.head,
    )
    words.attest(hearing.ports, hearing.ref, attestation)
    detail = {"criterion": criterion.id, "link": command.link, "role": role.value, "head": hearing.head}
    return Told(
        text=replies.attested(attestation),
        verb=Verb.ATTEST,
        look_again=True,
        records=((AuditTag.ATTESTATION_RECORDED, detail),),
    )


def _undecided(hearing: Hearing) -> frozenset[str]:
    findings = hearing.reviewed.findings if hearing.reviewed else ()
    return frozenset(one.criterion for one in findings if one.outcome in ATTESTABLE)


def _attesting_role(hearing: Hearing, criterion: Criterion) -> OwnerRole:
    """Who may say that it holds. Raises ``RefusedError`` where a gate says it."""
    known = criterion.known_by
    if isinstance(known, KnownByAttestation):
        return known.by
    if isinstance(known, KnownByGate):
        found = hearing.finding(criterion.id)
        if found is None:
            raise RefusedError(
                f"no review has asked for {criterion.id} yet, and a gate decides it",
                "Attest it once a review says that it could not be determined.",
            )
        # What somebody attested is met in the next review; he may give another link.
        if found.outcome not in ATTESTABLE and found.attestation is None:
            raise RefusedError(
                f"the gate {known.gate} decided {criterion.id}: {found.outcome.replace('_', ' ')}",
                found.remedy or "An approver may waive it for a while.",
            )
    # A person judges what was shown, and nobody judges his own work.
    return OwnerRole.REVIEWER if criterion.owner is OwnerRole.AUTHOR else criterion.owner


def _waive(hearing: Hearing, command: WaiveCommand) -> Told:
    hearing.must_be_open()
    hearing.must_hold(roles.APPROVER)
    criteria = naming.several(command.name, definition_of_done(), _standing_in_the_way(hearing))
    until = _last_moment(hearing, command.until, criteria)
    waivers = tuple(
        Waiver(
            criterion=criterion.id,
            because=command.because,
            until=until,
            by=hearing.author.login,
            actor=hearing.actor,
            at=hearing.at,
        )
        for criterion in criteria
    )
    for waiver in waivers:
        words.waive(hearing.ports, hearing.ref, waiver)
    return Told(
        text=replies.waived(waivers, criteria),
        verb=Verb.WAIVE,
        look_again=True,
        records=tuple(
            (
                AuditTag.WAIVER_GRANTED,
                {"criterion": one.criterion, "until": one.until.isoformat(), "because": one.because},
            )
            for one in waivers
        ),
    )


def _standing_in_the_way(hearing: Hearing) -> frozenset[str]:
    findings = hearing.reviewed.findings if hearing.reviewed else ()
    fine = {Outcome.MET, Outcome.NOT_APPLICABLE}
    return frozenset(one.criterion for one in findings if one.outcome not in fine)


def _last_moment(hearing: Hearing, day: date, criteria: tuple[Criterion, ...]) -> datetime:
    """The end of ``day``, in UTC. Raises ``RefusedError`` for one that is past or too far ahead."""
    today = hearing.ports.clock.now().astimezone(UTC).date()
    worst = [criterion for criterion in criteria if criterion.severity is Severity.CRITICAL]
    longest = LONGEST_CRITICAL_WAIVER if worst else LONGEST_WAIVER
    last = today + longest
    if day < today:
        raise RefusedError(f"{day} is past", f"Name a day from {today} to {last}.")
    if day > last:
        why = f", because {worst[0].id} is critical" if worst else ""
        raise RefusedError(
            f"{day} is more than {longest.days} days ahead{why}",
            f"Name a day from {today} to {last}; it can be renewed.",
        )
    return datetime.combine(day, time(23, 59, 59), UTC)


def _decide(hearing: Hearing, command: DecideCommand) -> Told:
    accepted = command.verb is Verb.ACCEPT
    hearing.must_hold(OwnerRole.PRODUCT_OWNER)
    words.decide(hearing.ports, hearing.ref, accepted=accepted, at=hearing.at)
    tag = AuditTag.WORK_ACCEPTED if accepted else AuditTag.WORK_REJECTED
    return Told(
        text=replies.decided(accepted=accepted),
        verb=command.verb,
        look_again=True,
        records=((tag, {"because": command.because}),),
    )


def _choose(hearing: Hearing, command: ChooseCommand) -> Told:
    hearing.must_be_open()
    hearing.must_hold(OwnerRole.ARCHITECT)
    found = hearing.finding(GateId.DESIGN_OPTIONS_ARE_WEIGHED)
    options = found.measured.get("options") if found else None
    if isinstance(options, int | float) and command.number > options:
        raise RefusedError(
            f"there is no design {command.number}: the last review found {options:g}",
            "Number the options from 1, in the order in which they stand.",
        )
    words.choose(hearing.ports, hearing.ref, design=command.number, at=hearing.at)
    return Told(
        text=replies.chosen(command.number),
        verb=Verb.CHOOSE,
        look_again=True,
        records=((AuditTag.DESIGN_DECIDED, {"design": command.number}),),
    )
