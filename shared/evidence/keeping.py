"""Keeps reports about a commit: read before they are kept, stored once under their digest, and on record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.evidence import EvidenceListing, EvidenceReceipt, EvidenceRecord, EvidenceReport
from shared.errors import ConflictError, RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.ports import EvidencePorts
from shared.evidence.reading import read, read_recognised, summarised
from shared.evidence.recognising import MEDIA_TYPES, recognised
from shared.evidence.unpacking import TooLargeError

MOST_OF_A_COMMIT = 500
"""Reports; a matrix build of hundreds of jobs stays below."""


class Sent(NamedTuple):
    """About what, and by whom, reports were sent."""

    project: str
    commit: str
    actor: str
    flag: str = ""
    root: str = ""


def keep(ports: EvidencePorts, sent: Sent, reports: Sequence[bytes]) -> EvidenceReceipt:
    """Keep ``reports``, all or none of them; what is kept already stays as it is and is told again.

    Raises:
        RefusedError: a report cannot be read, or the commit has as many as it may.
        TransientError: storage does not answer; the same call again goes on where this one ended.
    """
    if sum(map(len, reports)) > LIMITS.unpacked:
        raise TooLargeError(
            f"the reports take more than {LIMITS.unpacked} bytes together", "Send them in several requests."
        )
    partition = _partition(sent.project, sent.commit)
    made: dict[str, tuple[EvidenceRecord, bytes]] = {}
    known: dict[str, EvidenceRecord] = {}
    for number, content in enumerate(reports, 1):
        key = _key("sha256:" + hashlib.sha256(content).hexdigest(), sent.flag)
        if found := ports.records.get(partition, key):
            known[key] = found[0]
        elif key not in made:
            made[key] = (_drafted(ports, sent, content, number, len(reports)), content)
    if made and len(ports.records.list(partition, MOST_OF_A_COMMIT)) + len(made) > MOST_OF_A_COMMIT:
        raise RefusedError(
            f"the commit has {MOST_OF_A_COMMIT} reports, or would have more",
            "Put the reports of a matrix together before they are sent.",
        )
    for key, (record, content) in made.items():
        if other := _kept(ports, partition, key, record, content):
            known[key] = other
    records = {key: record for key, (record, _) in made.items()} | known
    return EvidenceReceipt(
        project=sent.project,
        commit=sent.commit,
        evidence=tuple(records[key] for key in sorted(records)),
        repeated=tuple(sorted({record.digest for record in known.values()})),
    )


def listed(ports: EvidencePorts, project: str, commit: str) -> EvidenceListing:
    """All there is about a commit; nothing is an answer too."""
    rows = ports.records.list(_partition(project, commit), MOST_OF_A_COMMIT * 2)
    return EvidenceListing(project=project, commit=commit, evidence=tuple(record for _, _, record in rows))


def found(ports: EvidencePorts, project: str, commit: str, digest: str) -> tuple[EvidenceRecord, bytes] | None:
    """A report that was sent about the commit, with its bytes; one of another commit or project is not shown."""
    records = listed(ports, project, commit).evidence
    record = next((each for each in records if each.digest == digest), None)
    return (record, ports.artifacts.get(digest)) if record else None


def reports(ports: EvidencePorts, project: str, commit: str) -> Iterator[tuple[EvidenceRecord, EvidenceReport]]:
    """Every report about a commit, read again one at a time from what is stored, for gates to evaluate."""
    for record in listed(ports, project, commit).evidence:
        yield record, read(ports.artifacts.get(record.digest), flag=record.flag, root=record.root)


def _drafted(ports: EvidencePorts, sent: Sent, content: bytes, number: int, of: int) -> EvidenceRecord:
    try:
        known = recognised(content)
        report = read_recognised(known, Given(flag=sent.flag, root=sent.root))
    except RefusedError as error:
        which = f"report {number} of {of}: " if of > 1 else ""
        raise RefusedError(f"{which}{error.reason}", error.remedy) from error
    return EvidenceRecord(
        project=sent.project,
        commit=sent.commit,
        digest="sha256:" + hashlib.sha256(content).hexdigest(),
        format=report.format,
        tool=report.tool[:200],
        tool_version=report.tool_version[:200],
        media_type=MEDIA_TYPES[known.shape],
        size=len(content),
        flag=sent.flag,
        root=sent.root,
        actor=sent.actor,
        received_at=ports.clock.now(),
        summary=summarised(report),
    )


def _kept(
    ports: EvidencePorts, partition: str, key: str, record: EvidenceRecord, content: bytes
) -> EvidenceRecord | None:
    """Store the bytes, then the event, then the record: what is listed was stored and is on record.

    Returns the record of another call that was faster with the same bytes.
    """
    ports.artifacts.put(content, record.media_type)
    ports.audit.append(
        record.project,
        NewAuditEvent(
            tag=AuditTag.EVIDENCE_STORED,
            instance=f"evidence-{record.commit}",
            step=f"stored.{key}",
            subject=record.commit,
            actor=record.actor,
            detail={
                "digest": record.digest,
                "format": record.format,
                "tool": record.tool,
                "flag": record.flag,
                "size": record.size,
                "summary": record.summary.model_dump(mode="json", exclude_defaults=True),
            },
            artifacts=(record.digest,),
        ),
    )
    try:
        ports.records.create(partition, key, record)
    except ConflictError:
        faster = ports.records.get(partition, key)
        return faster[0] if faster else record
    return None


def _partition(project: str, commit: str) -> str:
    return f"{project}@{commit}"


def _key(digest: str, flag: str) -> str:
    # The same bytes under another flag say something else: which tests covered the lines.
    return f"{digest}+{flag}" if flag else digest
