"""Asks people how a run that failed goes on, takes the first answer, and lets the deadline answer when nobody does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.domain.audit import AuditTag
from shared.domain.decision import DEADLINE, MEANS, Choice, Decision, Question, event_of
from shared.domain.forge import Frozen
from shared.domain.run import ProjectRecord, ProjectState
from shared.domain.run_activities import Asking, Deciding, Taken
from shared.errors import ConflictError, DefectError, RefusedError
from shared.projects import answering, answers
from shared.projects.planning import reopen
from shared.projects.ports import PROJECTS, ProjectPorts


class Wake(Frozen):
    """A durable event that tells a waiting run to look again; it carries nothing, the record holds the decision."""

    instance: str
    event: str


def ask(ports: ProjectPorts, asking: Asking) -> bool:
    """Put the question on record and on the issue. ``False`` when this round was decided already: a lost run, taken up.

    Doing it again asks nothing twice.
    """

    def asked(record: ProjectRecord) -> ProjectRecord:
        known = record.question if record.question and record.question.round == asking.round else None
        question = known or Question(round=asking.round, due=asking.due)
        return record.model_copy(update={"question": question, "state": ProjectState.AWAITING_DECISION})

    record = _change(ports, asking.project, asking.run.instance, asked)
    if record.question is None or record.question.decision is not None:
        return False
    steps = ports.steps(asking.run.instance)
    ports.record(
        asking.project,
        AuditTag.DECISION_REQUESTED,
        asking.run,
        f"ask.{asking.round}",
        due=record.question.due.isoformat(),
        failed={s.step: s.reason for s in answers.unsuccessful(steps)},
    )
    body = answers.asked(record.name, steps, due=record.question.due, status_url=ports.links.status(record.id))
    answering.say(ports, asking.run, record.id, f"asked.{asking.round}", body)
    return True


def decide(ports: ProjectPorts, project_id: str, choice: Choice, *, actor: str, source: str) -> Wake:
    """Put a person's decision on record; the first one of a round counts, and the same one again changes nothing.

    ``actor`` is a pseudonym. Raises ``RefusedError`` when the project waits for no decision, or has been decided.
    """

    def decided(record: ProjectRecord) -> ProjectRecord:
        question = record.question
        if question is None:
            raise RefusedError(
                f"project {project_id} is {record.state} and waits for no decision",
                "Only a run with a step that failed for good asks for one; look at its status page.",
            )
        made = question.decision
        if made is not None and (made.source, made.choice) == (source, choice):
            return record
        if made is not None:
            raise RefusedError(
                f"it was decided already, on {made.at:%Y-%m-%d %H:%M} UTC: {made.choice}",
                "Look at its status page; if it fails again, you will be asked again.",
            )
        if record.state is not ProjectState.AWAITING_DECISION:
            raise RefusedError(f"project {project_id} is {record.state} and waits for no decision")
        return _with(record, choice, actor=actor, source=source, now=ports.clock.now())

    record = _change(ports, project_id, None, decided)
    if record.question is None:
        raise DefectError(f"project {project_id} was decided without a question")
    return Wake(instance=record.instance, event=event_of(record.question.round))


def take(ports: ProjectPorts, deciding: Deciding) -> Taken:
    """What was decided in the round, put into effect; nothing while nothing is and there is time left.

    When the deadline has passed the deadline decides: to compensate. Doing it again gives the same answer.
    """

    def looked(record: ProjectRecord) -> ProjectRecord:
        question = record.question
        if question is None or question.round != deciding.round:
            raise DefectError(f"project {deciding.project} was not asked in round {deciding.round}")
        if question.decision is None and deciding.expired:
            record = _with(record, Choice.COMPENSATE, actor="doneright", source=DEADLINE, now=ports.clock.now())
        decision = record.question.decision if record.question else None
        if decision is None:
            return record
        state = ProjectState.COMPENSATING if decision.choice is Choice.COMPENSATE else ProjectState.RUNNING
        return record.model_copy(update={"state": state})

    record = _change(ports, deciding.project, deciding.run.instance, looked)
    decision = record.question.decision if record.question else None
    if decision is None:
        return Taken()
    ports.record(
        deciding.project,
        AuditTag.DECISION_TAKEN,
        deciding.run,
        f"decide.{deciding.round}",
        choice=decision.choice.value,
        by=decision.actor,
        source=decision.source,
    )
    if decision.choice is Choice.RETRY:
        reopen(ports, deciding.run.instance, record.round)
    body = answers.decided(record.name, decision.choice, by_deadline=decision.source == DEADLINE)
    answering.say(ports, deciding.run, record.id, f"decided.{deciding.round}", body)
    return Taken(choice=decision.choice)


def choices() -> str:
    """The choices with what each means, for a refusal of another."""
    return "; ".join(f"{choice}: {MEANS[choice]}" for choice in Choice)


def _with(record: ProjectRecord, choice: Choice, *, actor: str, source: str, now: datetime) -> ProjectRecord:
    if record.question is None:
        raise DefectError(f"project {record.id} has no question to decide")
    decision = Decision(round=record.question.round, choice=choice, actor=actor, source=source, at=now)
    return record.model_copy(update={"question": record.question.model_copy(update={"decision": decision})})


def _change(
    ports: ProjectPorts, project_id: str, instance: str | None, change: Callable[[ProjectRecord], ProjectRecord]
) -> ProjectRecord:
    while True:
        found = ports.projects.get(PROJECTS, project_id)
        if found is None or (instance is not None and found[0].instance != instance):
            raise DefectError(f"project {project_id} is not claimed by {instance or 'any run'}")
        changed = change(found[0])
        if changed == found[0]:
            return changed
        try:
            ports.projects.replace(PROJECTS, project_id, changed, found[1])
            return changed
        except ConflictError:
            continue
