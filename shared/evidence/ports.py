"""What keeping evidence works with, handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.evidence import EvidenceRecord
from shared.ports import ArtifactStore, AuditLog, Clock, Records


@dataclass(frozen=True)
class EvidencePorts:
    """Ports and records of evidence."""

    clock: Clock
    audit: AuditLog
    artifacts: ArtifactStore
    records: Records[EvidenceRecord]
