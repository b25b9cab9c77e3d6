"""Answers the issue a request came from: once when the run begins, once when it ends, whatever is retried."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shared.domain.audit import TENANT, AuditTag
from shared.domain.decision import Choice
from shared.domain.delivery import RequestState
from shared.domain.forge import RepositoryRef
from shared.domain.plan import SUCCEEDED, Plan, ReversalState, StepProgress, StepState, taken_back
from shared.domain.run import Conclusion, ProjectRecord, ProjectState, Refusal, Runbook, RunInput
from shared.errors import ConflictError, DefectError, RefusedError
from shared.projects import answers
from shared.projects.admission import is_advisory
from shared.projects.ports import PROJECTS, REQUESTS, ProjectPorts, Speaker

STILL_THERE = frozenset({ReversalState.FAILED, ReversalState.WAITING})
TAGS = {
    ProjectState.COMPLETED: AuditTag.PROJECT_COMPLETED,
    ProjectState.FAILED: AuditTag.PROJECT_FAILED,
    ProjectState.ACCEPTED: AuditTag.PROJECT_ACCEPTED,
    ProjectState.COMPENSATED: AuditTag.PROJECT_COMPENSATED,
    ProjectState.REMOVED: AuditTag.PROJECT_REMOVED,
}
"""How each end of a run stands on record."""

_log = logging.getLogger(__name__)


def announce(ports: ProjectPorts, run: RunInput, project_id: str) -> str:
    """Say that the run has begun, with the link to its status page; the comment's address, empty without an issue."""
    record = _record_of(ports, project_id)
    if is_advisory(ports.connection(run.connection)):
        return ""  # nothing begins; the plan itself is the answer
    return say(ports, run, project_id, "accepted", answers.accepted(record.name, ports.links.status(project_id)))


def refuse(ports: ProjectPorts, refusal: Refusal) -> str:
    """Say politely why nothing was created, and what to change."""
    admission = refusal.admission
    body = answers.refused(admission.reason, admission.remedy, admission.faults)
    url = say(ports, refusal.run, TENANT, "refused", body)
    _answered(ports, refusal.run)
    return url


def _answered(ports: ProjectPorts, run: RunInput) -> None:
    # A refusal whose run was lost before this is said by another try of that run; after it nothing is left to do.
    found = ports.requests.get(REQUESTS, run.subject)
    if found is None or found[0].instance != run.instance or found[0].state is not RequestState.REFUSED:
        return
    try:
        ports.requests.replace(REQUESTS, run.subject, found[0].model_copy(update={"start": None}), found[1])
    except ConflictError:
        _log.info("the request %s went on while its refusal was said", run.subject)


def conclude(ports: ProjectPorts, conclusion: Conclusion) -> ProjectState:
    """End the run: the project's state, the record, the answer on the issue. Doing it again changes nothing."""
    run, project_id = conclusion.run, conclusion.project
    steps = ports.steps(run.instance)
    unfinished = [s.step for s in steps if s.state not in SUCCEEDED]
    back = taken_back(steps)
    left = [step for step, state in back.items() if state in STILL_THERE]
    reason = conclusion.reason
    removes = conclusion.choice is Choice.COMPENSATE or run.runbook is Runbook.REMOVAL
    if removes and left and not reason:
        reason = f"not everything could be removed again: {', '.join(left)}"
    if run.runbook is Runbook.REMOVAL:
        state = ProjectState.FAILED if reason else ProjectState.REMOVED
    else:
        state = _end_of(conclusion, steps, broken=bool(reason))
    if state is not ProjectState.ADVISED:
        tag = TAGS[state]
        counts = {s.value: sum(step.state is s for step in steps) for s in StepState}
        ports.record(
            project_id,
            tag,
            run,
            "conclude",
            reason=reason,
            unfinished=unfinished,
            steps={name: count for name, count in counts.items() if count},
            removed=[step for step, state in back.items() if state is ReversalState.REMOVED],
            **_kept(ports, conclusion),
        )
    record = _finish(ports, run, project_id, state, reason)
    status = ports.links.status(project_id)
    if state is ProjectState.ADVISED:
        plan = Plan.model_validate_json(ports.artifacts.get(record.plan))
        body = answers.advised(record.name, plan, status)
    else:
        head = ports.audit.head(project_id)
        body = answers.concluded(record.name, state, steps, status_url=status, root=head.root, size=head.size)
    say(ports, run, project_id, "concluded", body)
    return state


def _kept(ports: ProjectPorts, conclusion: Conclusion) -> dict[str, list[str]]:
    """Of a removal, what was made once and stays: people made it their own, or it could not be removed."""
    if conclusion.run.runbook is not Runbook.REMOVAL:
        return {}
    intents = ports.ledger(conclusion.project).intents()
    return {"kept": [one for one in intents if not one.endswith(":done")][:500]}


def _end_of(conclusion: Conclusion, steps: Sequence[StepProgress], *, broken: bool) -> ProjectState:
    if not broken and all(s.state is StepState.PENDING for s in steps):
        return ProjectState.ADVISED
    if broken:
        return ProjectState.FAILED
    if all(s.state in SUCCEEDED for s in steps):
        return ProjectState.COMPLETED
    match conclusion.choice:
        case Choice.COMPENSATE:
            return ProjectState.COMPENSATED
        case Choice.ACCEPT:
            return ProjectState.ACCEPTED
        case _:
            return ProjectState.FAILED


def _finish(ports: ProjectPorts, run: RunInput, project_id: str, state: ProjectState, reason: str) -> ProjectRecord:
    now = ports.clock.now()
    request = ports.requests.get(REQUESTS, run.subject)
    if request and request[0].instance == run.instance:
        ended = {
            ProjectState.COMPLETED: RequestState.COMPLETED,
            ProjectState.ACCEPTED: RequestState.COMPLETED,
            ProjectState.ADVISED: RequestState.ADVISED,
            ProjectState.REMOVED: RequestState.COMPLETED,
        }.get(state, RequestState.FAILED)
        ports.requests.put(REQUESTS, run.subject, request[0].model_copy(update={"state": ended, "updated_at": now}))
    while True:
        found = ports.projects.get(PROJECTS, project_id)
        if found is None or found[0].instance != run.instance:
            raise DefectError(f"project {project_id} is not claimed by {run.instance}")
        record, etag = found
        if record.finished_at is not None:
            return record
        done = record.model_copy(update={"state": state, "reason": reason, "finished_at": now})
        try:
            ports.projects.replace(PROJECTS, project_id, done, etag)
            return done
        except ConflictError:
            continue


def _record_of(ports: ProjectPorts, project_id: str) -> ProjectRecord:
    record = ports.project(project_id)
    if record is None:
        raise DefectError(f"project {project_id} does not exist")
    return record


def say(ports: ProjectPorts, run: Speaker, log: str, kind: str, text: str) -> str:
    """Write ``text`` on the run's issue, once for each ``kind``; the comment's address, empty where there is none.

    ``log`` is the project whose record it stands on.
    """
    if not run.origin.issue:
        return ""
    ref = RepositoryRef.parse(run.origin.repository)
    issues = ports.connect(ports.connection(run.connection)).issues
    mark = answers.marker(kind, ports.links.token("comment", f"{run.instance} {kind}"))
    body = f"{mark}\n{text}"
    try:
        written = next((c for c in issues.comments(ref, run.origin.issue) if c.body.startswith(mark)), None)
        if written is None:
            written = issues.comment(ref, run.origin.issue, body)
        elif written.body.strip() != body.strip():
            written = issues.edit_comment(ref, written.id, body)
    except RefusedError as error:
        # A locked or deleted issue must not undo what was done for it; the status page says the same.
        _log.warning("issue %s could not be answered: %s", run.origin.url, error.reason)
        return ""
    ports.record(log, AuditTag.GITHUB_ISSUE_ANSWERED, run, f"answer.{kind}", url=written.url)
    return written.url
