"""Takes a server's analysis of a pull request's head as evidence, or says why there is none; that of another commit never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from shared.domain.change import Change, Scan, Unknown
from shared.domain.connection import SonarQubeConnection
from shared.errors import RefusedError, TransientError
from shared.evidence.keeping import Sent, keep
from shared.evidence.ports import EvidencePorts

NAME = "sonarqube"
ACTOR = "sonarqube"


class AnalysisServer(Protocol):
    """A server that analyses code, such as SonarQube."""

    def revision(self, project: str, *, branch: str = "", pull_request: str = "") -> str:
        """The commit of the newest analysis; empty: there is none, or it is not told."""
        ...

    def report(self, project: str, *, branch: str = "", pull_request: str = "") -> bytes:
        """The newest analysis, as ``shared.evidence`` reads it."""
        ...


def take(
    ports: EvidencePorts,
    reach: Callable[[], AnalysisServer],
    named: SonarQubeConnection,
    project: str,
    change: Change,
) -> tuple[Scan, ...]:
    """Keep the analysis of the change's head among the reports about it, where it is on record as any other.

    Args:
        reach: makes the server; raises ``RefusedError`` where its secret or address will not do.
        project: whose evidence it is.

    Returns:
        nothing when it was kept, or the repository is not analysed there; else a scan that says why it is missing.

    Raises:
        TransientError: storage asks for patience; whatever the server does ends in a scan.
    """
    key = named.key_of(change.ref.repository)
    if not key:
        return ()
    try:
        report = _of_head(reach(), key, change)
    except TransientError as error:
        return (_missing(f"{error.reason}. Ask for another review"),)
    except RefusedError as error:
        return (_missing(f"{error.reason}. {error.remedy}".strip()),)
    try:
        keep(ports, Sent(project=project, commit=change.head, actor=ACTOR), [report])
    except RefusedError as error:
        return (_missing(f"the analysis cannot be kept: {error.reason}"),)
    return ()


def _of_head(server: AnalysisServer, key: str, change: Change) -> bytes:
    number = str(change.ref.number)
    revision = server.revision(key, pull_request=number)
    if revision not in {change.head, change.merge_commit} - {""}:
        found = (
            f"analysed {revision[:8]} last" if revision else "has no analysis of the pull request that tells its commit"
        )
        raise RefusedError(
            f"SonarQube {found} in {key}, not {change.head[:8]}",
            "Let the pipeline finish its analysis, then ask for another review.",
        )
    report = server.report(key, pull_request=number)
    if server.revision(key, pull_request=number) != revision:
        raise TransientError(f"SonarQube analysed {key} anew while it was asked")
    return report


def _missing(reason: str) -> Scan:
    return Scan(scanner=NAME, findings=Unknown(reason=reason))
