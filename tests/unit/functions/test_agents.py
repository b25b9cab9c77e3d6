"""How agents are is shown to whoever asks: by script, and by browser."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions import agents
from shared.agents.health import HealthState, remember
from shared.agents.ports import AgentPorts
from shared.domain.review import AgentName, AgentReport
from tests.fakes.app import T0
from tests.fakes.storage import MemoryClock


def answered(app, *troubles, agent=AgentName.QUALITY):
    for number, trouble in enumerate(troubles):
        report = AgentReport(agent=agent, trouble=trouble, seconds=number + 1)
        remember(app.reviews.health, report, T0 + timedelta(minutes=number))


def shown(call):
    return {one["agent"]: one for one in call(agents.list_agents).body["agents"]}


def test_agents_that_were_never_asked_are_silent(app, call):
    found = shown(call)
    assert list(found) == list(AgentName)
    assert {one["state"] for one in found.values()} == {HealthState.SILENT}
    assert found["quality"]["median_seconds"] is None


def test_an_agent_is_shown_with_its_duration_and_last_trouble(app, call):
    answered(app, "", "the server throttles (429)", "")
    found = shown(call)["quality"]
    assert (found["state"], found["asked"], found["failed"], found["median_seconds"]) == ("healthy", 3, 1, 2)
    assert found["last_trouble"]["trouble"] == "the server throttles (429)"
    assert shown(call)["security"]["state"] == "silent"


def test_one_that_fails_again_and_again_is_failing(app, call):
    answered(app, *["broke"] * 3)
    assert shown(call)["quality"]["state"] == "failing"


@pytest.mark.parametrize("missing", ["", "the model is not asked: there is no secret <model>"])
def test_a_model_that_cannot_be_asked_is_told(app, call, missing, monkeypatch):
    ports = AgentPorts(model=None, artifacts=app.artifacts, clock=MemoryClock(), missing=missing)
    services = app.services()
    object.__setattr__(services, "agent_ports", lambda: ports)
    monkeypatch.setattr(agents, "services", lambda: services)
    assert call(agents.list_agents).body["model_trouble"] == missing
    page = call(agents.list_agents, headers={"accept": "text/html"}).body
    assert ("the model is not asked" in page) is bool(missing)
    assert "<model>" not in page


def test_browsers_get_a_page(app, call):
    answered(app, "it broke over <b>a file</b>")
    page = call(agents.list_agents, headers={"accept": "text/html"}).body
    assert "it broke over &lt;b&gt;a file&lt;/b&gt;" in page
    assert all(name in page for name in AgentName)
