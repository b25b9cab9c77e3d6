"""What an address or a body names is found, or refused with where such names are listed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from functions.known import known_connection, known_project, named_connection
from functions.problems import ProblemError
from shared.projects.ports import CONNECTIONS
from tests.fakes.app import App, a_connection

LONG = "x" * 300


@pytest.fixture
def services():
    return SimpleNamespace(project_ports=App().ports)


@pytest.mark.parametrize(
    ("find", "status", "where"),
    [
        (known_project, 404, "GET /api/projects"),
        (known_connection, 404, "GET /api/connections"),
        (named_connection, 400, "POST /api/connections"),
    ],
)
def test_what_is_not_there_is_refused_with_where_to_look(services, find, status, where):
    with pytest.raises(ProblemError) as refused:
        find(services, LONG)
    assert refused.value.status == status
    assert where in refused.value.remedy
    assert LONG not in refused.value.detail, "what was sent is not sent back whole"
    assert [fault.field for fault in refused.value.faults] == (["connection"] if status == 400 else [])


def test_a_connection_that_is_there_is_found(services):
    connection = a_connection()
    services.project_ports.connections.create(CONNECTIONS, connection.id, connection)
    assert known_connection(services, connection.id) == named_connection(services, connection.id) == connection
