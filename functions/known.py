"""Finds what an address names, or refuses with where such names are listed."""

from __future__ import annotations

from http import HTTPStatus

from functions.problems import ProblemError
from shared.domain.connection import Connection
from shared.domain.faults import FieldFault
from shared.domain.run import ProjectRecord
from shared.projects.ports import CONNECTIONS
from shared.services import Services

_CONNECTIONS_LISTED = "GET /api/connections lists those there are"


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


def known_connection(app: Services, connection: str) -> Connection:
    """The connection that an address names. Raises ``ProblemError`` (404) when there is none."""
    return _connection(app, connection, HTTPStatus.NOT_FOUND, f"{_CONNECTIONS_LISTED}.")


def named_connection(app: Services, connection: str) -> Connection:
    """The connection that a body's field ``connection`` names. Raises ``ProblemError`` (400) when there is none."""
    return _connection(
        app,
        connection,
        HTTPStatus.BAD_REQUEST,
        f"{_CONNECTIONS_LISTED}; POST /api/connections makes one.",
        FieldFault(field="connection", problem="is none there is"),
    )


def _connection(app: Services, connection: str, status: HTTPStatus, remedy: str, *faults: FieldFault) -> Connection:
    found = app.project_ports.connections.get(CONNECTIONS, connection)
    if found is None:
        raise ProblemError(status, f"there is no connection {connection[:80]}", faults=faults, remedy=remedy)
    return found[0]
