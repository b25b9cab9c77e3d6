"""Scanners that look at a change as text, without running it: each tells what it found, or why it could not look.

Nothing in a change decides what is looked at: comments that tell a scanner to look away are not followed, and its
configuration is ours.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import MappingProxyType

from shared.domain.change import Change, ChangedFile, Part, Reported, Scan, Unknown
from shared.errors import RefusedError, TransientError
from shared.evidence.scanning import (
    complexity,
    containers,
    dependencies,
    infrastructure,
    licences,
    python_security,
    secrets,
    workflows,
)
from shared.evidence.scanning.answers import unanswered, without
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.ports import Advisories, ScanLimits, ScanPorts
from shared.evidence.scanning.waiting import Waiting

__all__ = ["SCANNERS", "Advisories", "Look", "ScanLimits", "ScanPorts", "scan", "scanners"]

type Look = Callable[[Change, Part[tuple[ChangedFile, ...]], tuple[Reported, ...]], tuple[Scan, ...]]
"""Looks at a change by its files, and by the reports that were uploaded about it."""

SCANNERS: MappingProxyType[str, Callable[[Job], Sequence[Scan]]] = MappingProxyType(
    {
        secrets.NAME: secrets.scan,
        complexity.NAME: complexity.scan,
        python_security.NAME: python_security.scan,
        workflows.NAME: workflows.scan,
        containers.NAME: containers.scan,
        infrastructure.NAME: infrastructure.scan,
        dependencies.NAME: dependencies.scan,
        licences.NAME: licences.scan,
    }
)
"""Every scanner by the name its answers carry. One that a change does not concern answers with nothing."""

_OF_BILLS = (dependencies.NAME, licences.NAME)
_AT_ONCE = 4
_SLACK_SECONDS = 5.0
"""A scanner ends its own processes at the deadline; to tell so takes it a moment."""
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def scanners(ports: ScanPorts, *, ahead: bool) -> Iterator[Look]:
    """What looks at changes as ``scan`` does, within the block. ``ahead``: libraries are loaded from its beginning on."""
    with Waiting(ports if ahead else None) as waiting:
        yield lambda change, files, reports: scan(change, files, reports, ports, waiting)


def scan(
    change: Change,
    files: Part[tuple[ChangedFile, ...]],
    reports: tuple[Reported, ...],
    ports: ScanPorts,
    waiting: Waiting | None = None,
) -> tuple[Scan, ...]:
    """Let every scanner that the change concerns look at it; never raises for what a scanner, or the change, does.

    A scanner may answer twice: what it found where it could look, and ``Unknown`` for what it could not look at. A
    scanner that is left out had nothing to look at; ``detect-secrets`` always answers.

    Args:
        files: with their texts at the head, as far as they could be had.
        reports: uploaded about the head or its trial merge: bills of materials, reports of other scanners.
        waiting: processes that were started for this change, if any were.
    """
    began = time.monotonic()
    deadline = Deadline.after(ports.limits.total_seconds)
    job = Job(files=files, reports=reports, ports=ports, deadline=deadline, waiting=waiting or Waiting())
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="scan")
    try:
        # Bills of materials are looked at also where the changed files are not known.
        asked = SCANNERS if not isinstance(files, Unknown) else {name: SCANNERS[name] for name in _OF_BILLS}
        futures = {name: pool.submit(look, job) for name, look in asked.items()}
        wait(futures.values(), timeout=deadline.left + _SLACK_SECONDS)
        scans = [one for name, future in futures.items() for one in _answer(name, future)]
        if isinstance(files, Unknown):
            reason = f"the changed files are not known: {files.reason}"
            scans += [unanswered(name, f"{name} could not look: {reason}") for name in SCANNERS]
    finally:
        # What a scanner still waits for ends at its own deadline; nobody waits for it here.
        pool.shutdown(wait=False, cancel_futures=True)
    _log.info("%s at %s was scanned in %.1f s", change.ref.key, change.head, time.monotonic() - began)
    return tuple(without(job.secrets, one) for one in scans)


def _answer(name: str, future: Future[Sequence[Scan]]) -> Sequence[Scan]:
    if not future.done():
        return (unanswered(name, f"{name} did not answer in time", "Split the change, or ask for another review."),)
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, RefusedError):
        return (unanswered(name, f"{name} could not answer: {error.reason}", error.remedy),)
    if isinstance(error, TransientError):
        return (unanswered(name, f"{name} could not answer: {error.reason}", "Ask for another review."),)
    # Its words may hold what stood in a file, so neither the log nor the reason has them.
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
    _log.error("the scanner %s ended with %s at %s", name, type(error).__name__, place)
    return (unanswered(name, f"{name} ended with an error of ours ({type(error).__name__})", "The log says where."),)
