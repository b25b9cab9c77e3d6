"""Everything the scaffold updates work with, handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.scaffold_update import Standing, UpdateOutcome, UpdateRun
from shared.ports import Records
from shared.projects.ports import ProjectPorts

RUNS = "runs"


@dataclass(frozen=True)
class UpdatePorts:
    """Ports and records of the scaffold updates."""

    projects: ProjectPorts
    standings: Records[Standing]
    """By project and forge."""
    outcomes: Records[UpdateOutcome]
    """By run and ``project.forge``."""
    runs: Records[UpdateRun]
    """The newest run of each subject: a project, or all of a connection."""
