"""What every scanner is handed."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.change import ChangedFile, Reported, Unknown
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.ports import ScanPorts
from shared.evidence.scanning.waiting import Waiting


@dataclass(frozen=True)
class Job:
    """One scan of one change."""

    files: tuple[ChangedFile, ...] | Unknown
    """The changed files, removed ones too."""
    reports: tuple[Reported, ...]
    ports: ScanPorts
    deadline: Deadline
    waiting: Waiting = field(default_factory=Waiting)
    """Processes that were started before there was anything to look at."""
    secrets: set[str] = field(default_factory=set, repr=False)
    """Secrets that were found, so that no other scanner's words repeat them. They stay in memory, and not for long."""

    @property
    def known_files(self) -> tuple[ChangedFile, ...]:
        """The files; none where they are not known, which each scanner is asked about before it begins."""
        return () if isinstance(self.files, Unknown) else self.files

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder that is gone afterwards, with all that was put in."""
        with tempfile.TemporaryDirectory(prefix="doneright-scan-", ignore_cleanup_errors=True) as name:
            yield Path(name).resolve()
