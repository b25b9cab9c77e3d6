"""What the runbook of a review does between collecting and its end: agents are heard, the change is judged and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.agents.health import remember
from shared.agents.redacting import redact
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.change import ChangeEvidence, Reported, Unknown
from shared.domain.connection import Mode
from shared.domain.definition import Pin
from shared.domain.publication import CheckConclusion, MergeOutcome, OwnCheck
from shared.domain.review import (
    AgentName,
    AgentReport,
    Collected,
    Reviewed,
    ReviewEnd,
    ReviewInput,
    ReviewRecord,
    ReviewState,
    ReviewTask,
    Verdict,
)
from shared.errors import DefectError, RefusedError
from shared.policies.pinning import definition_of_done_of
from shared.reviews import collecting, merging, offers, publishing, recording
from shared.reviews.collecting import JSON, Looking, connection_of, forge_of
from shared.reviews.facts import facts_of
from shared.reviews.judging import Bench, judged, ruled
from shared.reviews.offers import OfferPorts
from shared.reviews.ports import ReviewForge, ReviewPorts
from shared.reviews.recalling import evidence_of
from shared.reviews.standing import Standing
from shared.reviews.tickets import foretold
from shared.reviews.words import spoken_of

_DEFECTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DefectError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RefusedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What an agent may stumble with over whatever a change holds; patience that is asked for is none of them."""

Hear = Callable[[AgentName, ChangeEvidence], AgentReport]


@dataclass(frozen=True)
class Room:
    """Everything a review is carried out with."""

    ports: ReviewPorts
    looking: Looking
    hear: Hear
    moved: Callable[[ReviewInput, Reviewed, MergeOutcome | None], tuple[str, ...]]
    """Moves the ticket behind the change; what there is to tell about it."""
    offers: OfferPorts


def collect(room: Room, run: ReviewInput) -> Collected:
    """Collect the evidence of one round."""
    return collecting.collect(room.ports, room.looking, run)


def hear(room: Room, task: ReviewTask) -> str:
    """Hear one agent; the digest of its report. One that breaks says so in its report, and stops nobody."""
    if task.agent is None:
        raise DefectError("no agent was named")
    ports = room.ports
    evidence = _evidence(ports, task.collected)
    began = ports.clock.now()
    try:
        report = room.hear(task.agent, evidence)
    except _DEFECTS as error:
        # Its opinions are missed, and told as missing; the verdict rests on gates, which need none of them.
        seconds = max(0.0, (ports.clock.now() - began).total_seconds())
        told = redact(f"the agent broke: {type(error).__name__}: {str(error)[:300]}").text
        report = AgentReport(agent=task.agent, trouble=told, seconds=round(seconds, 3))
    remember(ports.health, report, ports.clock.now())
    return ports.artifacts.put(report.model_dump_json().encode(), JSON)


def judge(room: Room, task: ReviewTask) -> Verdict:
    """Judge the change under the policy that stood when its evidence was collected."""
    ports, run, collected = room.ports, task.run, task.collected
    connection = connection_of(ports, run.connection)
    evidence = _evidence(ports, collected)
    spoken = spoken_of(ports, run.ref)
    evidence = evidence.model_copy(update={"design": spoken.design})
    standing = Standing.model_validate_json(ports.artifacts.get(collected.policy))
    pin = _pin(collected)
    definition = definition_of_done_of(ports.artifacts, pin)
    findings = judged(
        Bench(
            evidence=evidence,
            facts=facts_of(evidence),
            definition=definition,
            policy=standing.resolution.policy,
            spoken=spoken,
            at=ports.clock.now(),
        )
    )
    ruling, reason = ruled(findings)
    change = evidence.change
    reports = _reports(ports, task)
    reviewed = Reviewed(
        review=run.review,
        instance=run.instance,
        ref=run.ref,
        project=run.project,
        connection=run.connection,
        head=change.head,
        base=change.base,
        title=change.title,
        url=change.url,
        author=change.author.login,
        kinds=() if isinstance(evidence.kinds, Unknown) else evidence.kinds,
        definition=pin,
        policy_source=standing.source,
        policy_faults=standing.faults,
        weakenings=standing.resolution.weakenings,
        ruling=ruling,
        reason=reason,
        advisory=connection.review_mode is Mode.ADVISORY,
        findings=findings,
        tickets=() if connection.review_mode is Mode.ADVISORY else foretold(evidence, findings, spoken, definition),
        agents=reports,
        offered=offers.branch_told(connection, change, reports),
        evidence=collected.evidence,
        reports=_digests(evidence),
        calls=evidence.calls,
        at=ports.clock.now(),
    )
    digest = ports.artifacts.put(reviewed.model_dump_json().encode(), JSON)
    _record(
        ports,
        AuditTag.REVIEW_JUDGED,
        run,
        f"judged.{run.round}",
        artifacts=(digest, collected.evidence),
        ruling=ruling,
        reason=reason[:500],
        head=change.head,
        advisory=reviewed.advisory,
        definition=pin.model_dump(mode="json"),
        blocking=[one.criterion for one in findings if one.blocks][:50],
        undecided=[one.criterion for one in findings if one.undecided][:50],
        waived=[one.criterion for one in findings if one.waiver][:50],
    )
    merge = merging.wanted_merge(reviewed, connection, change) is not None
    return Verdict(
        ruling=ruling,
        reason=reason[:500],
        reviewed=digest,
        advisory=reviewed.advisory,
        waived_until=min((one.waiver.until for one in findings if one.waiver), default=None),
        merge=merge,
        # What is merged now has no branch any more that tests could be proposed into.
        offer=not merge and offers.wanted(connection, change, reports),
    )


def publish(room: Room, task: ReviewTask) -> bool:
    """Tell the forge; ``False`` when another head made the verdict one about the past."""
    ports, run = room.ports, task.run
    evidence = _evidence(ports, task.collected)
    reviewed = _reviewed(ports, task)
    told = publishing.publish(_forge(ports, run), ports, reviewed, evidence.change, evidence.files)
    if told.superseded:
        return False
    tickets = room.moved(run, reviewed, None)
    _record(
        ports,
        AuditTag.GITHUB_REVIEW_PUBLISHED if run.ref.forge == "github" else AuditTag.AZURE_DEVOPS_REVIEW_PUBLISHED,
        run,
        f"published.{run.round}",
        artifacts=(task.reviewed, *((told.sarif,) if told.sarif else ())),
        check=told.check,
        said=list(told.said)[:200],
        resolved=list(told.resolved)[:200],
        tickets=list(tickets)[:20],
        trouble=list(told.trouble)[:20],
    )
    return True


def offer_proposals(room: Room, task: ReviewTask) -> str:
    """Carry out what the quality agent proposed, as the connection wants it; in words, what came of it."""
    return offers.carry_out(
        room.ports, room.offers, task.run, _evidence(room.ports, task.collected), _reports(room.ports, task)
    )


def merge(room: Room, task: ReviewTask) -> MergeOutcome:
    """Merge what passed, exactly as it was reviewed."""
    ports, run = room.ports, task.run
    evidence = _evidence(ports, task.collected)
    reviewed = _reviewed(ports, task)
    outcome = merging.merge_when_green(
        _forge(ports, run),
        reviewed,
        connection_of(ports, run.connection),
        evidence.change,
        moved=lambda merged: room.moved(run, reviewed, merged),
    )
    if outcome.merged:
        _record(
            ports,
            AuditTag.GITHUB_CHANGE_MERGED if run.ref.forge == "github" else AuditTag.AZURE_DEVOPS_CHANGE_MERGED,
            run,
            "merged",
            commit=outcome.commit,
            head=run.head,
            followed=list(outcome.followed)[:20],
        )
    else:
        _record(ports, AuditTag.MERGE_REFUSED, run, f"merge.{run.round}", head=run.head, reason=outcome.reason[:500])
    return outcome


def conclude(room: Room, end: ReviewEnd) -> int:
    """End a round; the number of the next one when somebody asked for it meanwhile, else 0."""
    ports, run = room.ports, end.run
    if end.unoffered:
        offers.tell_failure(ports, run, "proposals", end.unoffered)
    state = ReviewState.COMPLETED
    if end.ended:
        state = ReviewState.SUPERSEDED
    elif end.broken:
        state = ReviewState.FAILED
        _tell_broken(ports, end)
        _record(ports, AuditTag.REVIEW_FAILED, run, f"failed.{run.round}", reason=end.broken[:500])

    def ended(record: ReviewRecord) -> ReviewRecord | None:
        if record.instance != run.instance:
            return None
        verdict: Mapping[str, object] = (
            {
                "ruling": end.verdict.ruling,
                "advisory": end.verdict.advisory,
                "reason": end.verdict.reason,
                "reviewed": end.verdict.reviewed,
                "waived_until": end.verdict.waived_until,
            }
            if end.verdict
            else {"reason": end.ended or end.broken, "waived_until": None}
        )
        stands = bool(end.ended) and not end.superseded and record.ruling is not None
        if stands:
            # It was merged or closed after its verdict, which is the last word about it.
            verdict = {"waived_until": None}
        again = record.wanted > run.round and not end.ended
        after = ReviewState.COMPLETED if stands else state
        return record.model_copy(
            update={**verdict, "done": run.round, "state": ReviewState.RUNNING if again else after}
        )

    record = recording.of(ports, run.review)
    if record is None:
        return 0
    after = recording.changed(ports, record, ended)
    return after.wanted if after.state is ReviewState.RUNNING and after.instance == run.instance else 0


def _tell_broken(ports: ReviewPorts, end: ReviewEnd) -> None:
    """A review that broke never passes: its check says so, where the forge still listens."""
    run = end.run
    try:
        connection = connection_of(ports, run.connection)
        _forge(ports, run).set_check(
            run.ref,
            OwnCheck(
                head=run.head,
                conclusion=CheckConclusion.ADVISORY
                if connection.review_mode is Mode.ADVISORY
                else CheckConclusion.INCONCLUSIVE,
                title="The review could not be finished",
                summary=f"{end.broken}\n\nWrite `/doneright review` to have it tried again.",
                details_url=ports.links.api(f"reviews/{run.review}"),
                external_id=run.review,
            ),
        )
    except (RefusedError, DefectError):
        # What broke the review may well be that the forge takes no word of ours; the record has it.
        return


def _forge(ports: ReviewPorts, run: ReviewInput) -> ReviewForge:
    return forge_of(ports, connection_of(ports, run.connection), run.ref.forge)


def _evidence(ports: ReviewPorts, collected: Collected) -> ChangeEvidence:
    return evidence_of(ports.artifacts, collected.evidence)


def _reports(ports: ReviewPorts, task: ReviewTask) -> tuple[AgentReport, ...]:
    return tuple(AgentReport.model_validate_json(ports.artifacts.get(digest)) for digest in task.reports)


def _reviewed(ports: ReviewPorts, task: ReviewTask) -> Reviewed:
    return Reviewed.model_validate_json(ports.artifacts.get(task.reviewed))


def _pin(collected: Collected) -> Pin:
    if collected.definition is None:
        raise DefectError("nothing was collected that could be judged")
    return collected.definition


def _digests(evidence: ChangeEvidence) -> tuple[str, ...]:
    reported: tuple[Reported, ...] = () if isinstance(evidence.reports, Unknown) else evidence.reports
    return tuple(dict.fromkeys(one.record.digest for one in reported))


def _record(
    ports: ReviewPorts, tag: AuditTag, run: ReviewInput, step: str, *, artifacts: tuple[str, ...] = (), **detail: object
) -> None:
    ports.audit.append(
        run.project,
        NewAuditEvent.model_validate(
            {
                "tag": tag,
                "instance": run.instance,
                "step": step,
                "subject": run.ref.key,
                "detail": detail,
                "artifacts": artifacts,
            }
        ),
    )
