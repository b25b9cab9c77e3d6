"""What listing and removing idle projects work with."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.activity import Listed
from shared.ports import Records
from shared.projects.ports import ProjectPorts


@dataclass(frozen=True)
class StalePorts:
    """The projects' ports, and what stood on the latest listing of each."""

    projects: ProjectPorts
    listings: Records[Listed]
