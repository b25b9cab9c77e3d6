"""Collects all that a review rests on, once for a round: the forge is asked, reports are read, scanners look at the diff.

What cannot be had is kept as unknown with its reason; it is never taken for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from shared.agents.redacting import redact
from shared.definitions.load import definition_of_done
from shared.domain.change import Change, ChangedFile, ChangeEvidence, Looked, Part, Reported, Scan, Unknown
from shared.domain.connection import Connection
from shared.domain.definition import Pin
from shared.domain.evidence import EvidenceFormat, Finding
from shared.domain.forge import ForgeName
from shared.domain.pull_request import PullRequestState
from shared.domain.review import AgentName, Collected, ReviewInput, ReviewRecord, ReviewState
from shared.errors import DefectError, NotSupportedError, RefusedError
from shared.evidence.keeping import reports as kept_reports
from shared.evidence.scanning import SCANNERS, Look, secrets
from shared.policies.parsing import POLICY_FILE
from shared.policies.pinning import keep
from shared.projects.ports import CONNECTIONS
from shared.reviews import publishing, recording
from shared.reviews.facts import kinds_of
from shared.reviews.ports import ReviewForge, ReviewPorts
from shared.reviews.recalling import evidence_of
from shared.reviews.roles import holders_among
from shared.reviews.standing import standing_policy

_SCANNED = frozenset({EvidenceFormat.CYCLONEDX, EvidenceFormat.SARIF, EvidenceFormat.SPDX})
MOST_EARLIER = 3
"""Earlier heads whose reports are read, for tests that change their mind."""

JSON = "application/json"


@dataclass(frozen=True)
class Looking:
    """What collecting uses beside the ports: an analysis server, the scanners, and who chooses the agents."""

    analyse: Callable[[Connection, str, Change], tuple[Scan, ...]]
    """Keeps what the connection's server says of the head of a project's change; what it could not say, as scans."""
    scanners: Callable[[bool], AbstractContextManager[Look]]
    """What looks at the change, for as long as it is needed; libraries are loaded ahead where that is worth it."""
    choose: Callable[[ChangeEvidence], tuple[AgentName, ...]]


def collect(ports: ReviewPorts, looking: Looking, run: ReviewInput) -> Collected:
    """Collect, and keep, what the review of ``run`` rests on; or say why there is nothing to judge.

    Raises ``TransientError`` when the forge or storage asks for patience.
    """
    connection = connection_of(ports, run.connection)
    forge = forge_of(ports, connection, run.ref.forge)
    before = forge.calls
    record = recording.of(ports, run.review)
    # Whoever asked until now is answered by this very look.
    wanted = max(run.round, record.wanted if record else run.round)
    # What a later round scans was mostly scanned before; then nothing is to be loaded for it.
    with looking.scanners(run.round == 1) as scan:
        forge.expect(run.ref, run.head, (POLICY_FILE,))
        looked = forge.look_at(run.ref)
        if ended := _ended(looked, run):
            return ended.model_copy(update={"round": wanted})
        assert looked is not None  # noqa: S101 - `_ended` answers for none
        change = looked.change
        # None waits for the files, nor they for any; leaving the pool waits for all, whatever happens.
        with ThreadPoolExecutor(3, thread_name_prefix="collecting") as beside:
            # Later rounds leave the verdict that stands: a check must not flicker with every comment.
            announced = (
                beside.submit(forge.counting_here(partial(_announce, ports, forge, run))) if run.round == 1 else None
            )
            asked_standing = beside.submit(forge.counting_here(partial(_kept_standing, ports, forge, run, change)))
            asked_before = beside.submit(_reports, ports, run.project, [change.base, change.merge_base])
            asked_earlier = beside.submit(_earlier, ports, run)
            files = forge.changed_files(change)
            analysed = looking.analyse(connection, run.project, change)
            reports = _reports(ports, run.project, [change.head, change.merge_commit])
            seen = _seen_before(ports, record, change, reports)
            scans = (*analysed, *(seen or scan(change, files, () if isinstance(reports, Unknown) else reports)))
    if announced is not None:
        announced.result()
    policy, definition = asked_standing.result()
    evidence = ChangeEvidence(
        change=change,
        files=_without_secrets(files, scans),
        commits=looked.commits,
        items=looked.items,
        reviews=looked.reviews,
        threads=looked.threads,
        checks=looked.checks,
        alerts=_alerts(forge, change),
        scans=scans,
        reports=reports,
        base_reports=asked_before.result(),
        earlier_reports=asked_earlier.result(),
        template=looked.template,
        kinds=kinds_of(change, looked.commits, looked.items),
        roles=holders_among(ports, connection, _reviewers(looked)),
        process=looked.process,
    )
    evidence = evidence.model_copy(update={"calls": forge.calls - before})
    return Collected(
        round=wanted,
        evidence=ports.artifacts.put(evidence.model_dump_json().encode(), JSON),
        policy=policy,
        definition=definition,
        agents=looking.choose(evidence),
    )


def _kept_standing(ports: ReviewPorts, forge: ReviewForge, run: ReviewInput, change: Change) -> tuple[str, Pin]:
    """Digest of the policy that holds for the change, and the definition it is judged by."""
    standing = standing_policy(ports, forge, change, connection=run.connection, project=run.project)
    policy = ports.artifacts.put(standing.model_dump_json().encode(), JSON)
    return policy, keep(ports.artifacts, definition_of_done())


def _announce(ports: ReviewPorts, forge: ReviewForge, run: ReviewInput) -> str:
    return publishing.announce(forge, run.ref, run.head, ports.links.review(run.review), run.review)


def connection_of(ports: ReviewPorts, connection: str) -> Connection:
    """The connection; a review never names one that is gone."""
    found = ports.connections.get(CONNECTIONS, connection)
    if found is None:
        raise DefectError(f"connection {connection!r} does not exist")
    return found[0]


def forge_of(ports: ReviewPorts, connection: Connection, name: ForgeName) -> ReviewForge:
    """The forge of that name. Raises ``RefusedError`` when the connection has none."""
    found = ports.connect(connection).get(name)
    if found is None:
        raise RefusedError(f"connection {connection.id} has no {name}", "Add it to the connection, then review again.")
    return found


def _ended(looked: Looked | None, run: ReviewInput) -> Collected | None:
    if looked is None:
        return Collected(ended=f"{run.ref.key} is not there any more")
    change = looked.change
    if change.head != run.head:
        return Collected(ended=f"{run.head[:8]} was superseded by {change.head[:8]}", superseded=True)
    return None if change.state is PullRequestState.OPEN else Collected(ended=f"the pull request is {change.state}")


def _seen_before(
    ports: ReviewPorts, record: ReviewRecord | None, change: Change, reports: Part[tuple[Reported, ...]]
) -> tuple[Scan, ...]:
    """What the scanners said of this very text in an earlier round; nothing where one could not answer then."""
    try:
        reviewed = recording.reviewed_of(ports, record) if record else None
        if reviewed is None:
            return ()
        before = evidence_of(ports.artifacts, reviewed.evidence)
    except RefusedError:
        return ()  # past its retention
    same = (before.change.head, before.change.base, before.change.merge_base) == (
        change.head,
        change.base,
        change.merge_base,
    )
    if not same or isinstance(before.files, Unknown) or _digests(before.reports) != _digests(reports):
        return ()
    ours = tuple(one for one in before.scans if one.scanner in SCANNERS)
    return () if any(isinstance(one.findings, Unknown) for one in ours) else ours


def _digests(reports: Part[tuple[Reported, ...]]) -> frozenset[str] | None:
    """Of the reports that scanners read."""
    if isinstance(reports, Unknown):
        return None
    return frozenset(one.record.digest for one in reports if one.record.format in _SCANNED)


def _without_secrets(files: Part[tuple[ChangedFile, ...]], scans: Iterable[Scan]) -> Part[tuple[ChangedFile, ...]]:
    """The files as they are kept: where a scanner saw a secret, none of the file's values stays."""
    if isinstance(files, Unknown):
        return files
    leaking = {
        finding.path
        for one in scans
        if one.scanner == secrets.NAME and not isinstance(one.findings, Unknown)
        for finding in one.findings
    }

    def hidden(text: str | None) -> str | None:
        return None if text is None else redact(text).text

    return tuple(
        file.model_copy(
            update={"patch": hidden(file.patch), "content": hidden(file.content), "before": hidden(file.before)}
        )
        if file.path in leaking
        else file
        for file in files
    )


def _reviewers(looked: Looked) -> list[str]:
    return [] if isinstance(looked.reviews, Unknown) else [one.reviewer.login for one in looked.reviews]


def _alerts(forge: ReviewForge, change: Change) -> Part[tuple[Finding, ...]]:
    try:
        return forge.alerts(change)
    except NotSupportedError as error:
        return Unknown(reason=error.reason, supported=False)
    except RefusedError as error:
        return Unknown(reason=error.reason)


def _reports(ports: ReviewPorts, project: str, commits: Iterable[str]) -> Part[tuple[Reported, ...]]:
    found: list[Reported] = []
    for commit in dict.fromkeys(one for one in commits if one):
        try:
            found += [
                Reported(record=record, report=report)
                for record, report in kept_reports(ports.evidence, project, commit)
            ]
        except RefusedError as error:
            # One that is past its retention, or cannot be read any more, may be the one that says no.
            return Unknown(reason=f"a report about {commit[:8]} cannot be read: {error.reason}")
    return tuple(found)


def _earlier(ports: ReviewPorts, run: ReviewInput) -> Part[tuple[Reported, ...]]:
    heads = [
        record.head
        for record in recording.heads_of(ports, run.ref)
        if record.head != run.head and record.state is not ReviewState.FAILED
    ]
    return _reports(ports, run.project, heads[:MOST_EARLIER])
