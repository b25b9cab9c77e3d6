"""Steps of a real plan, each with a context over in-memory forges."""

from __future__ import annotations

import pytest

from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.steps import Bench


@pytest.fixture(params=["github", "azure_devops"])
def either(request: pytest.FixtureRequest) -> str:
    """Both forges, one after the other."""
    return str(request.param)


@pytest.fixture
def bench() -> Bench:
    app = App()
    connection = app.connect_to(a_connection())
    plan, scaffolds = plan_for(app.ports, a_request(backlog=("Take an order",)), connection, 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, "application/zip")
    return Bench(app, plan)
