"""Finds what an address names, or refuses with where such names are listed."""

from __future__ import annotations

from http import HTTPStatus

from functions.problems import ProblemError
from shared.domain.run import ProjectRecord
from shared.services import Services


def known_project(app: Services, project: str) -> ProjectRecord:
    """The project of that id. Raises ``ProblemError`` (404) when there is none."""
    record = app.project_ports.project(project)
    if record is None:
        raise no_project(project)
    return record


def no_project(project: str) -> ProblemError:
    """The refusal of an address that names a project which is not there."""
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        f"there is no project {project[:80]}",
        remedy="GET /api/projects lists those there are.",
    )
