"""What scanning works with: advisories, the key of fingerprints, where programs are, and how much time and room there is."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shared.domain.advisory import Advisory

MIB = 1024 * 1024


class Advisories(Protocol):
    """A collection of known vulnerabilities."""

    def about(self, packages: Sequence[str], seconds: float) -> Mapping[str, tuple[Advisory, ...]]:
        """What is known of each package, by its package URL with a version; one without an advisory may be left out.

        Raises:
            TransientError: it did not answer all of it within ``seconds``.
            RefusedError: it does not take the question.
        """
        ...


def find_program(name: str) -> Path | None:
    """The program that came with the dependencies, wherever they were installed; ``None`` when it is nowhere."""
    suffix = ".exe" if sys.platform == "win32" else ""
    folders = [sysconfig.get_path("scripts")]
    # A folder of dependencies, as Azure deploys it, has its programs in `bin` beside the modules.
    folders += [str(Path(entry) / "bin") for entry in sys.path if entry]
    for folder in folders:
        program = Path(folder) / f"{name}{suffix}"
        if program.is_file():
            return program
    found = shutil.which(name)
    return Path(found) if found else None


@dataclass(frozen=True)
class ScanLimits:
    """How much a scan may take; what lies beyond is told as not looked at."""

    total_seconds: float = 180.0
    """For all scanners together, which run at the same time."""
    scanner_seconds: float = 150.0
    """For one scanner."""
    file_seconds: float = 15.0
    """For one file in one scanner."""
    file_bytes: int = MIB
    """Of one file; nobody wrote a larger one by hand."""
    all_bytes: int = 48 * MIB
    """Of all files one scanner looks at."""
    findings: int = 2_000
    """Of one scanner. More are cut off, and told."""
    output_bytes: int = 32 * MIB
    """Of what a program may answer."""
    packages: int = 20_000
    """Of one change."""


@dataclass(frozen=True)
class ScanPorts:
    """What ``scan`` is handed."""

    key: bytes
    """Fingerprints are keyed with it, so that nobody can guess a short secret from its fingerprint."""
    advisories: Advisories | None = None
    """``None``: no address of advisories is configured."""
    limits: ScanLimits = field(default_factory=ScanLimits)
    program: Callable[[str], Path | None] = find_program
    python: tuple[str, ...] = (sys.executable, "-P")
    """Starts the process in which a library looks at texts."""
